// RUN: heed-opt --heed-factor-contractions %s | FileCheck %s

attn.weight @Wnarrow : !attn.weight<2x9x4, f32> tensor "wn"
attn.weight @Vdown : !attn.weight<4x12, f32> tensor "vdown"
attn.weight @up4 : !attn.weight<12x4, f32> tensor "up"

// Heads that are wider than the model: projecting the values first would take fewer products, and
// the pattern would have to be stored.

// CHECK-LABEL: func.func @wide_heads
// CHECK-SAME: %[[V:[^:]+]]: tensor<9x?x4xf32>
// CHECK: %[[A:.+]] = attn.softmax
// CHECK: %[[Z:.+]] = linalg.generic {{.*}} ins(%[[A]], %[[V]] :
// CHECK: linalg.generic {{.*}} ins(%[[Z]], %{{.+}} :{{.*}}) outs(%{{.+}} : tensor<?x2xf32>)
func.func @wide_heads(%S: tensor<9x?x?xf32>, %V: tensor<9x?x4xf32>, %n: index) -> tensor<?x2xf32> {
  %A = attn.softmax %S dimension 2 : tensor<9x?x?xf32>
  %w = attn.get_weight @Wnarrow : !attn.weight<2x9x4, f32>
  %Wo = attn.dequantize %w : !attn.weight<2x9x4, f32> -> tensor<2x9x4xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x2xf32>) -> tensor<?x2xf32>
  %dE = linalg.generic {
      indexing_maps = [affine_map<(i, e, h, k, j) -> (e, h, k)>,
                       affine_map<(i, e, h, k, j) -> (h, i, j)>,
                       affine_map<(i, e, h, k, j) -> (h, j, k)>,
                       affine_map<(i, e, h, k, j) -> (i, e)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%Wo, %A, %V : tensor<2x9x4xf32>, tensor<9x?x?xf32>, tensor<9x?x4xf32>)
      outs(%init : tensor<?x2xf32>) {
  ^bb0(%o: f32, %a: f32, %v: f32, %acc: f32):
    %0 = arith.mulf %o, %a : f32
    %1 = arith.mulf %0, %v : f32
    %2 = arith.addf %acc, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<?x2xf32>
  return %dE : tensor<?x2xf32>
}

// Value-down and value-up in one formula: neither is multiplied with the other.

// CHECK-LABEL: func.func @value_down_and_up
// CHECK-SAME: %[[E:[^:]+]]: tensor<?x12xf32>
// CHECK: %[[A:.+]] = attn.softmax
// CHECK: %[[DOWN:.+]] = linalg.generic {{.*}} ins(%{{.+}}, %[[E]] : tensor<4x12xf32>, tensor<?x12xf32>) outs(%{{.+}} : tensor<4x?xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[A]], %[[DOWN]] :
// CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<?x12xf32>)
func.func @value_down_and_up(%E: tensor<?x12xf32>, %S: tensor<?x?xf32>, %n: index) -> tensor<?x12xf32> {
  %A = attn.softmax %S dimension 1 : tensor<?x?xf32>
  %d = attn.get_weight @Vdown : !attn.weight<4x12, f32>
  %Vdown = attn.dequantize %d : !attn.weight<4x12, f32> -> tensor<4x12xf32>
  %u = attn.get_weight @up4 : !attn.weight<12x4, f32>
  %Vup = attn.dequantize %u : !attn.weight<12x4, f32> -> tensor<12x4xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x12xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x12xf32>) -> tensor<?x12xf32>
  %dE = linalg.generic {
      indexing_maps = [affine_map<(i, e, k, j, c) -> (e, k)>, affine_map<(i, e, k, j, c) -> (k, c)>,
                       affine_map<(i, e, k, j, c) -> (i, j)>, affine_map<(i, e, k, j, c) -> (j, c)>,
                       affine_map<(i, e, k, j, c) -> (i, e)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%Vup, %Vdown, %A, %E : tensor<12x4xf32>, tensor<4x12xf32>, tensor<?x?xf32>, tensor<?x12xf32>)
      outs(%init : tensor<?x12xf32>) {
  ^bb0(%up: f32, %down: f32, %a: f32, %x: f32, %acc: f32):
    %0 = arith.mulf %up, %down : f32
    %1 = arith.mulf %0, %a : f32
    %2 = arith.mulf %1, %x : f32
    %3 = arith.addf %acc, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<?x12xf32>
  return %dE : tensor<?x12xf32>
}
