// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s
// RUN: heed-opt %s -convert-attn-to-vector="native-lanes=8" -split-input-file | FileCheck %s --check-prefix=NARROW

// 40 features are three panels of 16 lanes, the last one half full. The number of rows chooses between
// two kernels and says how many tasks there are: of few rows two tasks of two panels, the last with one
// panel and a mask of 8 lanes; of many as many as there are parts, in sections of 8 MB of rows.
// CHECK-LABEL: func.func @panels
// CHECK-SAME: %[[X:.*]]: memref<?x32xf32>, %[[W:.*]]: !attn.weight<40x32, f32>, %[[INTO:.*]]: memref<?x40xf32>)
// CHECK-DAG: builtin.unrealized_conversion_cast %[[W]] : !attn.weight<40x32, f32> to !llvm.ptr
// CHECK-DAG: %[[ROWS:.*]] = memref.dim %[[X]]
// CHECK: %[[MANY:.*]] = arith.cmpi sgt, %[[ROWS]], %c4
// CHECK: %[[TILES:.*]] = arith.ceildivui %[[ROWS]], %c12
// CHECK: %[[BLOCKS:.*]] = arith.select %{{.*}}, %c1{{.*}}, %{{.*}} : index
// CHECK: arith.addi %[[BLOCKS]], %c273
// CHECK: %[[SECTIONS:.*]] = arith.maxui
// CHECK: %[[PARTS:.*]] = arith.muli %[[PANEL_BLOCKS:.*]], %[[BLOCKS]]
// CHECK: %[[TASKS:.*]] = arith.select %[[MANY]], %[[PARTS]], %c2
// CHECK: scf.forall (%[[TASK:.*]]) in (%[[TASKS]])
// CHECK: scf.if %[[MANY]]
// Many: a part of tiles of 12 rows x 2 panels, summed in registers over all columns; of the odd panel
// 12 x 1; then fewer rows.
// CHECK: %[[PASSED:.*]] = arith.divui %[[TASK]], %[[PANEL_BLOCKS]]
// CHECK: arith.muli %{{.*}}, %[[SECTIONS]]
// CHECK: %[[SECTION:.*]] = arith.divui %{{.*}}, %[[BLOCKS]]
// CHECK: %[[IN_SECTION:.*]] = arith.subi %[[TASK]]
// CHECK: arith.divui %[[IN_SECTION]], %[[OF_SECTION:.*]] :
// CHECK: arith.remui %[[IN_SECTION]], %[[OF_SECTION]]
// CHECK: scf.for
// CHECK-COUNT-24: vector.fma
// CHECK: vector.store
// CHECK-NOT: vector.maskedstore
// CHECK: scf.for
// CHECK-COUNT-12: vector.fma
// CHECK: %[[MASK:.*]] = vector.constant_mask [8] : vector<16xi1>
// CHECK: vector.maskedstore %[[INTO]][%{{.*}}, %{{.*}}], %[[MASK]]
// Few: each weight is read once for 4, 2 or 1 rows. What several rows need is asked for ahead.
// CHECK: arith.cmpi eq, %[[TASK]], %c1
// CHECK: attn.prefetch %[[W]]
// CHECK-COUNT-4: vector.fma
// CHECK-NOT: attn.project
// NARROW-LABEL: func.func @panels
// NARROW: arith.select %{{.*}}, %{{.*}}, %c3
// NARROW-NEXT: scf.forall
func.func @panels(%x: memref<?x32xf32>, %w: !attn.weight<40x32, f32>, %into: memref<?x40xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 4> : memref<?x32xf32>, !attn.weight<40x32, f32> into memref<?x40xf32>
  return
}

// -----

// One block, no remainder: no branch between blocks. Many rows unpack a part first. Rows of heads are
// rows of a matrix, and the product is added to what `into` holds.
// CHECK-LABEL: func.func @accumulate
// CHECK-SAME: %[[Z:.*]]: memref<?x2x32xf32>, %{{.*}}: !attn.weight<32x2x32, q8_0>, %[[INTO:.*]]: memref<?x32xf32>)
// CHECK: memref.collapse_shape %[[Z]] {{\[}}[0], [1, 2]] : memref<?x2x32xf32> into memref<?x64xf32>
// CHECK: scf.forall
// CHECK-NOT: arith.cmpi eq
// CHECK: %[[BLOCK:.*]] = memref.alloc() {alignment = 64 : i64} : memref<2x64x16xf32>
// CHECK: vector.store %{{.*}}, %[[BLOCK]]
// CHECK: vector.load %[[BLOCK]]
// CHECK: vector.fma
// CHECK: %[[OLD:.*]] = vector.load %[[INTO]]
// CHECK: %[[NEW:.*]] = arith.addf %{{.*}}, %[[OLD]]
// CHECK: vector.store %[[NEW]], %[[INTO]]
func.func @accumulate(%z: memref<?x2x32xf32>, %w: !attn.weight<32x2x32, q8_0>, %into: memref<?x32xf32>) {
  attn.project output %z, %w contracted 2 into %into accumulate tile <rows = 12, panels = 2, part = 2> : memref<?x2x32xf32>, !attn.weight<32x2x32, q8_0> into memref<?x32xf32>
  return
}

// -----

// Rows of 16 K are multiplied in four blocks of 1,024 columns, 256 rounds of four. Between them the sums of 32
// tiles of 4 rows wait in memory; after the last they are stored.
// CHECK-LABEL: func.func @blocks
// CHECK-SAME: %[[INTO:[a-z0-9]+]]: memref<?x32xf32>)
// CHECK: %[[SUMS:.*]] = memref.alloc() {alignment = 64 : i64} : memref<128x2x16xf32>
// CHECK-COUNT-8: vector.store %{{.*}}, %[[SUMS]]
// CHECK: %[[ROUNDS:.*]] = arith.constant 256 : index
// CHECK: scf.for %[[FIRST:.*]] = %{{.*}} to %{{.*}} step %[[ROUNDS]] {
// CHECK: %[[NEXT:.*]] = arith.addi %[[FIRST]], %[[ROUNDS]]
// CHECK: %[[LAST:.*]] = arith.minui %[[NEXT]]
// CHECK-COUNT-8: vector.load %[[SUMS]]
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[LAST]]
// CHECK-COUNT-32: vector.fma
// CHECK-COUNT-8: vector.store %{{.*}}, %[[SUMS]]
// CHECK: vector.store %{{.*}}, %[[INTO]]
func.func @blocks(%x: memref<?x4096xf32>, %w: !attn.weight<32x4096, f32>, %into: memref<?x32xf32>) {
  attn.project linear %x, %w into %into tile <rows = 4, panels = 2, part = 2> : memref<?x4096xf32>, !attn.weight<32x4096, f32> into memref<?x32xf32>
  return
}

// -----

// Rows 4 K apart would push one another out of the cache: tiles of 6 rows x 4 panels.
// CHECK-LABEL: func.func @colliding
// CHECK: arith.ceildivui %{{.*}}, %c6{{.*}} : index
// CHECK: scf.for %{{.*}} iter_args
// CHECK-COUNT-4: llvm.load
// CHECK: memref.load
func.func @colliding(%x: memref<?x1024xf32>, %w: !attn.weight<64x1024, f32>, %into: memref<?x64xf32>) {
  attn.project linear %x, %w into %into tile <rows = 6, panels = 4, part = 4> : memref<?x1024xf32>, !attn.weight<64x1024, f32> into memref<?x64xf32>
  return
}

// -----

// Rows of bf16 meet weights of bf16 two columns at a time.
// CHECK-LABEL: func.func @pairs
// CHECK: %[[W:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<32xbf16>
// CHECK: %[[TWO:.*]] = vector.load %{{.*}} : memref<?x64xbf16>, vector<2xbf16>
// CHECK: vector.bitcast %[[TWO]] : vector<2xbf16> to vector<1xi32>
// CHECK: %[[ALL:.*]] = vector.bitcast %{{.*}} : vector<16xi32> to vector<32xbf16>
// CHECK: attn.dot_pairs %{{.*}}, %[[W]], %[[ALL]]
// CHECK-NOT: vector.fma
func.func @pairs(%x: memref<?x64xbf16>, %w: !attn.weight<32x64, bf16>, %into: memref<?x32xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<?x64xbf16>, !attn.weight<32x64, bf16> into memref<?x32xf32>
  return
}

// -----

// A single row without a row axis.
// CHECK-LABEL: func.func @one_row
// CHECK-DAG: memref.expand_shape %{{.*}} {{\[}}[0, 1]] output_shape [1, 32] : memref<32xf32> into memref<1x32xf32>
// CHECK-DAG: memref.expand_shape %{{.*}} {{\[}}[0, 1]] output_shape [1, 16] : memref<16xf32> into memref<1x16xf32>
func.func @one_row(%x: memref<32xf32>, %w: !attn.weight<16x32, f16>, %into: memref<16xf32>) {
  attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : memref<32xf32>, !attn.weight<16x32, f16> into memref<16xf32>
  return
}
