// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s

// How each storage is unpacked, as heed/Weights/PanelLayout.h says it lies; one group of columns is one
// round of a loop. The records of 32 columns x 16 rows: q4_0 has 16 f16 scales and 256 bytes.

// CHECK-LABEL: func.func @q4_0
// CHECK: llvm.getelementptr %{{.*}}[0]
// CHECK: %[[HALF:.*]] = llvm.load {{.*}} : !llvm.ptr -> vector<16xf16>
// CHECK: %[[SCALE:.*]] = arith.extf %[[HALF]]
// CHECK: %[[EIGHT:.*]] = arith.constant dense<-8.000000e+00>
// CHECK: %[[OFFSET:.*]] = arith.mulf %[[SCALE]], %[[EIGHT]]
// CHECK: llvm.getelementptr %{{.*}}[32]
// CHECK: %[[BYTES:.*]] = llvm.load {{.*}} : !llvm.ptr -> vector<16xi32>
// CHECK: %[[SHIFTED:.*]] = arith.shrui %[[BYTES]]
// CHECK: %[[LOW:.*]] = arith.andi %[[SHIFTED]]
// CHECK: %[[Q:.*]] = arith.sitofp %[[LOW]]
// CHECK: vector.fma %[[Q]], %[[SCALE]], %[[OFFSET]]
// CHECK: llvm.getelementptr %{{.*}}[96]
func.func @q4_0(%x: memref<?x32xf32>, %w: !attn.weight<16x32, q4_0>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<?x32xf32>, !attn.weight<16x32, q4_0> into memref<?x16xf32>
  return
}

// -----

// A min of its own for each group.
// CHECK-LABEL: func.func @q4_1
// CHECK: llvm.getelementptr %{{.*}}[0]
// CHECK: %[[SCALE:.*]] = arith.extf
// CHECK: llvm.getelementptr %{{.*}}[32]
// CHECK: %[[MIN:.*]] = arith.extf
// CHECK: llvm.getelementptr %{{.*}}[64]
// CHECK: vector.fma %{{.*}}, %[[SCALE]], %[[MIN]]
func.func @q4_1(%x: memref<?x32xf32>, %w: !attn.weight<16x32, q4_1>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<?x32xf32>, !attn.weight<16x32, q4_1> into memref<?x16xf32>
  return
}

// -----

// Signed bytes, stored with 128 too much, and nothing to add.
// CHECK-LABEL: func.func @q8_0
// CHECK: %[[SCALE:.*]] = arith.extf
// CHECK: %[[BYTES:.*]] = llvm.load {{.*}} -> vector<16xi32>
// CHECK: %[[SIGNED:.*]] = arith.xori %[[BYTES]]
// CHECK: arith.shli %[[SIGNED]]
// CHECK: %[[WIDE:.*]] = arith.shrsi
// CHECK: %[[Q:.*]] = arith.sitofp %[[WIDE]]
// CHECK: arith.mulf %[[Q]], %[[SCALE]]
func.func @q8_0(%x: memref<?x32xf32>, %w: !attn.weight<16x32, q8_0>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<?x32xf32>, !attn.weight<16x32, q8_0> into memref<?x16xf32>
  return
}

// -----

// Nibbles as q4_0 has them, at 32, and 16 x 32 fifth bits at 288: those of columns 4 j … 4 j + 3 are bits
// j of a lane's four bytes, and are shifted to where a fifth bit stands.
// CHECK-LABEL: func.func @q5_0
// CHECK: %[[SCALE:.*]] = arith.extf
// CHECK: llvm.getelementptr %{{.*}}[32]
// CHECK: %[[BYTES:.*]] = llvm.load {{.*}} -> vector<16xi32>
// CHECK: %[[NIBBLES:.*]] = arith.andi %[[BYTES]]
// CHECK: llvm.getelementptr %{{.*}}[288]
// CHECK: %[[FIFTH:.*]] = llvm.load {{.*}} -> vector<16xi32>
// CHECK: %[[PLACED:.*]] = arith.shli %[[FIFTH]]
// CHECK: %[[MASK:.*]] = arith.constant dense<269488144>
// CHECK: %[[TOP:.*]] = arith.andi %[[PLACED]], %[[MASK]]
// CHECK: arith.ori %[[NIBBLES]], %[[TOP]]
// CHECK-COUNT-32: vector.fma
// CHECK-NOT: vector.fma %{{.*}}, %[[SCALE]]
func.func @q5_0(%x: memref<?x32xf32>, %w: !attn.weight<16x32, q5_0>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<?x32xf32>, !attn.weight<16x32, q5_0> into memref<?x16xf32>
  return
}

// -----

// Two f32 scales for 32 columns, each for 16 of them.
// CHECK-LABEL: func.func @q6_k
// CHECK: %[[A:.*]] = llvm.load {{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK: llvm.getelementptr %{{.*}}[64]
// CHECK: %[[B:.*]] = llvm.load {{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK-COUNT-16: arith.mulf %{{.*}}, %[[A]]
// CHECK-COUNT-16: arith.mulf %{{.*}}, %[[B]]
func.func @q6_k(%x: memref<?x256xf32>, %w: !attn.weight<16x256, q6_k>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<?x256xf32>, !attn.weight<16x256, q6_k> into memref<?x16xf32>
  return
}

// -----

// Layers of several formats have one layout that holds both: signed bytes, f32 scales and mins for 16
// columns. Those of 32 columns x 16 rows: 128 bytes of scales, as many of mins, 512 of quants.
// CHECK-LABEL: func.func @mixed
// CHECK: llvm.getelementptr %{{.*}}[0]
// CHECK: %[[A:.*]] = llvm.load {{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK: llvm.getelementptr %{{.*}}[64]
// CHECK: %[[B:.*]] = llvm.load {{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK: llvm.getelementptr %{{.*}}[128]
// CHECK: %[[MIN:.*]] = llvm.load {{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK: llvm.getelementptr %{{.*}}[256]
// CHECK-COUNT-16: vector.fma %{{.*}}, %[[A]], %[[MIN]]
// CHECK: vector.fma %{{.*}}, %[[B]]
func.func @mixed(%x: memref<?x256xf32>, %w: !attn.weight<16x256, q4_k|q6_k>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<?x256xf32>, !attn.weight<16x256, q4_k|q6_k> into memref<?x16xf32>
  return
}

// -----

// Floats come column by column, as many a round as divide the columns: 2 of 6. bf16 come in pairs,
// each an i32 of two halves; the last column of five stands alone, after the loop.
// CHECK-LABEL: func.func @f16
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<2x6x16xf32>
// CHECK-COUNT-2: llvm.load {{.*}} -> vector<16xf16>
// CHECK-NOT: llvm.load
// CHECK: scf.for
// CHECK-LABEL: func.func @bf16
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<2x5x16xf32>
// CHECK-COUNT-4: llvm.load {{.*}} -> vector<16xi32>
// CHECK: }
// CHECK: %[[V:.*]] = llvm.load {{.*}} -> vector<16xi32>
// CHECK: %[[U:.*]] = arith.shli %[[V]]
// CHECK: arith.bitcast %[[U]] : vector<16xi32> to vector<16xf32>
// CHECK-LABEL: func.func @f32
// Nothing to unpack: no buffer, and the product reads the weight itself.
// CHECK-NOT: memref.alloc
// CHECK: %[[V:.*]] = llvm.load {{.*}} -> vector<16xf32>
// CHECK: vector.fma %[[V]]
func.func @f16(%x: memref<?x6xf32>, %w: !attn.weight<16x6, f16>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<?x6xf32>, !attn.weight<16x6, f16> into memref<?x16xf32>
  return
}
func.func @bf16(%x: memref<?x5xf32>, %w: !attn.weight<16x5, bf16>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<?x5xf32>, !attn.weight<16x5, bf16> into memref<?x16xf32>
  return
}
func.func @f32(%x: memref<?x8xf32>, %w: !attn.weight<16x8, f32>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<?x8xf32>, !attn.weight<16x8, f32> into memref<?x16xf32>
  return
}
