// RUN: heed-opt %s -attn-merge-scores -split-input-file | FileCheck %s

// Content and position: the position's keys, one head's, are repeated beside those of each head,
// and the sum's factors go into the scale.
#id = affine_map<(h, i, j) -> (h, i, j)>

// CHECK: #[[SHARED:.+]] = affine_map<(d0, d1, d2) -> (0, d1, d2)>
// CHECK-LABEL: func.func @position
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<4x?x8xf32>, %[[K:[a-z0-9]+]]: tensor<4x?x8xf32>, %[[P:[a-z0-9]+]]: tensor<4x?x2xf32>, %[[R:[a-z0-9]+]]: tensor<1x?x2xf32>
// CHECK: %[[EACH:.+]] = linalg.generic {indexing_maps = [#[[SHARED]], {{.*}} ins(%[[R]] : tensor<1x?x2xf32>) outs(%{{.+}} : tensor<4x?x2xf32>)
// CHECK: %[[QP:.+]] = tensor.concat dim(2) %[[Q]], %[[P]] : {{.*}} -> tensor<4x?x10xf32>
// CHECK: %[[KR:.+]] = tensor.concat dim(2) %[[K]], %[[EACH]]
// CHECK: %[[S:.+]] = attn.scores %[[QP]], %[[KR]] scale 2.500000e-01
// CHECK-NOT: linalg.generic
// CHECK: return %[[S]]
func.func @position(%q: tensor<4x?x8xf32>, %k: tensor<4x?x8xf32>, %p: tensor<4x?x2xf32>,
                    %r: tensor<1x?x2xf32>) -> tensor<4x?x?xf32> {
  %c1 = arith.constant 1 : index
  %four = arith.constant 4.0 : f32
  %n = tensor.dim %q, %c1 : tensor<4x?x8xf32>
  %m = tensor.dim %k, %c1 : tensor<4x?x8xf32>
  %s = attn.scores %q, %k scale 1.0 : tensor<4x?x8xf32>, tensor<4x?x8xf32> -> tensor<4x?x?xf32>
  %t = attn.scores %p, %r scale 1.0 : tensor<4x?x2xf32>, tensor<1x?x2xf32> -> tensor<4x?x?xf32>
  %0 = tensor.empty(%n, %m) : tensor<4x?x?xf32>
  %S = linalg.generic {indexing_maps = [#id, #id, #id],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %t : tensor<4x?x?xf32>, tensor<4x?x?xf32>) outs(%0 : tensor<4x?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %1 = arith.addf %a, %b : f32
    %2 = arith.divf %1, %four : f32
    linalg.yield %2 : f32
  } -> tensor<4x?x?xf32>
  return %S : tensor<4x?x?xf32>
}

// -----

// Keys that are values too are read where they are now. What else the modifier does stays.
#id = affine_map<(h, i, j) -> (h, i, j)>

// CHECK-LABEL: func.func @latents
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<4x?x8xf32>, %[[C:[a-z0-9]+]]: tensor<1x?x8xf32>, %[[P:[a-z0-9]+]]: tensor<4x?x2xf32>, %[[R:[a-z0-9]+]]: tensor<1x?x2xf32>
// CHECK: %[[HALF:.+]] = linalg.generic {{.*}} ins(%[[P]]
// CHECK: arith.mulf %{{.+}}, %cst{{.*}} : f32
// CHECK: %[[QP:.+]] = tensor.concat dim(2) %[[Q]], %[[HALF]]
// CHECK: %[[CR:.+]] = tensor.concat dim(2) %[[C]], %[[R]] : {{.*}} -> tensor<1x?x10xf32>
// CHECK: %[[S:.+]] = attn.scores %[[QP]], %[[CR]] scale 1.000000e+00
// CHECK: linalg.generic {{.*}} ins(%[[S]]
// CHECK: math.tanh
// CHECK: %[[V:.+]] = tensor.extract_slice %[[CR]][0, 0, 0] [1, %{{.+}}, 8] [1, 1, 1]
// CHECK: attn.weigh %{{.+}}, %[[V]]
func.func @latents(%q: tensor<4x?x8xf32>, %c: tensor<1x?x8xf32>, %p: tensor<4x?x2xf32>,
                   %r: tensor<1x?x2xf32>) -> tensor<4x?x8xf32> {
  %c1 = arith.constant 1 : index
  %half = arith.constant 0.5 : f32
  %n = tensor.dim %q, %c1 : tensor<4x?x8xf32>
  %m = tensor.dim %c, %c1 : tensor<1x?x8xf32>
  %s = attn.scores %q, %c scale 1.0 : tensor<4x?x8xf32>, tensor<1x?x8xf32> -> tensor<4x?x?xf32>
  %t = attn.scores %p, %r scale 1.0 : tensor<4x?x2xf32>, tensor<1x?x2xf32> -> tensor<4x?x?xf32>
  %0 = tensor.empty(%n, %m) : tensor<4x?x?xf32>
  %S = linalg.generic {indexing_maps = [#id, #id, #id],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %t : tensor<4x?x?xf32>, tensor<4x?x?xf32>) outs(%0 : tensor<4x?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %1 = arith.mulf %half, %b : f32
    %2 = arith.addf %a, %1 : f32
    %3 = math.tanh %2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x?x?xf32>
  %A = attn.softmax %S dimension 2 : tensor<4x?x?xf32>
  %Z = attn.weigh %A, %c : tensor<4x?x?xf32>, tensor<1x?x8xf32> -> tensor<4x?x8xf32>
  return %Z : tensor<4x?x8xf32>
}

// -----

// Scores that are read elsewhere, and a difference, stay.
#id = affine_map<(i, j) -> (i, j)>

// CHECK-LABEL: func.func @kept
// CHECK-COUNT-2: attn.scores
// CHECK-NOT: tensor.concat
func.func @kept(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %q, %c0 : tensor<?x8xf32>
  %m = tensor.dim %k, %c0 : tensor<?x8xf32>
  %s = attn.scores %q, %k scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  %t = attn.scores %q, %k scale 2.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  %0 = tensor.empty(%n, %m) : tensor<?x?xf32>
  %S = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s, %t : tensor<?x?xf32>, tensor<?x?xf32>) outs(%0 : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %1 = arith.addf %a, %b : f32
    linalg.yield %1 : f32
  } -> tensor<?x?xf32>
  return %S, %s : tensor<?x?xf32>, tensor<?x?xf32>
}
