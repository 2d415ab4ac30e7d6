// RUN: heed-opt %s -one-shot-bufferize="bufferize-function-boundaries" -verify-diagnostics

func.func @no_destination(%x: tensor<?x64xf32>, %w: !attn.weight<64x64, f32>) -> tensor<?x64xf32> {
  // expected-error @below {{has no destination; run attn-add-destinations before bufferizing}}
  // expected-error @below {{failed to bufferize op}}
  %r = attn.project linear %x, %w : tensor<?x64xf32>, !attn.weight<64x64, f32> -> tensor<?x64xf32>
  return %r : tensor<?x64xf32>
}
