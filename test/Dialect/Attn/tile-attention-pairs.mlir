// RUN: heed-opt %s -attn-tile-attention="lanes=32 split-keys" | FileCheck %s

// Keys and values of a bf16 attention are rounded once, before its tasks, and queries in each, as pairs of components, times
// scale * log2(e). A lone row keeps f32, and gets no room for rounded keys.
// CHECK-LABEL: func.func @pairs
// CHECK-SAME: %[[Q:.+]]: tensor<4x?x32xf32>, %[[K:.+]]: tensor<2x?x32xf32>, %[[V:.+]]: tensor<2x?x48xf32>
// CHECK: %[[KEYS:.+]] = tensor.dim %[[K]]
// CHECK: %[[IS_LONE:.+]] = arith.cmpi eq
// CHECK: %[[END:.+]] = arith.select %[[IS_LONE]], %{{.+}}, %[[KEYS]]
// CHECK: %[[ROOM:.+]] = tensor.empty(%{{.+}}) : tensor<2x?x32xbf16>
// CHECK: %[[PAIRS_ROOM:.+]] = tensor.empty(%{{.+}}) : tensor<2x?x96xbf16>
// CHECK: attn.online_attention {{.*}} lanes_first : tensor<2x32xf32>,
// CHECK: scf.forall {{.*}} shared_outs(%{{.+}} = %[[ROOM]])
// CHECK: tensor.extract_slice %[[K]]
// CHECK: arith.truncf
// CHECK: %[[VALUES:.+]] = scf.forall {{.*}} shared_outs(%{{.+}} = %[[PAIRS_ROOM]])
// CHECK: attn.pair_rows
// CHECK: attn.online_attention {{.*}} scale 0.693147{{.*}} : tensor<16x32xbf16>, tensor<?x32xbf16>, tensor<?x96xbf16>, tensor<16xindex>, tensor<16xindex>, tensor<48x16xf32>,
// Read as they lie, lane by lane; then lanes and pairs change places.
// CHECK: %[[ROWS:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<32x32xf32>)
// CHECK: %[[COMPONENT:.+]] = linalg.index 1
// CHECK: tensor.extract %[[Q]][%{{.+}}, %{{.+}}, %[[COMPONENT]]]
// CHECK: arith.mulf
// CHECK: %[[NARROW:.+]] = linalg.generic {{.*}} ins(%[[ROWS]] : tensor<32x32xf32>) outs(%{{.+}} : tensor<32x32xbf16>)
// CHECK: arith.truncf %{{.+}} : f32 to bf16
// CHECK: %[[PAIRS:.+]] = tensor.expand_shape %[[NARROW]] {{\[}}[0], [1, 2]] output_shape [32, 16, 2]
// CHECK: %[[MOVED:.+]] = linalg.transpose ins(%[[PAIRS]] : tensor<32x16x2xbf16>) outs(%{{.+}} : tensor<16x32x2xbf16>) permutation = [1, 0, 2]
// CHECK: %[[TILE:.+]] = tensor.collapse_shape %[[MOVED]] {{\[}}[0], [1, 2]] : tensor<16x32x2xbf16> into tensor<16x64xbf16>
// CHECK: attn.online_attention %[[TILE]], {{.*}} : tensor<16x64xbf16>, tensor<?x32xbf16>, tensor<?x96xbf16>, tensor<32xindex>, tensor<32xindex>, tensor<48x32xf32>,
// Of more rows than 32 lanes hold twice as many share what is read of keys and values.
// CHECK: attn.online_attention {{.*}} : tensor<16x128xbf16>, tensor<?x32xbf16>, tensor<?x96xbf16>, tensor<64xindex>, tensor<64xindex>, tensor<48x64xf32>,
// CHECK-NOT: attn.online_attention
func.func @pairs(%Q: tensor<4x?x32xf32>, %K: tensor<2x?x32xf32>, %V: tensor<2x?x48xf32>) -> tensor<?x4x48xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.125 rows_first bf16 : tensor<4x?x32xf32>, tensor<2x?x32xf32>, tensor<2x?x48xf32> -> tensor<?x4x48xf32>
  return %Z : tensor<?x4x48xf32>
}
