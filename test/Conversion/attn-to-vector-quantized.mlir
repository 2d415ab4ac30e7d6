// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s

// Four blocks of a row together: the greatest number of each and the least, by their bits, in lanes of
// their own. What is further from 0 becomes -128.
// CHECK-LABEL: func.func @quantize
// CHECK: scf.forall
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}}
// CHECK: %[[BLOCKS:.+]] = arith.constant 4 : index
// CHECK: scf.for %[[AT:.+]] = %{{.*}} to %[[BLOCKS]] step %{{.*}} {
// CHECK: %[[LAST:.+]] = arith.constant 0 : index
// CHECK: arith.minui %[[AT]], %[[LAST]]
// CHECK-COUNT-8: vector.load
// CHECK: vector.shuffle {{.*}} [0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29]
// CHECK: %[[ABOVE:.+]] = arith.maxsi %{{.*}} : vector<4xi32>
// CHECK: %[[GREATEST:.+]] = arith.maxsi %[[ABOVE]], %{{.*}} : vector<4xi32>
// CHECK: %[[BELOW:.+]] = arith.maxui %{{.*}} : vector<4xi32>
// CHECK: %[[LEAST:.+]] = arith.andi %[[BELOW]], %{{.*}} : vector<4xi32>
// CHECK: %[[POSITIVE:.+]] = arith.cmpi sge, %[[GREATEST]], %[[LEAST]]
// CHECK: %[[NEGATIVE:.+]] = arith.ori %[[GREATEST]], %{{.*}} : vector<4xi32>
// CHECK: %[[BITS:.+]] = arith.select %[[POSITIVE]], %[[NEGATIVE]], %[[LEAST]]
// CHECK: %[[FULL:.+]] = arith.bitcast %[[BITS]] : vector<4xi32> to vector<4xf32>
// CHECK: %[[SCALE:.+]] = arith.mulf %[[FULL]], %{{.*}} : vector<4xf32>
// CHECK: arith.divf %{{.*}}, %[[FULL]] : vector<4xf32>
// CHECK: vector.store %[[SCALE]], %{{.*}} : memref<?x4xf32>, vector<4xf32>
// CHECK: math.roundeven
// CHECK: arith.minsi
// CHECK: arith.trunci %{{.*}} : vector<16xi32> to vector<16xi8>
// CHECK: %[[FLOAT:.+]] = arith.sitofp %{{.*}} : vector<4xi32> to vector<4xf32>
// CHECK: %[[SCALED:.+]] = arith.mulf %[[SCALE]], %[[FLOAT]]
// CHECK: vector.store %[[SCALED]]
func.func @quantize(%x: memref<?x128xf32>, %q: memref<?x128xi8>, %s: memref<?x4xf32>, %t: memref<?x4xf32>) {
  attn.quantize %x into %q, %s, %t : memref<?x128xf32>, memref<?x128xi8>, memref<?x4xf32>, memref<?x4xf32>
  return
}

// -----

// Fewer blocks; a sum for each 16 columns, times what weights have too much.
// CHECK-LABEL: func.func @quantize_two
// CHECK: arith.divf %{{.*}} : vector<4xf32>
// CHECK: %[[SCALES:.+]] = vector.extract_strided_slice {{.*}} : vector<4xf32> to vector<2xf32>
// CHECK: vector.store %[[SCALES]], %{{.*}} : memref<?x2xf32>, vector<2xf32>
// CHECK: %[[TIMES:.+]] = arith.constant dense<-128> : vector<4xi32>
// CHECK: %[[SUMS:.+]] = arith.muli %{{.*}}, %[[TIMES]]
// CHECK: %[[FIRST:.+]] = vector.extract %[[SUMS]][0]
// CHECK: memref.store %[[FIRST]], %{{.*}} : memref<?x4xi32>
func.func @quantize_two(%x: memref<?x64xf32>, %q: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x4xi32>) {
  attn.quantize %x group 16 times -128 into %q, %s, %t : memref<?x64xf32>, memref<?x64xi8>, memref<?x2xf32>, memref<?x4xi32>
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
// With each tile of rows a part of the next panels is asked for.
// CHECK: attn.prefetch {{.*}} level 2
// CHECK: scf.for
// CHECK-COUNT-48: attn.dot_bytes
// CHECK-NOT: attn.dot_bytes
// CHECK: %[[FLOAT:.+]] = arith.sitofp
// CHECK: %[[SCALE:.+]] = arith.mulf
// CHECK: %[[SUM:.+]] = vector.fma %[[FLOAT]], %[[SCALE]]
// CHECK: vector.fma %{{.*}}, %{{.*}}, %[[SUM]]
func.func @with_mins(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xf32>, %w: !attn.weight<16x64, q4_1>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w quantized %s, %t into %into
    tile <rows = 6, panels = 2, part = 2> : memref<?x64xi8>, !attn.weight<16x64, q4_1> of memref<?x2xf32>, memref<?x2xf32> into memref<?x16xf32>
  return
}

// -----

// Signed bytes are stored with 128 too much: a dot product starts from what takes that back.
// CHECK-LABEL: func.func @with_bias
// CHECK: %[[START:.+]] = memref.load %{{.*}} : memref<?x2xi32>
// CHECK: %[[STARTS:.+]] = vector.broadcast %[[START]]
// CHECK: attn.dot_bytes %[[STARTS]]
func.func @with_bias(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xi32>, %w: !attn.weight<16x64, q8_0>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w quantized %s, %t into %into
    tile <rows = 6, panels = 2, part = 2> : memref<?x64xi8>, !attn.weight<16x64, q8_0> of memref<?x2xf32>, memref<?x2xi32> into memref<?x16xf32>
  return
}

// -----

// The residual: where a tile is added to is asked for before its products.
// CHECK-LABEL: func.func @accumulated
// CHECK: scf.for
// CHECK: memref.prefetch %{{.*}}, write, locality<3>, data : memref<?x16xf32>
// CHECK: scf.for
// CHECK-COUNT-48: attn.dot_bytes
// CHECK: arith.addf
func.func @accumulated(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xi32>, %w: !attn.weight<16x64, q8_0>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w quantized %s, %t into %into accumulate
    tile <rows = 6, panels = 2, part = 2> : memref<?x64xi8>, !attn.weight<16x64, q8_0> of memref<?x2xf32>, memref<?x2xi32> into memref<?x16xf32>
  return
}
