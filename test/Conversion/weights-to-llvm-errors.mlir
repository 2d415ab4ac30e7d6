// RUN: heed-opt %s -convert-weights-to-llvm -split-input-file -verify-diagnostics

attn.weight @w : !attn.weight<8, f32> tensor "w"
func.func @no_entry() {
  // expected-error @below {{stands in no entry; run convert-entry-points first}}
  %w = attn.get_weight @w : !attn.weight<8, f32>
  return
}

// -----

attn.weight @w : !attn.weight<16x8, f32> tensor "w"
func.func @f_entry(%context: !llvm.ptr, %x: memref<?x8xf32>, %y: memref<?x16xf32>) attributes {heed.entry = "f"} {
  %w = attn.get_weight @w : !attn.weight<16x8, f32>
  // expected-error @below {{still reads a weight; run convert-attn-to-vector first}}
  attn.project linear %x, %w into %y : memref<?x8xf32>, !attn.weight<16x8, f32> into memref<?x16xf32>
  return
}

// -----

attn.weight @w : !attn.weight<8, f32> tensor "w"
func.func @f_entry(%context: !llvm.ptr) -> tensor<8xf32> attributes {heed.entry = "f"} {
  %w = attn.get_weight @w : !attn.weight<8, f32>
  // expected-error @below {{is in tensor form; bufferize first}}
  %d = attn.dequantize %w : !attn.weight<8, f32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}
