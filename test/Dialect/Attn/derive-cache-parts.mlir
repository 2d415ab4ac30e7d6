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

// A cache has no batch: groups of heads are cached as heads.
// CHECK-LABEL: func.func @groups
// CHECK-SAME: %[[CACHE:[^:]+]]: tensor<1x2x?x4xf32> {heed.arg = "cache"
// CHECK: %[[FLAT:.+]] = tensor.collapse_shape %{{.+}} {{\[\[0, 1\], \[2\], \[3\]\]}} : tensor<2x1x?x4xf32> into tensor<2x?x4xf32>
// CHECK: attn.cache_append %[[FLAT]] into %[[CACHE]]
// CHECK: %[[ALL:.+]] = attn.cache_read {{.*}} -> tensor<2x?x4xf32>
// CHECK: %[[K:.+]] = tensor.expand_shape %[[ALL]] {{.*}} into tensor<2x1x?x4xf32>
// CHECK: attn.scores %{{.+}}, %[[K]]
func.func @groups(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %table = attn.get_weight @embed : !attn.weight<32x8, f32>
  %X = attn.embed %tokens, %table : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %rows = tensor.expand_shape %X [[0], [1, 2, 3]] output_shape [%n, 2, 1, 4] : tensor<?x8xf32> into tensor<?x2x1x4xf32>
  %e = tensor.empty(%n) : tensor<2x1x?x4xf32>
  %K = linalg.transpose ins(%rows : tensor<?x2x1x4xf32>) outs(%e : tensor<2x1x?x4xf32>) permutation = [1, 2, 0, 3]
  %S = attn.scores %K, %K scale 1.0 : tensor<2x1x?x4xf32>, tensor<2x1x?x4xf32> -> tensor<2x1x?x?xf32>
  %M = attn.mask %S : tensor<2x1x?x?xf32> {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %visible = arith.cmpi sle, %j, %i : index
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 3 : tensor<2x1x?x?xf32>
  %Z = attn.weigh %A, %K : tensor<2x1x?x?xf32>, tensor<2x1x?x4xf32> -> tensor<2x1x?x4xf32>
  %er = tensor.empty(%n) : tensor<?x2x1x4xf32>
  %z = linalg.transpose ins(%Z : tensor<2x1x?x4xf32>) outs(%er : tensor<?x2x1x4xf32>) permutation = [2, 0, 1, 3]
  %y = tensor.collapse_shape %z [[0], [1, 2, 3]] : tensor<?x2x1x4xf32> into tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
