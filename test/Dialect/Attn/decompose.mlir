// RUN: heed-opt --attn-decompose %s | FileCheck %s

// CHECK-DAG: #[[QUERY:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[KEY:.+]] = affine_map<(d0, d1, d2, d3) -> (d0 floordiv 3, d2, d3)>
// CHECK-DAG: #[[VALUE:.+]] = affine_map<(d0, d1, d2, d3) -> (d0 floordiv 3, d3, d2)>
// CHECK-DAG: #[[RESULT:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG: #[[ELEMENT:.+]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[ROW:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[FIRST:.+]] = affine_map<(d0, d1) -> (d1, d0)>

// CHECK-LABEL: func.func @scores
// CHECK-SAME: %[[Q:.+]]: tensor<6x8x4xf32>, %[[K:.+]]: tensor<2x16x4xf32>
// CHECK: linalg.generic {indexing_maps = [#[[QUERY]], #[[KEY]], #[[RESULT]]], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%[[Q]], %[[K]] :
// CHECK: arith.mulf
// CHECK: arith.mulf %{{.+}}, %cst{{.*}} : f32
// CHECK: arith.addf
func.func @scores(%Q: tensor<6x8x4xf32>, %K: tensor<2x16x4xf32>) -> tensor<6x8x16xf32> {
  %S = attn.scores %Q, %K scale 0.5 : tensor<6x8x4xf32>, tensor<2x16x4xf32> -> tensor<6x8x16xf32>
  return %S : tensor<6x8x16xf32>
}

// CHECK-LABEL: func.func @mask
// CHECK: %[[HIDDEN:.+]] = arith.constant 0xFF800000 : f32
// CHECK: linalg.generic
// CHECK: ^bb0(%[[S:.+]]: f32, %{{.+}}: f32):
// CHECK-DAG: %[[I:.+]] = linalg.index 1
// CHECK-DAG: %[[J:.+]] = linalg.index 2
// CHECK: %[[VISIBLE:.+]] = arith.cmpi sle, %[[J]], %[[I]]
// CHECK: %[[MASKED:.+]] = arith.select %[[VISIBLE]], %[[S]], %[[HIDDEN]]
// CHECK: linalg.yield %[[MASKED]]
func.func @mask(%S: tensor<6x8x16xf32>) -> tensor<6x8x16xf32> {
  %M = attn.mask %S : tensor<6x8x16xf32> {
  ^bb0(%h: index, %i: index, %j: index):
    %0 = arith.cmpi sle, %j, %i : index
    attn.yield %0 : i1
  }
  return %M : tensor<6x8x16xf32>
}

// Rows with nothing visible have the maximum -inf and the sum 0: they become zeros.

// CHECK-LABEL: func.func @softmax
// CHECK-SAME: %[[S:.+]]: tensor<6x8x16xf32>
// CHECK-DAG: %[[ZERO:.+]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[LOWEST:.+]] = arith.constant 0xFF800000 : f32
// CHECK: %[[MAX:.+]] = linalg.generic {indexing_maps = [#[[ELEMENT]], #[[ROW]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[S]] :
// CHECK: arith.maximumf
// CHECK: %[[POWERS:.+]] = linalg.generic {{.*}} ins(%[[S]], %[[MAX]] :
// CHECK: %[[EXP:.+]] = math.exp
// CHECK: %[[EMPTY:.+]] = arith.cmpf oeq, %{{.+}}, %[[LOWEST]]
// CHECK: arith.select %[[EMPTY]], %[[ZERO]], %[[EXP]]
// CHECK: %[[SUM:.+]] = linalg.generic {{.*}} ins(%[[POWERS]] :
// CHECK: %[[A:.+]] = linalg.generic {{.*}} ins(%[[POWERS]], %[[SUM]] :
// CHECK: %[[SHARE:.+]] = arith.divf
// CHECK: arith.select %{{.+}}, %[[ZERO]], %[[SHARE]]
// CHECK: return %[[A]]
func.func @softmax(%S: tensor<6x8x16xf32>) -> tensor<6x8x16xf32> {
  %A = attn.softmax %S dimension 2 : tensor<6x8x16xf32>
  return %A : tensor<6x8x16xf32>
}

// The maximum starts as the sink, the sum as the sink's power.

// CHECK-LABEL: func.func @softmax_with_sink
// CHECK-SAME: %[[S:.+]]: tensor<6x8x16xf32>, %[[SINK:.+]]: tensor<6x8xf32>
// CHECK: %[[MAX:.+]] = linalg.generic {{.*}} ins(%[[S]] : tensor<6x8x16xf32>) outs(%[[SINK]] :
// CHECK: linalg.generic {{.*}} ins(%[[S]], %[[MAX]] :
// CHECK: %[[START:.+]] = linalg.generic {{.*}} ins(%[[SINK]], %[[MAX]] :
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} outs(%[[START]] :
func.func @softmax_with_sink(%S: tensor<6x8x16xf32>, %sink: tensor<6x8xf32>) -> tensor<6x8x16xf32> {
  %A = attn.softmax %S sink %sink dimension 2 : tensor<6x8x16xf32>, tensor<6x8xf32>
  return %A : tensor<6x8x16xf32>
}

// CHECK-LABEL: func.func @softmax_of_first_axis
// CHECK: linalg.generic {indexing_maps = [#[[FIRST]], #{{.+}}], iterator_types = ["parallel", "reduction"]}
func.func @softmax_of_first_axis(%S: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %A = attn.softmax %S dimension 0 : tensor<8x16xf32>
  return %A : tensor<8x16xf32>
}

// CHECK-LABEL: func.func @weigh
// CHECK-SAME: %[[A:.+]]: tensor<6x?x?xf32>, %[[V:.+]]: tensor<2x?x4xf32>
// CHECK: tensor.dim %[[A]]
// CHECK: linalg.generic {indexing_maps = [#[[QUERY]], #[[VALUE]], #[[RESULT]]], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%[[A]], %[[V]] :
func.func @weigh(%A: tensor<6x?x?xf32>, %V: tensor<2x?x4xf32>) -> tensor<6x?x4xf32> {
  %Z = attn.weigh %A, %V : tensor<6x?x?xf32>, tensor<2x?x4xf32> -> tensor<6x?x4xf32>
  return %Z : tensor<6x?x4xf32>
}
