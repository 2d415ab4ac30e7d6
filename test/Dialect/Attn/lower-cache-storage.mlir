// RUN: heed-opt %s -split-input-file -attn-lower-cache | FileCheck %s

// Rows that go into a ring are two slices, before its end and from its beginning.
// CHECK-LABEL: func.func @append_to_ring
// CHECK-SAME: %[[K:.*]]: tensor<?x8xf32>, %[[CACHE:.*]]: tensor<4x128x8xf32>, %[[L:.*]]: index, %[[PAST:.*]]: index
func.func @append_to_ring(%K: tensor<?x8xf32>, %cache: tensor<4x128x8xf32>, %l: index, %past: index) -> tensor<4x128x8xf32> {
  // CHECK: %[[N:.*]] = tensor.dim %[[K]]
  // CHECK: %[[FIRST:.*]] = arith.remui %[[PAST]], %c128
  // CHECK: %[[ROOM:.*]] = arith.subi %c128{{.*}}, %[[FIRST]]
  // CHECK: %[[HEAD:.*]] = arith.minui %[[N]], %[[ROOM]]
  // CHECK: %[[REST:.*]] = arith.subi %[[N]], %[[HEAD]]
  // CHECK: %[[BEFORE:.*]] = tensor.insert_slice %{{.*}} into %[[CACHE]][%[[L]], %[[FIRST]], 0] [1, %[[HEAD]], 8]
  // CHECK: tensor.insert_slice %{{.*}} into %[[BEFORE]][%[[L]], 0, 0] [1, %[[REST]], 8]
  %c = attn.cache_append %K into %cache layer %l at %past : tensor<?x8xf32> into tensor<4x128x8xf32>
  return %c : tensor<4x128x8xf32>
}

// -----

// CHECK-LABEL: func.func @append_f16
func.func @append_f16(%K: tensor<?x8xf32>, %cache: tensor<4x?x8xf16>, %l: index, %past: index) -> tensor<4x?x8xf16> {
  // CHECK: %[[STORED:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<?x8xf16>)
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  // CHECK: tensor.insert_slice %[[STORED]] into
  %c = attn.cache_append %K into %cache layer %l at %past : tensor<?x8xf32> into tensor<4x?x8xf16>
  return %c : tensor<4x?x8xf16>
}

// -----

// CHECK-LABEL: func.func @append_i8
func.func @append_i8(%K: tensor<3x?x8xf32>, %cache: tensor<4x3x?x8xi8>, %scales: tensor<4x3x?x1xf32>, %l: index, %past: index) -> (tensor<4x3x?x8xi8>, tensor<4x3x?x1xf32>) {
  // CHECK: %[[LARGEST:.*]] = linalg.generic {{.*}}"reduction"{{.*}} outs(%{{.*}} : tensor<3x?x1xi32>)
  // CHECK: arith.maxui
  // CHECK: %[[SCALES:.*]] = linalg.generic {{.*}} ins(%[[LARGEST]] : tensor<3x?x1xi32>)
  // CHECK: %[[STORED:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[LARGEST]] : {{.*}}) outs(%{{.*}} : tensor<3x?x8xi8>)
  // CHECK: math.roundeven
  // CHECK: tensor.insert_slice %[[STORED]]
  // CHECK: tensor.insert_slice %[[SCALES]]
  %c, %s = attn.cache_append %K into %cache scales %scales layer %l at %past : tensor<3x?x8xf32> into tensor<4x3x?x8xi8>, tensor<4x3x?x1xf32>
  return %c, %s : tensor<4x3x?x8xi8>, tensor<4x3x?x1xf32>
}

// -----

// A tile at a multiple of its length lies in one piece of the ring, and is read there.
// CHECK-LABEL: func.func @aligned_tiles
func.func @aligned_tiles(%cache: tensor<4x3x128x8xf32>, %l: index, %g: index, %length: index, %lo: index, %hi: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  %all = attn.cache_read %cache layer %l length %length : tensor<4x3x128x8xf32> -> tensor<3x?x8xf32>
  %offset = arith.remui %lo, %c32 : index
  %begin = arith.subi %lo, %offset : index
  // CHECK: scf.for %[[J:[a-z0-9]*]] =
  %r = scf.for %j = %begin to %hi step %c32 iter_args(%s = %zero) -> f32 {
    %rest = arith.subi %hi, %j : index
    %count = arith.minsi %rest, %c32 : index
    // CHECK: %[[PLACE:.*]] = arith.remui %[[J]], %c128
    // CHECK: tensor.extract_slice %{{.*}}[%{{.*}}, %{{.*}}, %[[PLACE]], 0] [1, 1, %{{.*}}, 8] {{.*}} : tensor<4x3x128x8xf32> to tensor<?x8xf32>
    // CHECK-NOT: linalg.generic
    %k = tensor.extract_slice %all[%g, %j, 0] [1, %count, 8] [1, 1, 1] : tensor<3x?x8xf32> to tensor<?x8xf32>
    %x = tensor.extract %k[%c0, %c0] : tensor<?x8xf32>
    %t = arith.addf %s, %x : f32
    scf.yield %t : f32
  }
  return %r : f32
}

// -----

// So does what bounds leave of such a tile.
// CHECK-LABEL: func.func @bounded_tiles
func.func @bounded_tiles(%cache: tensor<4x3x128x8xf32>, %l: index, %g: index, %length: index, %lo: index, %hi: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  %all = attn.cache_read %cache layer %l length %length : tensor<4x3x128x8xf32> -> tensor<3x?x8xf32>
  %tile = arith.divui %lo, %c32 : index
  %begin = arith.muli %tile, %c32 : index
  %r = scf.for %j = %begin to %hi step %c32 iter_args(%s = %zero) -> f32 {
    %first = arith.maxsi %j, %lo : index
    %next = arith.addi %j, %c32 : index
    %end = arith.minsi %next, %hi : index
    %count = arith.subi %end, %first : index
    // CHECK: %[[PLACE:.*]] = arith.remui %{{.*}}, %c128
    // CHECK-NEXT: tensor.extract_slice %{{.*}}[%{{.*}}, %{{.*}}, %[[PLACE]], 0]
    %k = tensor.extract_slice %all[%g, %first, 0] [1, %count, 8] [1, 1, 1] : tensor<3x?x8xf32> to tensor<?x8xf32>
    %x = tensor.extract %k[%c0, %c0] : tensor<?x8xf32>
    %t = arith.addf %s, %x : f32
    scf.yield %t : f32
  }
  return %r : f32
}

// -----

// Elsewhere each row is looked up.
// CHECK-LABEL: func.func @unaligned_tile
// CHECK-SAME: %[[CACHE:.*]]: tensor<4x3x128x8xf32>, %[[L:[a-z0-9]*]]: index, %[[G:[a-z0-9]*]]: index, %{{[a-z0-9]*}}: index, %[[J:[a-z0-9]*]]: index, %{{[a-z0-9]*}}: index)
func.func @unaligned_tile(%cache: tensor<4x3x128x8xf32>, %l: index, %g: index, %length: index, %j: index, %count: index) -> tensor<?x8xf32> {
  %all = attn.cache_read %cache layer %l length %length : tensor<4x3x128x8xf32> -> tensor<3x?x8xf32>
  // CHECK: linalg.generic
  // CHECK: %[[ROW:.*]] = arith.addi %[[J]], %{{.*}}
  // CHECK: %[[PLACE:.*]] = arith.remui %[[ROW]], %c128
  // CHECK: tensor.extract %[[CACHE]][%[[L]], %{{.*}}, %[[PLACE]], %{{.*}}]
  %k = tensor.extract_slice %all[%g, %j, 0] [1, %count, 8] [1, 1, 1] : tensor<3x?x8xf32> to tensor<?x8xf32>
  return %k : tensor<?x8xf32>
}

// -----

// What is narrower is widened into a buffer that serves every tile, with its row's scale.
// CHECK-LABEL: func.func @widened
func.func @widened(%cache: tensor<4x3x?x8xi8>, %scales: tensor<4x3x?x1xf32>, %l: index, %g: index, %length: index, %j: index) -> (tensor<?x8xf32>, index) {
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %all = attn.cache_read %cache scales %scales layer %l length %length : tensor<4x3x?x8xi8>, tensor<4x3x?x1xf32> -> tensor<3x?x8xf32>
  %rows = tensor.dim %all, %c1 : tensor<3x?x8xf32>
  %count = arith.minsi %rows, %c32 : index
  // CHECK: tensor.empty() : tensor<32x8xf32>
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<?x8xi8>, tensor<?x1xf32>) outs(%{{.*}} : tensor<?x8xf32>)
  // CHECK: arith.sitofp
  // CHECK: arith.mulf
  // CHECK-NOT: attn.cache_read
  %k = tensor.extract_slice %all[%g, %j, 0] [1, %count, 8] [1, 1, 1] : tensor<3x?x8xf32> to tensor<?x8xf32>
  return %k, %rows : tensor<?x8xf32>, index
}
