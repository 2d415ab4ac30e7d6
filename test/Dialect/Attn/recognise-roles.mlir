// RUN: heed-opt --attn-recognise %s -mlir-disable-threading -verify-diagnostics | FileCheck %s

#hik = affine_map<(h, i, j, k) -> (h, i, k)>
#hij = affine_map<(h, i, j, k) -> (h, i, j)>

// Multi-query: every head reads the same keys, which are one head. The softmax says which
// factor they are.

// CHECK-LABEL: func.func @multi_query
// CHECK-SAME: %[[Q:.+]]: tensor<4x8x16xf32>, %[[K:.+]]: tensor<8x16xf32>
// CHECK: %[[ONE:.+]] = tensor.expand_shape %[[K]] {{\[}}[0, 1], [2]] output_shape [1, 8, 16] : tensor<8x16xf32> into tensor<1x8x16xf32>
// CHECK: %[[S:.+]] = attn.scores %[[Q]], %[[ONE]] scale 1.000000e+00
// CHECK: attn.softmax %[[S]] dimension 2
func.func @multi_query(%Q: tensor<4x8x16xf32>, %K: tensor<8x16xf32>) -> tensor<4x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x8x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %S = linalg.generic {
      indexing_maps = [affine_map<(h, i, j, k) -> (j, k)>, #hik, #hij],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%K, %Q : tensor<8x16xf32>, tensor<4x8x16xf32>) outs(%init : tensor<4x8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x8x8xf32>
  %A = attn.softmax %S dimension 2 : tensor<4x8x8xf32>
  return %A : tensor<4x8x8xf32>
}

// Written as S[j, i] with a softmax over j: queries are still what j doesn't index.

// CHECK-LABEL: func.func @keys_first
// CHECK-SAME: %[[X:.+]]: tensor<8x16xf32>, %[[Y:.+]]: tensor<6x16xf32>
// CHECK: %[[S:.+]] = attn.scores %[[Y]], %[[X]] scale 2.500000e-01 : tensor<6x16xf32>, tensor<8x16xf32> -> tensor<6x8xf32>
// CHECK: %[[T:.+]] = linalg.transpose ins(%[[S]] : tensor<6x8xf32>) {{.*}} permutation = [1, 0]
// CHECK: attn.softmax %[[T]] dimension 0
func.func @keys_first(%X: tensor<8x16xf32>, %Y: tensor<6x16xf32>) -> tensor<8x6xf32> {
  %zero = arith.constant 0.0 : f32
  %four = arith.constant 4.0 : f32
  %empty = tensor.empty() : tensor<8x6xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x6xf32>) -> tensor<8x6xf32>
  %S = linalg.generic {
      indexing_maps = [affine_map<(j, i, k) -> (j, k)>, affine_map<(j, i, k) -> (i, k)>,
                       affine_map<(j, i, k) -> (j, i)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%X, %Y : tensor<8x16xf32>, tensor<6x16xf32>) outs(%init : tensor<8x6xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.divf %0, %four : f32
    %2 = arith.addf %acc, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<8x6xf32>
  %A = attn.softmax %S dimension 0 : tensor<8x6xf32>
  return %A : tensor<8x6xf32>
}

// Four query heads can't read three key heads in equal groups: h floordiv 2 reads two of them.

// CHECK-LABEL: func.func @unequal_groups
// CHECK-NOT: attn.scores
func.func @unequal_groups(%Q: tensor<4x8x16xf32>, %K: tensor<3x8x16xf32>) -> tensor<4x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x8x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  // expected-remark @below {{this product isn't recognised as attention's scores: a head of keys or values is the query's head, or that divided by the group's size}}
  %S = linalg.generic {
      indexing_maps = [#hik, affine_map<(h, i, j, k) -> (h floordiv 2, j, k)>, #hij],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%Q, %K : tensor<4x8x16xf32>, tensor<3x8x16xf32>) outs(%init : tensor<4x8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x8x8xf32>
  %A = attn.softmax %S dimension 2 : tensor<4x8x8xf32>
  return %A : tensor<4x8x8xf32>
}
