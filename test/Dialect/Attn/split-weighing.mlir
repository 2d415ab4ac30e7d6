// RUN: heed-opt --attn-split-weighing --split-input-file %s | FileCheck %s

#ij = affine_map<(i, c, j) -> (i, j)>
#jc = affine_map<(i, c, j) -> (j, c)>
#ic = affine_map<(i, c, j) -> (i, c)>
#none = affine_map<(i, c, j) -> ()>

// The difference in the weighing itself.
// CHECK-LABEL: func @difference
// CHECK-SAME: %[[S1:[^:]+]]: tensor<?x?xf32>, %[[S2:[^:]+]]: tensor<?x?xf32>, %[[V:[^:]+]]: tensor<?x4xf32>, %[[L:[^:]+]]: tensor<f32>
// CHECK-DAG: %[[A1:.+]] = attn.softmax %[[S1]]
// CHECK-DAG: %[[A2:.+]] = attn.softmax %[[S2]]
// CHECK: %[[Z1:.+]] = linalg.generic {{.*}} ins(%[[A1]], %[[V]] :
// CHECK: %[[Z2:.+]] = linalg.generic {{.*}} ins(%[[L]], %[[A2]], %[[V]] :
// CHECK: %[[Z:.+]] = linalg.generic {{.*}} ins(%[[Z1]], %[[Z2]] :
// CHECK: arith.subf
// CHECK: return %[[Z]]
func.func @difference(%s1: tensor<?x?xf32>, %s2: tensor<?x?xf32>, %v: tensor<?x4xf32>, %l: tensor<f32>, %into: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %a1 = attn.softmax %s1 dimension 1 : tensor<?x?xf32>
  %a2 = attn.softmax %s2 dimension 1 : tensor<?x?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<?x4xf32>) -> tensor<?x4xf32>
  %z = linalg.generic {indexing_maps = [#ij, #none, #ij, #jc, #ic], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a1, %l, %a2, %v : tensor<?x?xf32>, tensor<f32>, tensor<?x?xf32>, tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%x: f32, %m: f32, %y: f32, %w: f32, %out: f32):
    %0 = arith.mulf %m, %y : f32
    %1 = arith.subf %x, %0 : f32
    %2 = arith.mulf %1, %w : f32
    %3 = arith.addf %out, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}

// -----

#m0 = affine_map<(h, i, j) -> (h, i, j)>
#m1 = affine_map<(h, i, j) -> (h)>
#hij = affine_map<(i, h, c, j) -> (h, i, j)>
#hjc = affine_map<(i, h, c, j) -> (h, j, c)>
#ihc = affine_map<(i, h, c, j) -> (i, h, c)>

// The combination has a name and a coefficient computed in place; its op is gone.
// CHECK-LABEL: func @named
// CHECK-SAME: %[[S1:[^:]+]]: tensor<2x?x?xf32>, %[[S2:[^:]+]]: tensor<2x?x?xf32>, %[[V:[^:]+]]: tensor<2x?x4xf32>, %[[L:[^:]+]]: tensor<2xf32>
// CHECK-DAG: %[[A1:.+]] = attn.softmax %[[S1]]
// CHECK-DAG: %[[A2:.+]] = attn.softmax %[[S2]]
// CHECK: %[[E:.+]] = linalg.generic {{.*}} ins(%[[L]] : tensor<2xf32>)
// CHECK: math.exp
// CHECK: %[[Z1:.+]] = linalg.generic {{.*}} ins(%[[A1]], %[[V]] :
// CHECK: %[[Z2:.+]] = linalg.generic {{.*}} ins(%[[E]], %[[A2]], %[[V]] :
// CHECK: linalg.generic {{.*}} ins(%[[Z1]], %[[Z2]] :
// CHECK: arith.negf
// CHECK: arith.addf
func.func @named(%s1: tensor<2x?x?xf32>, %s2: tensor<2x?x?xf32>, %v: tensor<2x?x4xf32>, %l: tensor<2xf32>, %d: tensor<2x?x?xf32>, %into: tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %a1 = attn.softmax %s1 dimension 2 : tensor<2x?x?xf32>
  %a2 = attn.softmax %s2 dimension 2 : tensor<2x?x?xf32>
  %difference = linalg.generic {indexing_maps = [#m0, #m1, #m0, #m0], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a1, %l, %a2 : tensor<2x?x?xf32>, tensor<2xf32>, tensor<2x?x?xf32>) outs(%d : tensor<2x?x?xf32>) {
  ^bb0(%x: f32, %m: f32, %y: f32, %out: f32):
    %0 = math.exp %m : f32
    %1 = arith.mulf %0, %y : f32
    %2 = arith.negf %x : f32
    %3 = arith.addf %2, %1 : f32
    linalg.yield %3 : f32
  } -> tensor<2x?x?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<?x2x4xf32>) -> tensor<?x2x4xf32>
  %z = linalg.generic {indexing_maps = [#hij, #hjc, #ihc], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%difference, %v : tensor<2x?x?xf32>, tensor<2x?x4xf32>) outs(%init : tensor<?x2x4xf32>) {
  ^bb0(%x: f32, %w: f32, %out: f32):
    %0 = arith.mulf %x, %w : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x2x4xf32>
  return %z : tensor<?x2x4xf32>
}

// -----

#ij = affine_map<(i, c, j) -> (i, j)>
#jc = affine_map<(i, c, j) -> (j, c)>
#ic = affine_map<(i, c, j) -> (i, c)>

// One pattern is left as it is.
// CHECK-LABEL: func @plain
// CHECK: attn.softmax
// CHECK: linalg.generic
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @plain(%s: tensor<?x?xf32>, %v: tensor<?x4xf32>, %into: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %a = attn.softmax %s dimension 1 : tensor<?x?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<?x4xf32>) -> tensor<?x4xf32>
  %z = linalg.generic {indexing_maps = [#ij, #jc, #ic], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %v : tensor<?x?xf32>, tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%x: f32, %w: f32, %out: f32):
    %0 = arith.mulf %x, %w : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}
