// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s

// A row is a task; a block's largest magnitude gives its scale.
// CHECK-LABEL: func.func @quantize
// CHECK: scf.forall
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}}
// CHECK-COUNT-2: math.absf
// CHECK: %[[MAX:.+]] = vector.reduction <maximumf>
// CHECK: %[[SCALE:.+]] = arith.divf %[[MAX]]
// CHECK: memref.store %[[SCALE]], %{{.*}} : memref<?x2xf32>
// CHECK: math.roundeven
// CHECK: arith.trunci %{{.*}} : vector<16xi32> to vector<16xi8>
// CHECK: %[[SUM:.+]] = vector.reduction <add>
// CHECK: %[[FLOAT:.+]] = arith.sitofp %[[SUM]]
// CHECK: %[[SCALED:.+]] = arith.mulf %[[SCALE]], %[[FLOAT]]
// CHECK: memref.store %[[SCALED]]
func.func @quantize(%x: memref<?x64xf32>, %q: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xf32>) {
  attn.quantize %x into %q, %s, %t : memref<?x64xf32>, memref<?x64xi8>, memref<?x2xf32>, memref<?x2xf32>
  return
}

// -----

// Few rows read nibbles as they are stored: eight dot products for 32 columns, each of four; then
// scale times scale, and the min times the row's sum.
// CHECK-LABEL: func.func @with_mins
// CHECK: scf.if
// CHECK: memref.alloc() {{.*}} : memref<1x2x8x16xi32>
// A tile of six rows: as many products a column four.
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-48: attn.dot_bytes
// CHECK-NOT: attn.dot_bytes
// CHECK: %[[FLOAT:.+]] = arith.sitofp
// CHECK: %[[SCALE:.+]] = arith.mulf
// CHECK: %[[SUM:.+]] = vector.fma %[[FLOAT]], %[[SCALE]]
// CHECK: vector.fma %{{.*}}, %{{.*}}, %[[SUM]]
func.func @with_mins(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xf32>, %w: !attn.weight<16x64, q4_1>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w quantized %s, %t into %into
    : memref<?x64xi8>, !attn.weight<16x64, q4_1> of memref<?x2xf32>, memref<?x2xf32> into memref<?x16xf32>
  return
}

// -----

// Signed bytes are stored with 128 too much: a dot product starts from what takes that back.
// CHECK-LABEL: func.func @with_bias
// CHECK: %[[SUM:.+]] = memref.load %{{.*}} : memref<?x2xi32>
// CHECK: %[[BIAS:.+]] = arith.constant -128 : i32
// CHECK: %[[START:.+]] = arith.muli %[[SUM]], %[[BIAS]]
// CHECK: %[[STARTS:.+]] = vector.broadcast %[[START]]
// CHECK: attn.dot_bytes %[[STARTS]]
func.func @with_bias(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xi32>, %w: !attn.weight<16x64, q8_0>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w quantized %s, %t into %into
    : memref<?x64xi8>, !attn.weight<16x64, q8_0> of memref<?x2xf32>, memref<?x2xi32> into memref<?x16xf32>
  return
}
