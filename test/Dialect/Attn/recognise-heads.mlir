// RUN: heed-opt --heed-factor-contractions --attn-recognise %s | FileCheck %s

// The chapter's heads: value-down and value-up factored, every head's update summed. Six query
// heads share two key heads; scores are soft-capped, and a row sees a window of earlier ones.

attn.weight @Wq : !attn.weight<6x4x32, q4_0> tensor "wq"
attn.weight @Wkv : !attn.weight<2x2x4x32, q4_0> tensor "wkv"
attn.weight @Vup : !attn.weight<6x32x4, f32> tensor "vup"

#hkc = affine_map<(h, i, k, c) -> (h, k, c)>
#keys = affine_map<(h, i, k, c) -> (0, h, k, c)>
#values = affine_map<(h, i, k, c) -> (1, h, k, c)>
#ic = affine_map<(h, i, k, c) -> (i, c)>
#hik = affine_map<(h, i, k, c) -> (h, i, k)>
#id = affine_map<(h, i, j) -> (h, i, j)>

// CHECK-LABEL: func.func @heads
// CHECK-SAME: %[[E:.+]]: tensor<?x32xf32>
// CHECK: %[[WQ:.+]] = attn.get_weight @Wq
// CHECK: %[[QROWS:.+]] = attn.project query %[[E]], %[[WQ]]
// CHECK: %[[Q:.+]] = linalg.transpose ins(%[[QROWS]] {{.*}} permutation = [1, 0, 2]
// CHECK: %[[WKV:.+]] = attn.get_weight @Wkv
// CHECK: %[[KV:.+]] = attn.project linear %[[E]], %[[WKV]] : tensor<?x32xf32>, !attn.weight<2x2x4x32, q4_0> -> tensor<?x2x2x4xf32>
// CHECK: %[[KROWS:.+]] = tensor.extract_slice %[[KV]][0, 0, 0, 0] [%{{.+}}, 1, 2, 4] [1, 1, 1, 1] : tensor<?x2x2x4xf32> to tensor<?x2x4xf32>
// CHECK: %[[K:.+]] = linalg.transpose ins(%[[KROWS]] {{.*}} permutation = [1, 0, 2]
// CHECK-NOT: attn.project
// CHECK: %[[VROWS:.+]] = tensor.extract_slice %[[KV]][0, 1, 0, 0]
// CHECK: %[[V:.+]] = linalg.transpose ins(%[[VROWS]] {{.*}} permutation = [1, 0, 2]
// CHECK: %[[S:.+]] = attn.scores %[[Q]], %[[K]] scale 5.000000e-01 : tensor<6x?x4xf32>, tensor<2x?x4xf32> -> tensor<6x?x?xf32>
// CHECK: %[[C:.+]] = linalg.generic {{.*}} ins(%[[S]]
// CHECK: math.tanh
// CHECK: %[[M:.+]] = attn.mask %[[C]]
// CHECK: %[[A:.+]] = attn.softmax %[[M]] dimension 2
// CHECK: %[[Z:.+]] = attn.weigh %[[A]], %[[V]] : tensor<6x?x?xf32>, tensor<2x?x4xf32> -> tensor<6x?x4xf32>
// CHECK: %[[UP:.+]] = attn.get_weight @Vup permuted [1, 0, 2]
// CHECK: %[[ZROWS:.+]] = linalg.transpose ins(%[[Z]] {{.*}} permutation = [1, 0, 2]
// CHECK: %[[DE:.+]] = attn.project output %[[ZROWS]], %[[UP]] contracted 2
// CHECK: return %[[DE]]
func.func @heads(%E: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %cap = arith.constant 30.0 : f32
  %window = arith.constant 16 : index
  %n = tensor.dim %E, %c0 : tensor<?x32xf32>

  %wq = attn.get_weight @Wq : !attn.weight<6x4x32, q4_0>
  %Wq = attn.dequantize %wq : !attn.weight<6x4x32, q4_0> -> tensor<6x4x32xf32>
  %q0 = tensor.empty(%n) : tensor<6x?x4xf32>
  %q1 = linalg.fill ins(%zero : f32) outs(%q0 : tensor<6x?x4xf32>) -> tensor<6x?x4xf32>
  %Q = linalg.generic {indexing_maps = [#hkc, #ic, #hik],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%Wq, %E : tensor<6x4x32xf32>, tensor<?x32xf32>) outs(%q1 : tensor<6x?x4xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<6x?x4xf32>

  %wk = attn.get_weight @Wkv : !attn.weight<2x2x4x32, q4_0>
  %Wk = attn.dequantize %wk : !attn.weight<2x2x4x32, q4_0> -> tensor<2x2x4x32xf32>
  %k0 = tensor.empty(%n) : tensor<2x?x4xf32>
  %k1 = linalg.fill ins(%zero : f32) outs(%k0 : tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
  %K = linalg.generic {indexing_maps = [#keys, #ic, #hik],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%Wk, %E : tensor<2x2x4x32xf32>, tensor<?x32xf32>) outs(%k1 : tensor<2x?x4xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x?x4xf32>

  %wv = attn.get_weight @Wkv : !attn.weight<2x2x4x32, q4_0>
  %Wv = attn.dequantize %wv : !attn.weight<2x2x4x32, q4_0> -> tensor<2x2x4x32xf32>
  %v0 = tensor.empty(%n) : tensor<2x?x4xf32>
  %v1 = linalg.fill ins(%zero : f32) outs(%v0 : tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
  %V = linalg.generic {indexing_maps = [#values, #ic, #hik],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%Wv, %E : tensor<2x2x4x32xf32>, tensor<?x32xf32>) outs(%v1 : tensor<2x?x4xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x?x4xf32>

  %s0 = tensor.empty(%n, %n) : tensor<6x?x?xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<6x?x?xf32>) -> tensor<6x?x?xf32>
  %S = linalg.generic {indexing_maps = [affine_map<(h, i, j, k) -> (h, i, k)>,
                                        affine_map<(h, i, j, k) -> (h floordiv 3, j, k)>,
                                        affine_map<(h, i, j, k) -> (h, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%Q, %K : tensor<6x?x4xf32>, tensor<2x?x4xf32>) outs(%s1 : tensor<6x?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.mulf %0, %half : f32
    %2 = arith.addf %acc, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<6x?x?xf32>
  %C = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%S : tensor<6x?x?xf32>) outs(%s0 : tensor<6x?x?xf32>) {
  ^bb0(%s: f32, %out: f32):
    %0 = arith.divf %s, %cap : f32
    %1 = math.tanh %0 : f32
    %2 = arith.mulf %cap, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<6x?x?xf32>
  %M = attn.mask %C : tensor<6x?x?xf32> {
  ^bb0(%h: index, %i: index, %j: index):
    %0 = arith.cmpi sle, %j, %i : index
    %1 = arith.subi %i, %j : index
    %2 = arith.cmpi slt, %1, %window : index
    %3 = arith.andi %0, %2 : i1
    attn.yield %3 : i1
  }
  %A = attn.softmax %M dimension 2 : tensor<6x?x?xf32>

  %up = attn.get_weight @Vup : !attn.weight<6x32x4, f32>
  %Vup = attn.dequantize %up : !attn.weight<6x32x4, f32> -> tensor<6x32x4xf32>
  %d0 = tensor.empty(%n) : tensor<?x32xf32>
  %d1 = linalg.fill ins(%zero : f32) outs(%d0 : tensor<?x32xf32>) -> tensor<?x32xf32>
  %dE = linalg.generic {indexing_maps = [affine_map<(i, e, h, k, j) -> (h, e, k)>,
                                         affine_map<(i, e, h, k, j) -> (h, i, j)>,
                                         affine_map<(i, e, h, k, j) -> (h floordiv 3, j, k)>,
                                         affine_map<(i, e, h, k, j) -> (i, e)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%Vup, %A, %V : tensor<6x32x4xf32>, tensor<6x?x?xf32>, tensor<2x?x4xf32>)
      outs(%d1 : tensor<?x32xf32>) {
  ^bb0(%u: f32, %a: f32, %v: f32, %acc: f32):
    %0 = arith.mulf %u, %a : f32
    %1 = arith.mulf %0, %v : f32
    %2 = arith.addf %acc, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<?x32xf32>
  return %dE : tensor<?x32xf32>
}
