// RUN: heed-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize | FileCheck %s

// The size of a result is that of the operand's axis which it follows, so that no op is kept
// only to be measured.

// CHECK-LABEL: func.func @embed
// CHECK-SAME: %[[IDS:.+]]: tensor<?xi32>
// CHECK-NEXT: %[[ZERO:.+]] = arith.constant 0 : index
// CHECK-NEXT: %[[ROWS:.+]] = tensor.dim %[[IDS]], %[[ZERO]]
// CHECK-NEXT: return %[[ROWS]]
func.func @embed(%ids: tensor<?xi32>, %table: !attn.weight<128x64, q8_0>) -> index {
  %c0 = arith.constant 0 : index
  %E = attn.embed %ids, %table : tensor<?xi32>, !attn.weight<128x64, q8_0> -> tensor<?x64xf32>
  %rows = tensor.dim %E, %c0 : tensor<?x64xf32>
  return %rows : index
}

// CHECK-LABEL: func.func @project
// CHECK-SAME: %[[X:.+]]: tensor<?x64xf32>
// CHECK: %[[ROWS:.+]] = tensor.dim %[[X]], %c0
// CHECK-NEXT: return %[[ROWS]]
func.func @project(%x: tensor<?x64xf32>, %w: !attn.weight<9x8x64, q8_0>) -> index {
  %c0 = arith.constant 0 : index
  %y = attn.project query %x, %w : tensor<?x64xf32>, !attn.weight<9x8x64, q8_0> -> tensor<?x9x8xf32>
  %rows = tensor.dim %y, %c0 : tensor<?x9x8xf32>
  return %rows : index
}

// Rows follow the queries and keys; the mask and the softmax keep them.
// CHECK-LABEL: func.func @scores
// CHECK-SAME: %[[Q:.+]]: tensor<9x?x64xf32>, %[[K:.+]]: tensor<3x?x64xf32>
// CHECK: %[[ROWS:.+]] = tensor.dim %[[Q]], %c1
// CHECK: %[[KEYS:.+]] = tensor.dim %[[K]], %c1
// CHECK-NEXT: return %[[ROWS]], %[[KEYS]]
func.func @scores(%Q: tensor<9x?x64xf32>, %K: tensor<3x?x64xf32>) -> (index, index) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %S = attn.scores %Q, %K scale 0.125 : tensor<9x?x64xf32>, tensor<3x?x64xf32> -> tensor<9x?x?xf32>
  %M = attn.mask %S : tensor<9x?x?xf32> {
  ^bb0(%h: index, %i: index, %j: index):
    %visible = arith.cmpi sle, %j, %i : index
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 2 : tensor<9x?x?xf32>
  %rows = tensor.dim %A, %c1 : tensor<9x?x?xf32>
  %keys = tensor.dim %A, %c2 : tensor<9x?x?xf32>
  return %rows, %keys : index, index
}

// CHECK-LABEL: func.func @weigh
// CHECK-SAME: %[[A:.+]]: tensor<?x?xf32>, %[[V:.+]]: tensor<?x?xf32>
// CHECK: %[[ROWS:.+]] = tensor.dim %[[A]], %c0
// CHECK: %[[WIDTH:.+]] = tensor.dim %[[V]], %c1
// CHECK-NEXT: return %[[ROWS]], %[[WIDTH]]
func.func @weigh(%A: tensor<?x?xf32>, %V: tensor<?x?xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %Z = attn.weigh %A, %V : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %rows = tensor.dim %Z, %c0 : tensor<?x?xf32>
  %width = tensor.dim %Z, %c1 : tensor<?x?xf32>
  return %rows, %width : index, index
}

// CHECK-LABEL: func.func @attention
// CHECK-SAME: %[[Q:.+]]: tensor<9x?x64xf32>
// CHECK: %[[ROWS:.+]] = tensor.dim %[[Q]], %c1
// CHECK-NEXT: return %[[ROWS]]
func.func @attention(%Q: tensor<9x?x64xf32>, %K: tensor<3x?x64xf32>) -> index {
  %c0 = arith.constant 0 : index
  %Z = attn.attention %Q, %K, %K scale 0.125 rows_first : tensor<9x?x64xf32>, tensor<3x?x64xf32>, tensor<3x?x64xf32> -> tensor<?x9x64xf32>
  %rows = tensor.dim %Z, %c0 : tensor<?x9x64xf32>
  return %rows : index
}

// CHECK-LABEL: func.func @cache
// CHECK-SAME: %[[C:.+]]: tensor<4x3x?x64xf32>, %[[L:.+]]: index, %[[LENGTH:.+]]: index
// CHECK: %[[CAPACITY:.+]] = tensor.dim %[[C]], %c2
// CHECK-NEXT: return %[[LENGTH]], %[[CAPACITY]]
func.func @cache(%c: tensor<4x3x?x64xf32>, %l: index, %length: index, %rows: tensor<3x?x64xf32>) -> (index, index) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %K = attn.cache_read %c layer %l length %length : tensor<4x3x?x64xf32> -> tensor<3x?x64xf32>
  %d = attn.cache_append %rows into %c layer %l at %length : tensor<3x?x64xf32> into tensor<4x3x?x64xf32>
  %keys = tensor.dim %K, %c1 : tensor<3x?x64xf32>
  %capacity = tensor.dim %d, %c2 : tensor<4x3x?x64xf32>
  return %keys, %capacity : index, index
}
