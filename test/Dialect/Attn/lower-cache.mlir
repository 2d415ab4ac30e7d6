// RUN: heed-opt %s -attn-lower-cache | FileCheck %s

// CHECK-LABEL: func.func @heads
// CHECK-SAME: %[[K:.*]]: tensor<3x?x64xf32>, %[[CACHE:.*]]: tensor<30x3x?x64xf32>, %[[L:.*]]: index, %[[PAST:.*]]: index, %[[LENGTH:.*]]: index
func.func @heads(%K: tensor<3x?x64xf32>, %cache: tensor<30x3x?x64xf32>, %l: index, %past: index, %length: index) -> tensor<3x?x64xf32> {
  // CHECK: %[[N:.*]] = tensor.dim %[[K]], %c1
  // CHECK: %[[APPENDED:.*]] = tensor.insert_slice %[[K]] into %[[CACHE]][%[[L]], 0, %[[PAST]], 0] [1, 3, %[[N]], 64] [1, 1, 1, 1]
  // CHECK: tensor.extract_slice %[[APPENDED]][%[[L]], 0, 0, 0] [1, 3, %[[LENGTH]], 64] [1, 1, 1, 1] : tensor<30x3x?x64xf32> to tensor<3x?x64xf32>
  %c = attn.cache_append %K into %cache layer %l at %past : tensor<3x?x64xf32> into tensor<30x3x?x64xf32>
  %all = attn.cache_read %c layer %l length %length : tensor<30x3x?x64xf32> -> tensor<3x?x64xf32>
  return %all : tensor<3x?x64xf32>
}

// CHECK-LABEL: func.func @no_heads
func.func @no_heads(%K: tensor<?x64xf32>, %cache: tensor<30x?x64xf32>, %l: index, %past: index, %length: index) -> tensor<?x64xf32> {
  // CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[%{{.*}}, %{{.*}}, 0] [1, %{{.*}}, 64] [1, 1, 1]
  // CHECK: tensor.extract_slice %{{.*}}[%{{.*}}, 0, 0] [1, %{{.*}}, 64] [1, 1, 1]
  // CHECK-NOT: attn.cache
  %c = attn.cache_append %K into %cache layer %l at %past : tensor<?x64xf32> into tensor<30x?x64xf32>
  %all = attn.cache_read %c layer %l length %length : tensor<30x?x64xf32> -> tensor<?x64xf32>
  return %all : tensor<?x64xf32>
}
