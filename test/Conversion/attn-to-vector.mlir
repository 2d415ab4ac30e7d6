// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s
// RUN: heed-opt %s -convert-attn-to-vector="native-lanes=8" -split-input-file | FileCheck %s --check-prefix=NARROW

// 40 features are three panels of 16 lanes, the last one half full: two blocks of two panels, the
// last with one panel and a mask of 8 lanes. The number of rows chooses between two kernels.
// CHECK-LABEL: func.func @panels
// CHECK-SAME: %[[X:.*]]: memref<?x32xf32>, %[[W:.*]]: !attn.weight<40x32, f32>, %[[INTO:.*]]: memref<?x40xf32>)
// CHECK: builtin.unrealized_conversion_cast %[[W]] : !attn.weight<40x32, f32> to !llvm.ptr
// CHECK: %[[ROWS:.*]] = memref.dim %[[X]]
// CHECK: scf.forall (%[[BLOCK:.*]]) in (2)
// CHECK: %[[IS_LAST:.*]] = arith.cmpi eq, %[[BLOCK]], %c1
// CHECK: scf.if %[[IS_LAST]]
// CHECK: %[[MANY:.*]] = arith.cmpi sge, %[[ROWS]], %c4
// CHECK: scf.if %[[MANY]]
// 12 rows x 1 panel are summed in registers over all columns, then fewer rows.
// CHECK: scf.for
// CHECK-COUNT-12: vector.fma
// CHECK: %[[MASK:.*]] = vector.constant_mask [8] : vector<16xi1>
// CHECK: vector.maskedstore %[[INTO]][%{{.*}}, %{{.*}}], %[[MASK]]
// The other block: 12 rows x 2 panels.
// CHECK: vector.store
// CHECK-NOT: attn.project
// NARROW-LABEL: func.func @panels
// NARROW: scf.forall (%{{.*}}) in (3)
func.func @panels(%x: memref<?x32xf32>, %w: !attn.weight<40x32, f32>, %into: memref<?x40xf32>) {
  attn.project linear %x, %w into %into : memref<?x32xf32>, !attn.weight<40x32, f32> into memref<?x40xf32>
  return
}

// -----

// One block, no remainder: no branch between blocks. Many rows unpack the block first. Rows of heads are
// rows of a matrix, and the product is added to what `into` holds.
// CHECK-LABEL: func.func @accumulate
// CHECK-SAME: %[[Z:.*]]: memref<?x2x32xf32>, %{{.*}}: !attn.weight<32x2x32, q8_0>, %[[INTO:.*]]: memref<?x32xf32>)
// CHECK: memref.collapse_shape %[[Z]] {{\[}}[0], [1, 2]] : memref<?x2x32xf32> into memref<?x64xf32>
// CHECK: scf.forall (%{{.*}}) in (1)
// CHECK-NOT: arith.cmpi eq
// CHECK: %[[BLOCK:.*]] = memref.alloc() {alignment = 64 : i64} : memref<2x64x16xf32>
// CHECK: vector.store %{{.*}}, %[[BLOCK]]
// CHECK: vector.load %[[BLOCK]]
// CHECK: vector.fma
// CHECK: %[[OLD:.*]] = vector.load %[[INTO]]
// CHECK: %[[NEW:.*]] = arith.addf %{{.*}}, %[[OLD]]
// CHECK: vector.store %[[NEW]], %[[INTO]]
func.func @accumulate(%z: memref<?x2x32xf32>, %w: !attn.weight<32x2x32, q8_0>, %into: memref<?x32xf32>) {
  attn.project output %z, %w contracted 2 into %into accumulate : memref<?x2x32xf32>, !attn.weight<32x2x32, q8_0> into memref<?x32xf32>
  return
}

// -----

// A single row without a row axis.
// CHECK-LABEL: func.func @one_row
// CHECK-DAG: memref.expand_shape %{{.*}} {{\[}}[0, 1]] output_shape [1, 32] : memref<32xf32> into memref<1x32xf32>
// CHECK-DAG: memref.expand_shape %{{.*}} {{\[}}[0, 1]] output_shape [1, 16] : memref<16xf32> into memref<1x16xf32>
func.func @one_row(%x: memref<32xf32>, %w: !attn.weight<16x32, f16>, %into: memref<16xf32>) {
  attn.project linear %x, %w into %into : memref<32xf32>, !attn.weight<16x32, f16> into memref<16xf32>
  return
}

// -----

// A row of a table is one lane of its panel; ids outside read the nearest row.
// CHECK-LABEL: func.func @embed
// CHECK-SAME: %[[IDS:.*]]: memref<?xi32>, %{{.*}}: !attn.weight<100x32, q8_0>, %[[INTO:.*]]: memref<?x32xf32>)
// CHECK: %[[N:.*]] = memref.dim %[[IDS]]
// CHECK: scf.forall (%[[I:.*]]) in (%[[N]])
// CHECK: %[[RAW:.*]] = memref.load %[[IDS]][%[[I]]]
// CHECK: %[[INDEX:.*]] = arith.index_cast %[[RAW]]
// CHECK: %[[ID:.*]] = arith.minui %[[INDEX]], %c99
// CHECK: arith.divui %[[ID]], %c16
// CHECK: %[[LANE:.*]] = arith.remui %[[ID]], %c16
// CHECK: %[[VALUE:.*]] = vector.extract %{{.*}}[%[[LANE]]]
// CHECK: memref.store %[[VALUE]], %[[INTO]][%[[I]], %{{.*}}]
func.func @embed(%ids: memref<?xi32>, %t: !attn.weight<100x32, q8_0>, %into: memref<?x32xf32>) {
  attn.embed %ids, %t into %into : memref<?xi32>, !attn.weight<100x32, q8_0> into memref<?x32xf32>
  return
}
