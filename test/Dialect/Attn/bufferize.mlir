// RUN: heed-opt %s -one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" -canonicalize -split-input-file | FileCheck %s

// A destination is written in place, and read only where the product is added to it.
// CHECK-LABEL: func.func @project
// CHECK-SAME: %[[X:.*]]: memref<?x64xf32>, %[[W:.*]]: !attn.weight<64x64, q4_1>, %[[INTO:.*]]: memref<?x64xf32>)
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: attn.project output %[[X]], %[[W]] into %[[INTO]] accumulate : memref<?x64xf32>, !attn.weight<64x64, q4_1> into memref<?x64xf32>
// CHECK: return %[[INTO]]
func.func @project(%x: tensor<?x64xf32>, %w: !attn.weight<64x64, q4_1>, %into: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %r = attn.project output %x, %w into %into accumulate : tensor<?x64xf32>, !attn.weight<64x64, q4_1> into tensor<?x64xf32> -> tensor<?x64xf32>
  return %r : tensor<?x64xf32>
}

// -----

// The residual is read after the sum: the sum goes to a copy.
// CHECK-LABEL: func.func @residual_lives_on
// CHECK-SAME: %[[X:.*]]: memref<?x64xf32>, %{{.*}}: !attn.weight<64x64, f32>, %[[E:.*]]: memref<?x64xf32>)
// CHECK: %[[COPY:.*]] = memref.alloc
// CHECK: memref.copy %[[E]], %[[COPY]]
// CHECK: attn.project output %[[X]], %{{.*}} into %[[COPY]] accumulate
// CHECK: return %[[COPY]], %[[E]]
func.func @residual_lives_on(%x: tensor<?x64xf32>, %w: !attn.weight<64x64, f32>, %e: tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %r = attn.project output %x, %w into %e accumulate : tensor<?x64xf32>, !attn.weight<64x64, f32> into tensor<?x64xf32> -> tensor<?x64xf32>
  return %r, %e : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// Nothing reads what the destination held before: no copy, though x is read from the same memory.
// CHECK-LABEL: func.func @x_is_its_own_destination
// CHECK-SAME: %[[X:.*]]: memref<?x64xf32>,
// CHECK: %[[NEW:.*]] = memref.alloc
// CHECK-NOT: memref.copy
// CHECK: attn.project linear %[[X]], %{{.*}} into %[[NEW]] :
func.func @x_is_its_own_destination(%x: tensor<?x64xf32>, %w: !attn.weight<64x64, f32>) -> tensor<?x64xf32> {
  %r = attn.project linear %x, %w into %x : tensor<?x64xf32>, !attn.weight<64x64, f32> into tensor<?x64xf32> -> tensor<?x64xf32>
  return %r : tensor<?x64xf32>
}

// -----

// A weight's dense copy is memory already, which nobody may write.
// CHECK-LABEL: func.func @embed_and_scale
// CHECK: %[[E:.*]] = memref.alloc
// CHECK: attn.embed %{{.*}}, %{{.*}} into %[[E]] : memref<?xi32>, !attn.weight<100x32, q8_0> into memref<?x32xf32>
// CHECK: %[[DENSE:.*]] = attn.dequantize %{{.*}} : !attn.weight<32, f32> -> memref<32xf32>
// CHECK: %[[COPY:.*]] = memref.alloc() {{.*}}: memref<32xf32>
// CHECK: memref.copy %[[DENSE]], %[[COPY]]
// CHECK: memref.store %{{.*}}, %[[COPY]]
func.func @embed_and_scale(%ids: tensor<?xi32>, %t: !attn.weight<100x32, q8_0>, %g: !attn.weight<32, f32>, %n: index) -> (tensor<?x32xf32>, tensor<32xf32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %empty = tensor.empty(%n) : tensor<?x32xf32>
  %e = attn.embed %ids, %t into %empty : tensor<?xi32>, !attn.weight<100x32, q8_0> into tensor<?x32xf32> -> tensor<?x32xf32>
  %dense = attn.dequantize %g : !attn.weight<32, f32> -> tensor<32xf32>
  %changed = tensor.insert %one into %dense[%c0] : tensor<32xf32>
  return %e, %changed : tensor<?x32xf32>, tensor<32xf32>
}

// -----

// The running state goes through the loop in place; the tile is read where the cache has it.
// CHECK-LABEL: func.func @online
// CHECK-SAME: %[[Q:.*]]: memref<8x16xf32>, %[[K:.*]]: memref<?x8xf32>, %{{.*}}, %[[ACC:.*]]: memref<8x16xf32>, %[[MAX:.*]]: memref<16xf32>, %[[SUM:.*]]: memref<16xf32>
// CHECK-NOT: memref.alloc
// CHECK: scf.for
// CHECK-DAG: %[[KT:.*]] = memref.subview %[[K]]
// CHECK: attn.online_attention %[[Q]], %[[KT]], %{{.*}} into %[[ACC]], %[[MAX]], %[[SUM]]
// CHECK-SAME: score
// CHECK: mask
// CHECK-NOT: memref.copy
// CHECK: return
func.func @online(%q: tensor<8x16xf32>, %k: tensor<?x8xf32>, %heads: tensor<16xindex>, %acc: tensor<8x16xf32>, %max: tensor<16xf32>, %sum: tensor<16xf32>, %n: index) -> tensor<8x16xf32> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %r:3 = scf.for %j = %c0 to %n step %c4 iter_args(%a = %acc, %m = %max, %s = %sum) -> (tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>) {
    %tile = tensor.extract_slice %k[%j, 0] [4, 8] [1, 1] : tensor<?x8xf32> to tensor<4x8xf32>
    %next:3 = attn.online_attention %q, %tile, %tile lanes %heads, %heads start %j into %a, %m, %s scale 1.0 key_tile 4
      : tensor<8x16xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<16xindex>, tensor<16xindex>, tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32> -> tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>
    score {
    ^bb0(%score: f32, %h: index, %i: index, %t: index):
      %capped = math.tanh %score : f32
      attn.yield %capped : f32
    } mask {
    ^bb0(%h: index, %i: index, %t: index):
      %visible = arith.cmpi sle, %t, %i : index
      attn.yield %visible : i1
    }
    scf.yield %next#0, %next#1, %next#2 : tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>
  }
  return %r#0 : tensor<8x16xf32>
}

// -----

// Pairs go where they are wanted, whatever was there.
// CHECK-LABEL: func.func @pair_rows
// CHECK-SAME: %[[V:.*]]: memref<?x64xf32>, %[[P:.*]]: memref<?x128xbf16>)
// CHECK-NOT: memref.alloc
// CHECK: attn.pair_rows %[[V]] into %[[P]] : memref<?x64xf32>, memref<?x128xbf16>
// CHECK: return %[[P]]
func.func @pair_rows(%v: tensor<?x64xf32>, %p: tensor<?x128xbf16>) -> tensor<?x128xbf16> {
  %r = attn.pair_rows %v into %p : tensor<?x64xf32>, tensor<?x128xbf16> -> tensor<?x128xbf16>
  return %r : tensor<?x128xbf16>
}
