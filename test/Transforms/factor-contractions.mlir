// RUN: heed-opt --heed-factor-contractions %s | FileCheck %s

attn.weight @Vup : !attn.weight<12x6, f32> tensor "vup"
attn.weight @Wo : !attn.weight<12x9x4, f32> tensor "wo"

// CHECK-DAG: #[[IJ:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[JK:.+]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[IK:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[EK:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[HIJ:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[GROUPED:.+]] = affine_map<(d0, d1, d2, d3) -> (d0 floordiv 3, d3, d2)>
// CHECK-DAG: #[[HIK:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>

// dE[i,e] = sum[k,j] Vup[e,k] * A[i,j] * V[j,k]: weigh the values first, then project.

// CHECK-LABEL: func.func @single_head
// CHECK-SAME: %[[A:.+]]: tensor<?x?xf32>, %[[V:.+]]: tensor<?x6xf32>, %[[N:.+]]: index
// CHECK: %[[UP:.+]] = attn.dequantize
// CHECK: %[[Z:.+]] = linalg.generic {indexing_maps = [#[[IJ]], #[[JK]], #[[IK]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[A]], %[[V]] :
// CHECK-NOT: linalg.generic
// CHECK: %[[DE:.+]] = linalg.generic {indexing_maps = [#[[EK]], #[[IJ]], #[[IK]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[UP]], %[[Z]] :
// CHECK: return %[[DE]]
func.func @single_head(%A: tensor<?x?xf32>, %V: tensor<?x6xf32>, %n: index) -> tensor<?x12xf32> {
  %w = attn.get_weight @Vup : !attn.weight<12x6, f32>
  %Vup = attn.dequantize %w : !attn.weight<12x6, f32> -> tensor<12x6xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x12xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x12xf32>) -> tensor<?x12xf32>
  %dE = linalg.generic {
      indexing_maps = [affine_map<(i, e, k, j) -> (e, k)>, affine_map<(i, e, k, j) -> (i, j)>,
                       affine_map<(i, e, k, j) -> (j, k)>, affine_map<(i, e, k, j) -> (i, e)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%Vup, %A, %V : tensor<12x6xf32>, tensor<?x?xf32>, tensor<?x6xf32>)
      outs(%init : tensor<?x12xf32>) {
  ^bb0(%u: f32, %a: f32, %v: f32, %acc: f32):
    %0 = arith.mulf %u, %a : f32
    %1 = arith.mulf %0, %v : f32
    %2 = arith.addf %acc, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<?x12xf32>
  return %dE : tensor<?x12xf32>
}

// The same with grouped heads, written in another order and divided by a constant: an
// attention pattern's axes still come first.

// CHECK-LABEL: func.func @grouped_heads
// CHECK-SAME: %[[V:[^:]+]]: tensor<3x?x4xf32>
// CHECK: %[[A:.+]] = attn.softmax
// CHECK: %[[Z:.+]] = linalg.generic {indexing_maps = [#[[HIJ]], #[[GROUPED]], #[[HIK]]], {{.*}} ins(%[[A]], %[[V]] :
// CHECK: -> tensor<9x?x4xf32>
// CHECK: linalg.generic {{.*}} ins(%[[Z]], %{{.+}} :{{.*}}) outs(%{{.+}} : tensor<?x12xf32>)
// CHECK: arith.mulf %{{.+}}, %cst{{.*}} : f32
func.func @grouped_heads(%S: tensor<9x?x?xf32>, %V: tensor<3x?x4xf32>, %n: index) -> tensor<?x12xf32> {
  %A = attn.softmax %S dimension 2 : tensor<9x?x?xf32>
  %w = attn.get_weight @Wo : !attn.weight<12x9x4, f32>
  %Wo = attn.dequantize %w : !attn.weight<12x9x4, f32> -> tensor<12x9x4xf32>
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %empty = tensor.empty(%n) : tensor<?x12xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x12xf32>) -> tensor<?x12xf32>
  %dE = linalg.generic {
      indexing_maps = [affine_map<(i, e, h, k, j) -> (h floordiv 3, j, k)>,
                       affine_map<(i, e, h, k, j) -> (h, i, j)>,
                       affine_map<(i, e, h, k, j) -> (e, h, k)>,
                       affine_map<(i, e, h, k, j) -> (i, e)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%V, %A, %Wo : tensor<3x?x4xf32>, tensor<9x?x?xf32>, tensor<12x9x4xf32>)
      outs(%init : tensor<?x12xf32>) {
  ^bb0(%v: f32, %a: f32, %o: f32, %acc: f32):
    %0 = arith.mulf %v, %a : f32
    %1 = arith.divf %0, %two : f32
    %2 = arith.mulf %1, %o : f32
    %3 = arith.addf %acc, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<?x12xf32>
  return %dE : tensor<?x12xf32>
}

// A gate without a summed index is applied to the sum, not inside it.

// CHECK-LABEL: func.func @late_factor
// CHECK-SAME: %[[A:.+]]: tensor<8x16xf32>, %[[V:[^:]+]]: tensor<16x4xf32>, %[[G:.+]]: tensor<8x4xf32>
// CHECK: %[[SUM:.+]] = linalg.generic {{.*}}"reduction"]} ins(%[[A]], %[[V]] :
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]} ins(%[[SUM]], %[[G]] :
func.func @late_factor(%A: tensor<8x16xf32>, %V: tensor<16x4xf32>, %G: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<8x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x4xf32>) -> tensor<8x4xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(i, k, j) -> (i, j)>, affine_map<(i, k, j) -> (i, k)>,
                       affine_map<(i, k, j) -> (j, k)>, affine_map<(i, k, j) -> (i, k)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%A, %G, %V : tensor<8x16xf32>, tensor<8x4xf32>, tensor<16x4xf32>) outs(%init : tensor<8x4xf32>) {
  ^bb0(%a: f32, %g: f32, %v: f32, %acc: f32):
    %1 = arith.mulf %a, %g : f32
    %2 = arith.mulf %1, %v : f32
    %3 = arith.addf %acc, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}
