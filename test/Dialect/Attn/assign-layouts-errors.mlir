// RUN: heed-opt %s -attn-assign-layouts -verify-diagnostics

attn.weight @W : !attn.weight<8x4, f32> tensor "w"
func.func @escapes() -> !attn.weight<8x4, f32> {
  %w = attn.get_weight @W : !attn.weight<8x4, f32>
  // expected-error @below {{reads a weight, expected attn.project, attn.embed or attn.dequantize to read it}}
  return %w : !attn.weight<8x4, f32>
}
