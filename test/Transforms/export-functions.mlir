// RUN: heed-opt %s -heed-export-functions | FileCheck %s
// RUN: heed-opt %s -attn-lower-cache -heed-export-functions -one-shot-bufferize="bufferize-function-boundaries" -canonicalize -cse | FileCheck %s --check-prefix=MEMORY

// CHECK-LABEL: func.func @step
// CHECK-SAME: %[[X:.*]]: memref<?x4xf32> {heed.arg = "param", heed.name = "x"}, %{{.*}}: index {heed.arg = "past"}, %{{.*}}: index {heed.arg = "first"},
// CHECK-SAME: %[[CACHE:.*]]: memref<2x1x?x4xf32> {heed.arg = "cache", heed.name = "K"},
// CHECK-SAME: %[[OUT:.*]]: memref<?x4xf32> {heed.arg = "result", heed.name = "step"})
// CHECK-SAME: attributes {heed.kind = "step"}

// The cache is written where it lies: no copy and no allocation of its size.
// MEMORY-LABEL: func.func @step
// MEMORY-SAME: %[[CACHE:[^ ]*]]: memref<2x1x?x4xf32> {heed.arg = "cache"
// MEMORY-NOT: alloc{{.*}}memref<2x1
// MEMORY-NOT: memref.copy {{.*}} to memref<2x1
// MEMORY: scf.for %[[L:.*]] =
// MEMORY: %[[ROWS:.*]] = memref.subview %[[CACHE]][%[[L]], 0, %{{.*}}, 0]
// MEMORY: memref.copy %{{.*}}, %[[ROWS]]
// MEMORY: %[[ALL:.*]] = memref.subview %[[CACHE]][%[[L]], 0, 0, 0]
// MEMORY: linalg.generic {{.*}} ins(%[[ALL]] :
// MEMORY-NOT: alloc{{.*}}memref<2x1
// MEMORY-NOT: memref.copy {{.*}} to memref<2x1
// MEMORY: return{{$}}
func.func @step(%x: tensor<?x4xf32> {heed.arg = "param", heed.name = "x"}, %past: index {heed.arg = "past"}, %first: index {heed.arg = "first"}, %cache: tensor<2x1x?x4xf32> {heed.arg = "cache", heed.name = "K"}) -> (tensor<?x4xf32>, tensor<2x1x?x4xf32>) attributes {heed.kind = "step"} {
  // CHECK-DAG: bufferization.to_tensor %[[X]] restrict : memref<?x4xf32>
  // CHECK-DAG: bufferization.to_tensor %[[CACHE]] restrict writable : memref<2x1x?x4xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %length = arith.addi %past, %n : index
  %r:2 = scf.for %l = %c0 to %c2 step %c1 iter_args(%E = %x, %c = %cache) -> (tensor<?x4xf32>, tensor<2x1x?x4xf32>) {
    %K = tensor.expand_shape %E [[0, 1], [2]] output_shape [1, %n, 4] : tensor<?x4xf32> into tensor<1x?x4xf32>
    %appended = attn.cache_append %K into %c layer %l at %past : tensor<1x?x4xf32> into tensor<2x1x?x4xf32>
    %all = attn.cache_read %appended layer %l length %length : tensor<2x1x?x4xf32> -> tensor<1x?x4xf32>
    %se = tensor.empty() : tensor<4xf32>
    %sf = linalg.fill ins(%zero : f32) outs(%se : tensor<4xf32>) -> tensor<4xf32>
    %s = linalg.generic {indexing_maps = [affine_map<(k, g, j) -> (g, j, k)>, affine_map<(k, g, j) -> (k)>], iterator_types = ["parallel", "reduction", "reduction"]}
        ins(%all : tensor<1x?x4xf32>) outs(%sf : tensor<4xf32>) {
    ^bb0(%k: f32, %acc: f32):
      %a = arith.addf %k, %acc : f32
      linalg.yield %a : f32
    } -> tensor<4xf32>
    %next = linalg.generic {indexing_maps = [affine_map<(i, k) -> (k)>, affine_map<(i, k) -> (i, k)>], iterator_types = ["parallel", "parallel"]}
        ins(%s : tensor<4xf32>) outs(%E : tensor<?x4xf32>) {
    ^bb0(%b: f32, %a: f32):
      %sum = arith.addf %a, %b : f32
      linalg.yield %sum : f32
    } -> tensor<?x4xf32>
    scf.yield %next, %appended : tensor<?x4xf32>, tensor<2x1x?x4xf32>
  }
  %asked = arith.subi %n, %first : index
  %rows = tensor.extract_slice %r#0[%first, 0] [%asked, 4] [1, 1] : tensor<?x4xf32> to tensor<?x4xf32>
  // CHECK: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[OUT]]
  // CHECK: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[CACHE]]
  // CHECK: return{{$}}
  return %rows, %r#1 : tensor<?x4xf32>, tensor<2x1x?x4xf32>
}

// CHECK-LABEL: func.func @plain
// CHECK-SAME: memref<?x4xf32> {heed.arg = "param"}, %[[A:.*]]: memref<?xf32> {heed.arg = "result", heed.name = "plain0"}, %[[B:.*]]: memref<?x4xf32> {heed.arg = "result", heed.name = "out"})
// CHECK-SAME: attributes {heed.kind = "plain"}
func.func @plain(%x: tensor<?x4xf32>) -> (tensor<?xf32>, tensor<?x4xf32> {heed.name = "out"}) {
  // CHECK: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[A]]
  // CHECK: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[B]]
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %column = tensor.extract_slice %x[0, 0] [%n, 1] [1, 1] : tensor<?x4xf32> to tensor<?xf32>
  return %column, %x : tensor<?xf32>, tensor<?x4xf32>
}

// Of several run-time sizes, heed.shape says which one an axis has: size number s is -1 - s.
// CHECK-LABEL: func.func @two_lengths
// CHECK-SAME: memref<?x4xf32> {heed.arg = "param", heed.dims = array<i64: -2, 4>, heed.name = "y"}
// CHECK-SAME: memref<?x4xf32> {heed.arg = "param", heed.dims = array<i64: -1, 4>, heed.name = "x"}
// CHECK-SAME: memref<?x4xf32> {heed.arg = "result", heed.dims = array<i64: -2, 4>, heed.name = "two_lengths"}
func.func @two_lengths(%y: tensor<?x4xf32> {heed.name = "y", heed.shape = ["m", "4"]}, %x: tensor<?x4xf32> {heed.name = "x", heed.shape = ["n", "4"]})
    -> (tensor<?x4xf32> {heed.shape = ["m", "4"]}) attributes {heed.sizes = ["n", "m"]} {
  return %y : tensor<?x4xf32>
}
