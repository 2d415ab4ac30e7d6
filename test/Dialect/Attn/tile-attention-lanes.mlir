// RUN: heed-opt %s -attn-tile-attention -canonicalize -cse | FileCheck %s

// Few rows fill few lanes: with 32 lanes the choice between 16 and 32 is made when the model runs.
// With 3 heads, 16 lanes hold 5 rows.

// CHECK-LABEL: func.func @rows_decide
// CHECK: %[[ROWS:.*]] = tensor.dim
// CHECK: %[[FEW:.*]] = arith.cmpi ule, %[[ROWS]], %c5
// CHECK: scf.if %[[FEW]]
// CHECK: scf.forall
// CHECK: attn.online_attention
// CHECK-SAME: tensor<64x16xf32>
// CHECK: } else {
// CHECK: scf.forall
// CHECK: attn.online_attention
// CHECK-SAME: tensor<64x32xf32>
func.func @rows_decide(%Q: tensor<3x?x64xf32>, %K: tensor<1x?x64xf32>, %V: tensor<1x?x64xf32>) -> tensor<?x3x64xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.125 rows_first : tensor<3x?x64xf32>, tensor<1x?x64xf32>, tensor<1x?x64xf32> -> tensor<?x3x64xf32>
  return %Z : tensor<?x3x64xf32>
}
