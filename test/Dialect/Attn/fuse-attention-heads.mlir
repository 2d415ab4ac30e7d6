// RUN: heed-opt --attn-fuse-attention %s -mlir-disable-threading -verify-diagnostics | FileCheck %s

// One op has as many heads of values as of keys.
// CHECK-LABEL: func.func @other_heads
// CHECK: attn.weigh
func.func @other_heads(%Q: tensor<4x?x16xf32>, %K: tensor<4x?x16xf32>, %V: tensor<1x?x8xf32>) -> tensor<4x?x8xf32> {
  %S = attn.scores %Q, %K scale 0.25 : tensor<4x?x16xf32>, tensor<4x?x16xf32> -> tensor<4x?x?xf32>
  %A = attn.softmax %S dimension 2 : tensor<4x?x?xf32>
  // expected-remark @below {{this attention isn't fused: its values have other heads than its keys}}
  %Z = attn.weigh %A, %V : tensor<4x?x?xf32>, tensor<1x?x8xf32> -> tensor<4x?x8xf32>
  return %Z : tensor<4x?x8xf32>
}
