// RUN: heed-opt %s -attn-absorb-projections | FileCheck %s
attn.weight @embed : !attn.weight<32x24, f32> tensor "embed"
attn.weight @Wq : !attn.weight<4x16x24, f32> tensor "q"
attn.weight @Wc : !attn.weight<12x24, f32> tensor "c"
attn.weight @Wuk : !attn.weight<4x16x12, f32> tensor "uk"
attn.weight @Wuv : !attn.weight<4x8x12, f16> tensor "uv"
attn.weight @Wo : !attn.weight<24x4x8, f32> tensor "o"

// Keys' matrices go to the queries, values' to what was weighed; both read the latents, which all
// heads share.
// CHECK-LABEL: func.func @latent
// CHECK: %[[QROWS:.+]] = attn.project query {{.*}} -> tensor<?x4x16xf32>
// CHECK: %[[C:.+]] = attn.project linear {{.*}} -> tensor<?x12xf32>
// CHECK: %[[C1:.+]] = tensor.expand_shape %[[C]] {{\[\[0, 1\], \[2\]\]}} {{.*}} into tensor<1x?x12xf32>
// CHECK-NOT: attn.project {{key|value}}
// CHECK: %[[WUV:.+]] = attn.get_weight @Wuv : !attn.weight<4x8x12, f16>
// CHECK: %[[T:.+]] = attn.get_weight @Wuk permuted [0, 2, 1] : !attn.weight<4x12x16, f32>
// CHECK: %[[QC:.+]] = attn.project query %[[QROWS]], %[[T]] per_head : {{.*}} -> tensor<?x4x12xf32>
// CHECK: %[[QCT:.+]] = linalg.transpose ins(%[[QC]] {{.*}} permutation = [1, 0, 2]
// CHECK: attn.scores %[[QCT]], %[[C1]] scale 2.500000e-01
// CHECK: %[[ZC:.+]] = attn.weigh %{{.+}}, %[[C1]] : {{.*}} -> tensor<4x?x12xf32>
// CHECK: %[[ZROWS:.+]] = linalg.transpose ins(%[[ZC]] {{.*}} permutation = [1, 0, 2]
// CHECK: %[[Z:.+]] = attn.project output %[[ZROWS]], %[[WUV]] per_head : {{.*}} -> tensor<?x4x8xf32>
// CHECK: attn.project output %[[Z]], %{{.+}} contracted 2
func.func @latent(%tokens: tensor<?xi32>) -> tensor<?x24xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %table = attn.get_weight @embed : !attn.weight<32x24, f32>
  %X = attn.embed %tokens, %table : tensor<?xi32>, !attn.weight<32x24, f32> -> tensor<?x24xf32>
  %Wq = attn.get_weight @Wq : !attn.weight<4x16x24, f32>
  %q = attn.project query %X, %Wq : tensor<?x24xf32>, !attn.weight<4x16x24, f32> -> tensor<?x4x16xf32>
  %e = tensor.empty(%n) : tensor<4x?x16xf32>
  %Q = linalg.transpose ins(%q : tensor<?x4x16xf32>) outs(%e : tensor<4x?x16xf32>) permutation = [1, 0, 2]
  %Wc = attn.get_weight @Wc : !attn.weight<12x24, f32>
  %C = attn.project linear %X, %Wc : tensor<?x24xf32>, !attn.weight<12x24, f32> -> tensor<?x12xf32>
  %Wuk = attn.get_weight @Wuk : !attn.weight<4x16x12, f32>
  %k = attn.project key %C, %Wuk : tensor<?x12xf32>, !attn.weight<4x16x12, f32> -> tensor<?x4x16xf32>
  %K = linalg.transpose ins(%k : tensor<?x4x16xf32>) outs(%e : tensor<4x?x16xf32>) permutation = [1, 0, 2]
  %Wuv = attn.get_weight @Wuv : !attn.weight<4x8x12, f16>
  %v = attn.project value %C, %Wuv : tensor<?x12xf32>, !attn.weight<4x8x12, f16> -> tensor<?x4x8xf32>
  %ev = tensor.empty(%n) : tensor<4x?x8xf32>
  %V = linalg.transpose ins(%v : tensor<?x4x8xf32>) outs(%ev : tensor<4x?x8xf32>) permutation = [1, 0, 2]
  %S = attn.scores %Q, %K scale 0.25 : tensor<4x?x16xf32>, tensor<4x?x16xf32> -> tensor<4x?x?xf32>
  %M = attn.mask %S : tensor<4x?x?xf32> {
  ^bb0(%h: index, %i: index, %j: index):
    %visible = arith.cmpi sle, %j, %i : index
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 2 : tensor<4x?x?xf32>
  %Z = attn.weigh %A, %V : tensor<4x?x?xf32>, tensor<4x?x8xf32> -> tensor<4x?x8xf32>
  %er = tensor.empty(%n) : tensor<?x4x8xf32>
  %z = linalg.transpose ins(%Z : tensor<4x?x8xf32>) outs(%er : tensor<?x4x8xf32>) permutation = [1, 0, 2]
  %Wo = attn.get_weight @Wo : !attn.weight<24x4x8, f32>
  %Y = attn.project output %z, %Wo contracted 2 : tensor<?x4x8xf32>, !attn.weight<24x4x8, f32> -> tensor<?x24xf32>
  return %Y : tensor<?x24xf32>
}

// Where no cache is derived, each key is computed once and read by all rows.
// CHECK-LABEL: func.func @whole
// CHECK-COUNT-2: attn.project {{key|value}}
// CHECK-NOT: per_head
func.func @whole(%C: tensor<?x12xf32>, %Q: tensor<4x?x16xf32>) -> tensor<4x?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %C, %c0 : tensor<?x12xf32>
  %e = tensor.empty(%n) : tensor<4x?x16xf32>
  %Wuk = attn.get_weight @Wuk : !attn.weight<4x16x12, f32>
  %k = attn.project key %C, %Wuk : tensor<?x12xf32>, !attn.weight<4x16x12, f32> -> tensor<?x4x16xf32>
  %K = linalg.transpose ins(%k : tensor<?x4x16xf32>) outs(%e : tensor<4x?x16xf32>) permutation = [1, 0, 2]
  %Wuv = attn.get_weight @Wuv : !attn.weight<4x8x12, f16>
  %v = attn.project value %C, %Wuv : tensor<?x12xf32>, !attn.weight<4x8x12, f16> -> tensor<?x4x8xf32>
  %ev = tensor.empty(%n) : tensor<4x?x8xf32>
  %V = linalg.transpose ins(%v : tensor<?x4x8xf32>) outs(%ev : tensor<4x?x8xf32>) permutation = [1, 0, 2]
  %S = attn.scores %Q, %K scale 0.25 : tensor<4x?x16xf32>, tensor<4x?x16xf32> -> tensor<4x?x?xf32>
  %A = attn.softmax %S dimension 2 : tensor<4x?x?xf32>
  %Z = attn.weigh %A, %V : tensor<4x?x?xf32>, tensor<4x?x8xf32> -> tensor<4x?x8xf32>
  return %Z : tensor<4x?x8xf32>
}

// Keys that are turned keep their heads, and so must the values.
// CHECK-LABEL: func.func @turned
// CHECK-NOT: expand_shape
// CHECK: attn.scores {{.*}} : tensor<4x?x16xf32>, tensor<4x?x16xf32>
// CHECK: attn.weigh {{.*}} : tensor<4x?x?xf32>, tensor<4x?x8xf32>
func.func @turned(%tokens: tensor<?xi32>) -> tensor<?x24xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %table = attn.get_weight @embed : !attn.weight<32x24, f32>
  %X = attn.embed %tokens, %table : tensor<?xi32>, !attn.weight<32x24, f32> -> tensor<?x24xf32>
  %Wc = attn.get_weight @Wc : !attn.weight<12x24, f32>
  %C = attn.project linear %X, %Wc : tensor<?x24xf32>, !attn.weight<12x24, f32> -> tensor<?x12xf32>
  %Wuk = attn.get_weight @Wuk : !attn.weight<4x16x12, f32>
  %k = attn.project key %C, %Wuk : tensor<?x12xf32>, !attn.weight<4x16x12, f32> -> tensor<?x4x16xf32>
  %e = tensor.empty(%n) : tensor<4x?x16xf32>
  %K = linalg.transpose ins(%k : tensor<?x4x16xf32>) outs(%e : tensor<4x?x16xf32>) permutation = [1, 0, 2]
  %T = math.cos %K : tensor<4x?x16xf32>
  %Wuv = attn.get_weight @Wuv : !attn.weight<4x8x12, f16>
  %v = attn.project value %C, %Wuv : tensor<?x12xf32>, !attn.weight<4x8x12, f16> -> tensor<?x4x8xf32>
  %ev = tensor.empty(%n) : tensor<4x?x8xf32>
  %V = linalg.transpose ins(%v : tensor<?x4x8xf32>) outs(%ev : tensor<4x?x8xf32>) permutation = [1, 0, 2]
  %S = attn.scores %K, %T scale 0.25 : tensor<4x?x16xf32>, tensor<4x?x16xf32> -> tensor<4x?x?xf32>
  %M = attn.mask %S : tensor<4x?x?xf32> {
  ^bb0(%h: index, %i: index, %j: index):
    %visible = arith.cmpi sle, %j, %i : index
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 2 : tensor<4x?x?xf32>
  %Z = attn.weigh %A, %V : tensor<4x?x?xf32>, tensor<4x?x8xf32> -> tensor<4x?x8xf32>
  %er = tensor.empty(%n) : tensor<?x4x8xf32>
  %z = linalg.transpose ins(%Z : tensor<4x?x8xf32>) outs(%er : tensor<?x4x8xf32>) permutation = [1, 0, 2]
  %Wo = attn.get_weight @Wo : !attn.weight<24x4x8, f32>
  %Y = attn.project output %z, %Wo contracted 2 : tensor<?x4x8xf32>, !attn.weight<24x4x8, f32> -> tensor<?x24xf32>
  return %Y : tensor<?x24xf32>
}
