// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s
// RUN: heed-opt %s -convert-attn-to-vector="native-lanes=8" -split-input-file | FileCheck %s --check-prefix=HALF

// A tile is transposed in squares of as many vectors as a register has lanes: four steps of 16 shuffles, of which
// the first exchanges neighbours.
// CHECK-LABEL: func.func @tile
// CHECK-SAME: %[[X:.*]]: memref<32x48xf32>, %[[Y:.*]]: memref<48x32xf32>)
// CHECK: scf.for %[[COLUMN:.*]] = %c0{{.*}} to %c48{{.*}} step %c16
// CHECK-COUNT-16: vector.load %[[X]][{{.*}}] : memref<32x48xf32>, vector<16xf32>
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30]
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31]
// CHECK-COUNT-62: vector.shuffle
// CHECK-NOT: vector.shuffle
// CHECK-COUNT-16: vector.store %{{.*}}, %[[Y]]
// CHECK-COUNT-16: vector.load %[[X]]
// CHECK-NOT: linalg
// HALF-LABEL: func.func @tile
// HALF-COUNT-8: vector.load %{{.*}} : memref<32x48xf32>, vector<8xf32>
// HALF-COUNT-24: vector.shuffle {{.*}} : vector<8xf32>, vector<8xf32>
// HALF: vector.store
// HALF-NOT: linalg
func.func @tile(%x: memref<32x48xf32>, %y: memref<48x32xf32>) {
  linalg.transpose ins(%x : memref<32x48xf32>) outs(%y : memref<48x32xf32>) permutation = [1, 0]
  return
}

// -----

// Pairs of bf16 move as 32 bits.
// CHECK-LABEL: func.func @pairs
// HALF-LABEL: func.func @pairs
// CHECK: memref.collapse_shape %{{.*}} {{\[}}[0], [1, 2]] : memref<16x24x2xbf16> into memref<16x48xbf16>
// CHECK: vector.load {{.*}} : memref<16x48xbf16>, vector<16xbf16>
// CHECK: vector.bitcast %{{.*}} : vector<16xbf16> to vector<8xi32>
// CHECK: vector.shuffle {{.*}} : vector<8xi32>, vector<8xi32>
// CHECK: vector.bitcast %{{.*}} : vector<8xi32> to vector<16xbf16>
func.func @pairs(%x: memref<16x24x2xbf16>, %y: memref<24x16x2xbf16>) {
  linalg.transpose ins(%x : memref<16x24x2xbf16>) outs(%y : memref<24x16x2xbf16>) permutation = [1, 0, 2]
  return
}

// -----

// Other tiles, and what is no tile, stay for loops.
// CHECK-LABEL: func.func @others
// CHECK-COUNT-3: linalg.transpose
func.func @others(%a: memref<16x20xf32>, %b: memref<20x16xf32>, %c: memref<?x16xf32>, %d: memref<16x?xf32>, %e: memref<16x16xi32>, %f: memref<16x16xi32>) {
  linalg.transpose ins(%a : memref<16x20xf32>) outs(%b : memref<20x16xf32>) permutation = [1, 0]
  linalg.transpose ins(%c : memref<?x16xf32>) outs(%d : memref<16x?xf32>) permutation = [1, 0]
  linalg.transpose ins(%e : memref<16x16xi32>) outs(%f : memref<16x16xi32>) permutation = [1, 0]
  return
}
