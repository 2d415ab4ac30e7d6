// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s

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

// -----

// Of a table in rows, sixteen elements at a time; tasks are chunks of rows.
// CHECK-LABEL: func.func @embed_rows
// CHECK-SAME: %[[IDS:.*]]: memref<?xi32>, %[[TABLE:.*]]: !attn.weight<100x48, bf16>, %[[INTO:.*]]: memref<?x48xf32>)
// CHECK: %[[BASE:.*]] = builtin.unrealized_conversion_cast %[[TABLE]]
// CHECK: scf.forall
// CHECK: scf.for %[[I:.*]] =
// CHECK: memref.load %[[IDS]][%[[I]]]
// CHECK: %[[ID:.*]] = arith.minui %{{.*}}, %c99
// CHECK: arith.muli %[[ID]], %c48
// CHECK: scf.for %[[COLUMN:.*]] = %c0{{.*}} to %c48{{.*}} step %c16
// CHECK: llvm.getelementptr %[[BASE]]
// CHECK: %[[NARROW:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<16xbf16>
// CHECK: %[[VALUES:.*]] = arith.extf %[[NARROW]]
// CHECK: vector.store %[[VALUES]], %[[INTO]][%[[I]], %[[COLUMN]]]
func.func @embed_rows(%ids: memref<?xi32>, %t: !attn.weight<100x48, bf16>, %into: memref<?x48xf32>) {
  attn.embed %ids, %t in_rows into %into : memref<?xi32>, !attn.weight<100x48, bf16> into memref<?x48xf32>
  return
}
