// RUN: heed-opt --attn-fuse-attention %s -mlir-disable-threading -verify-diagnostics | FileCheck %s

#id = affine_map<(h, i, j) -> (h, i, j)>

// Grouped heads, soft-capped scores plus a slope for each head, a sliding window, and the update's
// axis order.

// CHECK-LABEL: func.func @modified
// CHECK-SAME: %[[Q:.+]]: tensor<6x?x4xf32>, %[[K:.+]]: tensor<2x?x4xf32>, %[[V:.+]]: tensor<2x?x8xf32>, %[[SLOPE:[^:]+]]: tensor<6xf32>
// CHECK-NOT: attn.scores
// CHECK: %[[Z:.+]] = attn.attention %[[Q]], %[[K]], %[[V]] scale 5.000000e-01 rows_first : tensor<6x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x8xf32> -> tensor<?x6x8xf32> score {
// CHECK-NEXT: ^bb0(%[[S:.+]]: f32, %[[H:.+]]: index, %[[I:.+]]: index, %[[J:.+]]: index):
// CHECK-NEXT: %[[PART:.+]] = arith.divf %[[S]], %{{.+}} : f32
// CHECK-NEXT: %[[TANH:.+]] = math.tanh %[[PART]] : f32
// CHECK-NEXT: %[[CAPPED:.+]] = arith.mulf %[[TANH]], %{{.+}} : f32
// CHECK-NEXT: %[[OF_H:.+]] = tensor.extract %[[SLOPE]][%[[H]]] : tensor<6xf32>
// CHECK-NEXT: %[[BEHIND:.+]] = arith.subi %[[J]], %[[I]] : index
// CHECK: %[[MODIFIED:.+]] = arith.addf %[[CAPPED]], %{{.+}} : f32
// CHECK-NEXT: attn.yield %[[MODIFIED]] : f32
// CHECK: } mask {
// CHECK-NEXT: ^bb0(%[[H:.+]]: index, %[[I:.+]]: index, %[[J:.+]]: index):
// CHECK-NEXT: %[[CAUSAL:.+]] = arith.cmpi sle, %[[J]], %[[I]] : index
// CHECK-NEXT: %[[NEAR:.+]] = arith.subi %[[I]], %[[J]] : index
// CHECK-NEXT: %[[WINDOW:.+]] = arith.cmpi slt, %[[NEAR]], %{{.+}} : index
// CHECK-NEXT: %[[BOTH:.+]] = arith.andi %[[CAUSAL]], %[[WINDOW]] : i1
// CHECK-NEXT: attn.yield %[[BOTH]] : i1
// CHECK: return %[[Z]]
func.func @modified(%Q: tensor<6x?x4xf32>, %K: tensor<2x?x4xf32>, %V: tensor<2x?x8xf32>,
                    %slope: tensor<6xf32>, %n: index) -> tensor<?x6x8xf32> {
  %cap = arith.constant 30.0 : f32
  %window = arith.constant 16 : index
  %S = attn.scores %Q, %K scale 0.5 : tensor<6x?x4xf32>, tensor<2x?x4xf32> -> tensor<6x?x?xf32>
  %empty = tensor.empty(%n, %n) : tensor<6x?x?xf32>
  %C = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%S : tensor<6x?x?xf32>) outs(%empty : tensor<6x?x?xf32>) {
  ^bb0(%s: f32, %out: f32):
    %0 = arith.divf %s, %cap : f32
    %1 = math.tanh %0 : f32
    %2 = arith.mulf %1, %cap : f32
    linalg.yield %2 : f32
  } -> tensor<6x?x?xf32>
  %B = linalg.generic {indexing_maps = [#id, affine_map<(h, i, j) -> (h)>, #id],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%C, %slope : tensor<6x?x?xf32>, tensor<6xf32>) outs(%empty : tensor<6x?x?xf32>) {
  ^bb0(%s: f32, %m: f32, %out: f32):
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %0 = arith.subi %j, %i : index
    %1 = arith.index_cast %0 : index to i32
    %2 = arith.sitofp %1 : i32 to f32
    %3 = arith.mulf %m, %2 : f32
    %4 = arith.addf %s, %3 : f32
    linalg.yield %4 : f32
  } -> tensor<6x?x?xf32>
  %M = attn.mask %B : tensor<6x?x?xf32> {
  ^bb0(%h: index, %i: index, %j: index):
    %0 = arith.cmpi sle, %j, %i : index
    attn.yield %0 : i1
  }
  %W = attn.mask %M : tensor<6x?x?xf32> {
  ^bb0(%h: index, %i: index, %j: index):
    %0 = arith.subi %i, %j : index
    %1 = arith.cmpi slt, %0, %window : index
    attn.yield %1 : i1
  }
  %A = attn.softmax %W dimension 2 : tensor<6x?x?xf32>
  %Z = attn.weigh %A, %V : tensor<6x?x?xf32>, tensor<2x?x8xf32> -> tensor<6x?x8xf32>
  %into = tensor.empty(%n) : tensor<?x6x8xf32>
  %T = linalg.transpose ins(%Z : tensor<6x?x8xf32>) outs(%into : tensor<?x6x8xf32>) permutation = [1, 0, 2]
  return %T : tensor<?x6x8xf32>
}

// Without heads, the regions' h is unused; without a mask, there is no mask region.

// CHECK-LABEL: func.func @single_head
// CHECK: attn.attention %{{.+}}, %{{.+}}, %{{.+}} scale 1.000000e+00 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x8xf32> -> tensor<?x8xf32>{{$}}
func.func @single_head(%Q: tensor<?x4xf32>, %K: tensor<?x4xf32>, %V: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %S = attn.scores %Q, %K scale 1.0 : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %A = attn.softmax %S dimension 1 : tensor<?x?xf32>
  %Z = attn.weigh %A, %V : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %Z : tensor<?x8xf32>
}

// A pattern that is asked for stays.

// CHECK-LABEL: func.func @pattern_is_a_result
// CHECK: attn.scores
// CHECK: attn.weigh
func.func @pattern_is_a_result(%Q: tensor<?x4xf32>, %K: tensor<?x4xf32>, %V: tensor<?x8xf32>)
    -> (tensor<?x8xf32>, tensor<?x?xf32>) {
  %S = attn.scores %Q, %K scale 1.0 : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %A = attn.softmax %S dimension 1 : tensor<?x?xf32>
  // expected-remark @below {{this attention isn't fused: its pattern is read elsewhere too}}
  %Z = attn.weigh %A, %V : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %Z, %A : tensor<?x8xf32>, tensor<?x?xf32>
}

// A sink is the softmax's, and the fused op's.
// CHECK-LABEL: func.func @sink
// CHECK-SAME: %[[SINK:[^:]+]]: tensor<9x?xf32>
// CHECK: attn.attention %{{.+}}, %{{.+}}, %{{.+}} sink %[[SINK]] scale 1.250000e-01 : tensor<9x?x64xf32>, tensor<3x?x64xf32>, tensor<3x?x64xf32>, tensor<9x?xf32> -> tensor<9x?x64xf32>
func.func @sink(%sink: tensor<9x?xf32>, %Q: tensor<9x?x64xf32>, %K: tensor<3x?x64xf32>) -> tensor<9x?x64xf32> {
  %S = attn.scores %Q, %K scale 0.125 : tensor<9x?x64xf32>, tensor<3x?x64xf32> -> tensor<9x?x?xf32>
  %A = attn.softmax %S sink %sink dimension 2 : tensor<9x?x?xf32>, tensor<9x?xf32>
  %Z = attn.weigh %A, %K : tensor<9x?x?xf32>, tensor<3x?x64xf32> -> tensor<9x?x64xf32>
  return %Z : tensor<9x?x64xf32>
}

// A bias that has an element for each row and key is computed in place, and never stored; a table of heads is read.
// CHECK-LABEL: func.func @computed_bias
// CHECK-SAME: %[[TABLE:[^:]+]]: tensor<9xf32>
// CHECK: attn.attention
// CHECK: ^bb0(%[[S:.+]]: f32, %[[H:.+]]: index, %[[I:.+]]: index, %[[J:.+]]: index):
// CHECK: %[[SLOPE:.+]] = tensor.extract %[[TABLE]][%[[H]]]
// CHECK: %[[DISTANCE:.+]] = arith.subi %[[I]], %[[J]] : index
// CHECK: %[[NUMBER:.+]] = arith.index_cast %[[DISTANCE]] : index to i32
// CHECK: arith.sitofp %[[NUMBER]]
func.func @computed_bias(%table: tensor<9xf32>, %Q: tensor<9x?x64xf32>, %K: tensor<3x?x64xf32>, %square: tensor<?x?xi32>, %all: tensor<9x?x?xf32>) -> tensor<9x?x64xf32> {
  %S = attn.scores %Q, %K scale 0.125 : tensor<9x?x64xf32>, tensor<3x?x64xf32> -> tensor<9x?x?xf32>
  %distance = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%square : tensor<?x?xi32>) {
  ^bb0(%out: i32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %0 = arith.subi %i, %j : index
    %1 = arith.index_cast %0 : index to i32
    linalg.yield %1 : i32
  } -> tensor<?x?xi32>
  %M = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h)>, affine_map<(h, i, j) -> (i, j)>, affine_map<(h, i, j) -> (h, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel"]} ins(%S, %table, %distance : tensor<9x?x?xf32>, tensor<9xf32>, tensor<?x?xi32>) outs(%all : tensor<9x?x?xf32>) {
  ^bb0(%s: f32, %slope: f32, %d: i32, %out: f32):
    %0 = arith.sitofp %d : i32 to f32
    %1 = arith.mulf %slope, %0 : f32
    %2 = arith.subf %s, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<9x?x?xf32>
  %A = attn.softmax %M dimension 2 : tensor<9x?x?xf32>
  %Z = attn.weigh %A, %K : tensor<9x?x?xf32>, tensor<3x?x64xf32> -> tensor<9x?x64xf32>
  return %Z : tensor<9x?x64xf32>
}
