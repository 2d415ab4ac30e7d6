// RUN: heed-opt %s -attn-tile-attention="lanes=32 split-keys" | FileCheck %s

// Queries of a bf16 attention are rounded once a task, as pairs of components; a lone row keeps f32.
// CHECK-LABEL: func.func @pairs
// CHECK-SAME: %[[Q:.+]]: tensor<4x?x32xf32>
// CHECK: attn.online_attention {{.*}} lanes_first : tensor<2x32xf32>,
// CHECK: attn.online_attention {{.*}} : tensor<16x32xbf16>, tensor<?x32xf32>, tensor<?x48xf32>, tensor<16xindex>, tensor<16xindex>, tensor<48x16xf32>,
// Lane by lane, so that a query's address is found once for each half of its components.
// CHECK: %[[PAIRS:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<16x32x2xbf16>)
// CHECK-DAG: %[[PAIR:.+]] = linalg.index 2
// CHECK-DAG: %[[LANE:.+]] = linalg.index 1
// CHECK-DAG: %[[HALF:.+]] = linalg.index 0
// CHECK: %[[EVEN:.+]] = arith.muli %[[PAIR]], %
// CHECK: %[[COMPONENT:.+]] = arith.addi %[[EVEN]], %[[HALF]]
// CHECK: %[[NUMBER:.+]] = tensor.extract %[[Q]][%{{.+}}, %{{.+}}, %[[COMPONENT]]]
// CHECK: arith.truncf %[[NUMBER]] : f32 to bf16
// CHECK: %[[TILE:.+]] = tensor.collapse_shape %[[PAIRS]] {{\[}}[0], [1, 2]] : tensor<16x32x2xbf16> into tensor<16x64xbf16>
// CHECK: attn.online_attention %[[TILE]], {{.*}} : tensor<16x64xbf16>, tensor<?x32xf32>, tensor<?x48xf32>, tensor<32xindex>, tensor<32xindex>, tensor<48x32xf32>,
func.func @pairs(%Q: tensor<4x?x32xf32>, %K: tensor<2x?x32xf32>, %V: tensor<2x?x48xf32>) -> tensor<?x4x48xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.125 rows_first bf16 : tensor<4x?x32xf32>, tensor<2x?x32xf32>, tensor<2x?x48xf32> -> tensor<?x4x48xf32>
  return %Z : tensor<?x4x48xf32>
}
