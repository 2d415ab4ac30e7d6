// RUN: heed-opt %s -attn-derive-cache="required" | FileCheck %s
attn.weight @embed : !attn.weight<32x8, f32> tensor "embed"

// Values that are some components of the keys are read from the keys' cache: there is one.
// CHECK-LABEL: func.func @part
// CHECK-SAME: %[[TOKENS:[^:]+]]: tensor<?xi32> {{.*}}, %[[CACHE:[^:]+]]: tensor<1x1x?x12xf32> {heed.arg = "cache", heed.name = "K"})
// CHECK-SAME: -> (tensor<?x8xf32>, tensor<1x1x?x12xf32>)
// CHECK: %[[LENGTH:.+]] = arith.addi
// CHECK: %[[K:.+]] = tensor.concat dim(2)
// CHECK: %[[STORED:.+]] = attn.cache_append %[[K]] into %[[CACHE]]
// CHECK: %[[ALL:.+]] = attn.cache_read %[[STORED]] {{.*}} length %[[LENGTH]]
// CHECK: %[[V:.+]] = tensor.extract_slice %[[ALL]][0, 0, 0] [1, %[[LENGTH]], 8] [1, 1, 1] : tensor<1x?x12xf32> to tensor<1x?x8xf32>
// CHECK: attn.scores %{{.+}}, %[[ALL]]
// CHECK: attn.weigh %{{.+}}, %[[V]]
func.func @part(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %table = attn.get_weight @embed : !attn.weight<32x8, f32>
  %X = attn.embed %tokens, %table : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %C = tensor.expand_shape %X [[0, 1], [2]] output_shape [1, %n, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %R = tensor.extract_slice %C[0, 0, 2] [1, %n, 4] [1, 1, 1] : tensor<1x?x8xf32> to tensor<1x?x4xf32>
  %K = tensor.concat dim(2) %C, %R : (tensor<1x?x8xf32>, tensor<1x?x4xf32>) -> tensor<1x?x12xf32> loc("K")
  %V = tensor.extract_slice %K[0, 0, 0] [1, %n, 8] [1, 1, 1] : tensor<1x?x12xf32> to tensor<1x?x8xf32>
  %S = attn.scores %K, %K scale 1.0 : tensor<1x?x12xf32>, tensor<1x?x12xf32> -> tensor<1x?x?xf32>
  %M = attn.mask %S : tensor<1x?x?xf32> {
  ^bb0(%h: index, %i: index, %j: index):
    %visible = arith.cmpi sle, %j, %i : index
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 2 : tensor<1x?x?xf32>
  %Z = attn.weigh %A, %V : tensor<1x?x?xf32>, tensor<1x?x8xf32> -> tensor<1x?x8xf32>
  %e = tensor.collapse_shape %Z [[0, 1], [2]] : tensor<1x?x8xf32> into tensor<?x8xf32>
  return %e : tensor<?x8xf32>
}
