// RUN: heed-opt --attn-recognise %s -mlir-disable-threading -verify-diagnostics | FileCheck %s

attn.weight @table : !attn.weight<100x32, q8_0> tensor "table"
attn.weight @Wq : !attn.weight<6x4x32, q4_0> tensor "wq"
attn.weight @Wqkv : !attn.weight<24x32, q8_0> tensor "wqkv"
attn.weight @Vup : !attn.weight<6x32x4, f32> tensor "vup"
attn.weight @packed : !attn.weight<32x64, q4_0> tensor "packed"

// CHECK-LABEL: func.func @embedding
// CHECK-SAME: %[[TOKENS:.+]]: tensor<?xi32>
// CHECK: %[[TABLE:.+]] = attn.get_weight @table
// CHECK: %[[E:.+]] = attn.embed %[[TOKENS]], %[[TABLE]] : tensor<?xi32>, !attn.weight<100x32, q8_0> -> tensor<?x32xf32>
// CHECK-NOT: linalg.generic
// CHECK: return %[[E]]
func.func @embedding(%tokens: tensor<?xi32>) -> tensor<?x32xf32> {
  %c0 = arith.constant 0 : index
  %last = arith.constant 99 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %w = attn.get_weight @table : !attn.weight<100x32, q8_0>
  %table = attn.dequantize %w : !attn.weight<100x32, q8_0> -> tensor<100x32xf32>
  %empty = tensor.empty(%n) : tensor<?x32xf32>
  %E = linalg.generic {
      indexing_maps = [affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (i, c)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%tokens : tensor<?xi32>) outs(%empty : tensor<?x32xf32>) {
  ^bb0(%id: i32, %out: f32):
    %0 = arith.index_cast %id : i32 to index
    %1 = arith.minsi %0, %last : index
    %row = arith.maxsi %1, %c0 : index
    %c = linalg.index 1 : index
    %2 = tensor.extract %table[%row, %c] : tensor<100x32xf32>
    linalg.yield %2 : f32
  } -> tensor<?x32xf32>
  return %E : tensor<?x32xf32>
}

// Q[h,i,k] = sum[c] Wq[h,k,c] * X[i,c]: rows come first out of a projection.

// CHECK-LABEL: func.func @projection
// CHECK-SAME: %[[X:.+]]: tensor<?x32xf32>, %[[N:.+]]: index
// CHECK: %[[W:.+]] = attn.get_weight @Wq
// CHECK: %[[P:.+]] = attn.project linear %[[X]], %[[W]] : tensor<?x32xf32>, !attn.weight<6x4x32, q4_0> -> tensor<?x6x4xf32>
// CHECK: %[[INTO:.+]] = tensor.empty(%{{.+}}) : tensor<6x?x4xf32>
// CHECK: %[[Q:.+]] = linalg.transpose ins(%[[P]] : tensor<?x6x4xf32>) outs(%[[INTO]] : tensor<6x?x4xf32>) permutation = [1, 0, 2]
// CHECK: return %[[Q]]
func.func @projection(%X: tensor<?x32xf32>, %n: index) -> tensor<6x?x4xf32> {
  %w = attn.get_weight @Wq : !attn.weight<6x4x32, q4_0>
  %Wq = attn.dequantize %w : !attn.weight<6x4x32, q4_0> -> tensor<6x4x32xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<6x?x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<6x?x4xf32>) -> tensor<6x?x4xf32>
  %Q = linalg.generic {
      indexing_maps = [affine_map<(h, i, k, c) -> (h, k, c)>, affine_map<(h, i, k, c) -> (i, c)>,
                       affine_map<(h, i, k, c) -> (h, i, k)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%Wq, %X : tensor<6x4x32xf32>, tensor<?x32xf32>) outs(%init : tensor<6x?x4xf32>) {
  ^bb0(%a: f32, %x: f32, %acc: f32):
    %0 = arith.mulf %a, %x : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<6x?x4xf32>
  return %Q : tensor<6x?x4xf32>
}

// K[h,j,k] = sum[c] Wqkv[8 + h * 4 + k, c] * X[j,c]: a range of the features, as heads.

// CHECK-LABEL: func.func @feature_range
// CHECK: %[[ALL:.+]] = attn.project linear %{{.+}}, %{{.+}} : tensor<5x32xf32>, !attn.weight<24x32, q8_0> -> tensor<5x24xf32>
// CHECK: %[[KEYS:.+]] = tensor.extract_slice %[[ALL]][0, 8] [5, 8] [1, 1] : tensor<5x24xf32> to tensor<5x8xf32>
// CHECK: %[[HEADS:.+]] = tensor.expand_shape %[[KEYS]] {{\[}}[0], [1, 2]] output_shape [5, 2, 4] : tensor<5x8xf32> into tensor<5x2x4xf32>
// CHECK: linalg.transpose ins(%[[HEADS]] : tensor<5x2x4xf32>) {{.*}} permutation = [1, 0, 2]
func.func @feature_range(%X: tensor<5x32xf32>) -> tensor<2x5x4xf32> {
  %w = attn.get_weight @Wqkv : !attn.weight<24x32, q8_0>
  %W = attn.dequantize %w : !attn.weight<24x32, q8_0> -> tensor<24x32xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x5x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
  %K = linalg.generic {
      indexing_maps = [affine_map<(h, j, k, c) -> (h * 4 + k + 8, c)>, affine_map<(h, j, k, c) -> (j, c)>,
                       affine_map<(h, j, k, c) -> (h, j, k)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%W, %X : tensor<24x32xf32>, tensor<5x32xf32>) outs(%init : tensor<2x5x4xf32>) {
  ^bb0(%a: f32, %x: f32, %acc: f32):
    %0 = arith.mulf %a, %x : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x5x4xf32>
  return %K : tensor<2x5x4xf32>
}

// dE[i,e] = sum[h,k] Vup[h,e,k] * Z[h,i,k]: the weight is packed as [e,h,k].

// CHECK-LABEL: func.func @permuted_weight
// CHECK-SAME: %[[Z:.+]]: tensor<6x?x4xf32>
// CHECK: %[[W:.+]] = attn.get_weight @Vup permuted [1, 0, 2] : !attn.weight<32x6x4, f32>
// CHECK: %[[ROWS:.+]] = linalg.transpose ins(%[[Z]] : tensor<6x?x4xf32>) {{.*}} permutation = [1, 0, 2]
// CHECK: %[[DE:.+]] = attn.project linear %[[ROWS]], %[[W]] contracted 2 : tensor<?x6x4xf32>, !attn.weight<32x6x4, f32> -> tensor<?x32xf32>
// CHECK: return %[[DE]]
func.func @permuted_weight(%Z: tensor<6x?x4xf32>, %n: index) -> tensor<?x32xf32> {
  %w = attn.get_weight @Vup : !attn.weight<6x32x4, f32>
  %Vup = attn.dequantize %w : !attn.weight<6x32x4, f32> -> tensor<6x32x4xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x32xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x32xf32>) -> tensor<?x32xf32>
  %dE = linalg.generic {
      indexing_maps = [affine_map<(i, e, h, k) -> (h, e, k)>, affine_map<(i, e, h, k) -> (h, i, k)>,
                       affine_map<(i, e, h, k) -> (i, e)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%Vup, %Z : tensor<6x32x4xf32>, tensor<6x?x4xf32>) outs(%init : tensor<?x32xf32>) {
  ^bb0(%a: f32, %z: f32, %acc: f32):
    %0 = arith.mulf %a, %z : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x32xf32>
  return %dE : tensor<?x32xf32>
}

// Blocks lie along the last axis, so that one can't be a feature.

// CHECK-LABEL: func.func @blocks_along_features
// CHECK: attn.dequantize
// CHECK: linalg.generic
// CHECK-NOT: attn.project
func.func @blocks_along_features(%X: tensor<8x32xf32>) -> tensor<8x64xf32> {
  %w = attn.get_weight @packed : !attn.weight<32x64, q4_0>
  %W = attn.dequantize %w : !attn.weight<32x64, q4_0> -> tensor<32x64xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<8x64xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x64xf32>) -> tensor<8x64xf32>
  // expected-remark @below {{the product with weight @packed isn't recognised as a projection: its storage's blocks don't make up rows of summed indices}}
  %Y = linalg.generic {
      indexing_maps = [affine_map<(i, f, c) -> (c, f)>, affine_map<(i, f, c) -> (i, c)>,
                       affine_map<(i, f, c) -> (i, f)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%W, %X : tensor<32x64xf32>, tensor<8x32xf32>) outs(%init : tensor<8x64xf32>) {
  ^bb0(%a: f32, %x: f32, %acc: f32):
    %0 = arith.mulf %a, %x : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<8x64xf32>
  return %Y : tensor<8x64xf32>
}
