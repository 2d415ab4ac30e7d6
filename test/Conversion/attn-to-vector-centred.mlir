// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s

// Centred: extremes and 0, the middle rounded to bf16, and what is furthest from it becomes 120. Crosses
// are products of the halves of a block.
// CHECK-LABEL: func.func @quantize_centred
// CHECK: %[[ISNEGATIVE:.+]] = arith.cmpi slt
// CHECK: %[[HIGH:.+]] = arith.bitcast %{{.*}} : vector<4xi32> to vector<4xf32>
// CHECK: arith.select %[[ISNEGATIVE]]
// CHECK: %[[MIDDLE:.+]] = arith.truncf %{{.*}} : vector<4xf32> to vector<4xbf16>
// CHECK: %[[CENTRE:.+]] = arith.extf %[[MIDDLE]]
// CHECK-DAG: arith.subf %[[HIGH]], %[[CENTRE]]
// CHECK: arith.maxsi %{{.*}} : vector<4xi32>
// CHECK: %[[INVERSE:.+]] = arith.divf %{{.*}} : vector<4xf32>
// CHECK: arith.mulf %[[CENTRE]], %[[INVERSE]]
// CHECK-NOT: arith.minsi
// CHECK: %[[RAISED:.+]] = arith.xori {{.*}} : vector<64xi8>
// CHECK-COUNT-2: attn.dot_bytes
// CHECK: attn.dot_bytes %{{.*}}, %[[RAISED]], %{{.*}}
// CHECK: %[[PAIRS:.+]] = vector.interleave %{{.*}}, %[[CENTRE]] : vector<4xf32> -> vector<8xf32>
// CHECK: arith.truncf %[[PAIRS]] : vector<8xf32> to vector<8xbf16>
// CHECK: vector.store {{.*}} : memref<?x8xbf16>, vector<8xbf16>
// CHECK: %[[CROSS:.+]] = arith.negf {{.*}} : vector<4xf32>
// CHECK: vector.store %[[CROSS]], {{.*}} : memref<?x4xf32>, vector<4xf32>
// CHECK: vector.store {{.*}} : memref<?x4xi32>, vector<4xi32>
func.func @quantize_centred(%x: memref<?x128xf32>, %q: memref<?x128xi8>, %s: memref<?x4xf32>, %t: memref<?x4xi32>, %c: memref<?x8xbf16>, %k: memref<?x4xf32>) {
  attn.quantize %x times -8 into %q, %s, %t centred %c, %k : memref<?x128xf32>, memref<?x128xi8>, memref<?x4xf32>, memref<?x4xi32> centred memref<?x8xbf16>, memref<?x4xf32>
  return
}

// -----

// Of centred rows tiles multiply columns in pairs: half the products, of sums. They start from what is
// known of a weight's group; what is known of a row is added with its scale, and a pair of bf16 adds
// the min and the centre.
// CHECK-LABEL: func.func @in_pairs
// CHECK: memref.alloc() {{.*}} : memref<1x2x1x32xbf16>
// CHECK: scf.for
// CHECK: arith.divf
// CHECK: scf.for
// CHECK: scf.for
// CHECK: %[[START:.+]] = vector.load %{{.*}} : memref<1x2x1x16xi32>, vector<16xi32>
// CHECK: %[[UNSIGNED:.+]] = arith.addi {{.*}} : vector<64xi8>
// CHECK: %[[SIGNED:.+]] = arith.addi {{.*}} : vector<64xi8>
// CHECK: attn.dot_bytes %[[START]], %[[UNSIGNED]], %[[SIGNED]]
// CHECK-COUNT-19: attn.dot_bytes
// CHECK-NOT: attn.dot_bytes
// CHECK: %[[SCALED:.+]] = vector.fma
// CHECK: %[[PRODUCT:.+]] = attn.dot_pairs %[[SCALED]]
// CHECK: vector.fma %[[PRODUCT]]
func.func @in_pairs(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xi32>, %c: memref<?x4xbf16>, %k: memref<?x2xf32>, %w: !attn.weight<16x64, q4_1>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w quantized %s, %t centred %c, %k into %into
    tile <rows = 5, panels = 1, part = 1> : memref<?x64xi8>, !attn.weight<16x64, q4_1> of memref<?x2xf32>, memref<?x2xi32> centred memref<?x4xbf16>, memref<?x2xf32> into memref<?x16xf32>
  return
}
