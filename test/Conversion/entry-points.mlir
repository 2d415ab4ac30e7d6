// RUN: heed-opt %s --split-input-file --convert-entry-points | FileCheck %s

// A plain function: one run-time size, one static and one dynamic axis.
func.func @scale(%x: memref<?x4xf32> {heed.arg = "param", heed.name = "x"},
                 %y: memref<?x4xf32> {heed.arg = "result"})
    attributes {heed.sizes = ["n"]} {
  memref.copy %x, %y : memref<?x4xf32> to memref<?x4xf32>
  return
}

// CHECK-LABEL: func.func @scale_entry(
// CHECK-SAME:    %[[CONTEXT:.*]]: !llvm.ptr, %[[INTS:.*]]: !llvm.ptr, %[[BUFFERS:.*]]: !llvm.ptr)
// CHECK-SAME:    heed.entry = "scale"
// CHECK:         %[[N:.*]] = llvm.load %[[INTS]] {alignment = 8 : i64} : !llvm.ptr -> i64
// CHECK:         %[[BASE_X:.*]] = llvm.load %[[BUFFERS]]
// CHECK:         llvm.insertvalue %[[BASE_X]], {{.*}}[0]
// CHECK:         llvm.insertvalue %[[BASE_X]], {{.*}}[1]
// CHECK:         llvm.insertvalue %[[N]], {{.*}}[3, 0]
// CHECK:         %[[X:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x4xf32>
// CHECK:         %[[SECOND:.*]] = llvm.getelementptr %[[BUFFERS]][8]
// CHECK:         llvm.load %[[SECOND]]
// CHECK:         %[[Y:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x4xf32>
// CHECK:         memref.copy %[[X]], %[[Y]]

// -----

// A step: numbers in the order n, past, first, capacity; buffers params, caches, results.
func.func @logits(%tokens: memref<?xi32> {heed.arg = "param", heed.name = "tokens"},
                  %past: index {heed.arg = "past"}, %first: index {heed.arg = "first"},
                  %K: memref<30x3x?x64xf32> {heed.arg = "cache", heed.name = "K"},
                  %out: memref<?x100xf32> {heed.arg = "result"})
    attributes {heed.kind = "step", heed.sizes = ["n"], heed.bounds = array<i64: 8192>} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %K[%c0, %c0, %past, %c0] : memref<30x3x?x64xf32>
  memref.store %zero, %out[%first, %c0] : memref<?x100xf32>
  return
}

// CHECK-LABEL: func.func @logits_entry(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %[[INTS:.*]]: !llvm.ptr, %[[BUFFERS:.*]]: !llvm.ptr)
// CHECK:         %[[N:.*]] = llvm.load %[[INTS]]
// CHECK:         %[[PAST_AT:.*]] = llvm.getelementptr %[[INTS]][8]
// CHECK:         %[[PAST:.*]] = llvm.load %[[PAST_AT]]
// CHECK:         %[[FIRST_AT:.*]] = llvm.getelementptr %[[INTS]][16]
// CHECK:         %[[FIRST:.*]] = llvm.load %[[FIRST_AT]]
// CHECK:         %[[CAPACITY_AT:.*]] = llvm.getelementptr %[[INTS]][24]
// CHECK:         %[[CAPACITY:.*]] = llvm.load %[[CAPACITY_AT]]
// CHECK:         %[[ROWS:.*]] = llvm.sub %[[N]], %[[FIRST]]
// CHECK:         %[[PAST_INDEX:.*]] = arith.index_cast %[[PAST]] : i64 to index
// CHECK:         %[[FIRST_INDEX:.*]] = arith.index_cast %[[FIRST]] : i64 to index
// CHECK:         llvm.insertvalue %[[CAPACITY]], {{.*}}[3, 2]
// CHECK:         %[[K:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<30x3x?x64xf32>
// CHECK:         llvm.insertvalue %[[ROWS]], {{.*}}[3, 0]
// CHECK:         %[[OUT:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x100xf32>
// CHECK:         memref.store %{{.*}}, %[[K]][%{{.*}}, %{{.*}}, %[[PAST_INDEX]], %{{.*}}]
// CHECK:         memref.store %{{.*}}, %[[OUT]][%[[FIRST_INDEX]], %{{.*}}]

// -----

// heed.dims says which of several sizes an axis has.
func.func @outer(%a: memref<?xf32> {heed.arg = "param", heed.dims = array<i64: -2>},
                 %y: memref<?x?xf32> {heed.arg = "result", heed.dims = array<i64: -1, -2>})
    attributes {heed.sizes = ["n", "m"]} {
  memref.dealloc %a : memref<?xf32>
  memref.dealloc %y : memref<?x?xf32>
  return
}

// CHECK-LABEL: func.func @outer_entry(
// CHECK:         %[[N:.*]] = llvm.load
// CHECK:         %[[M:.*]] = llvm.load
// CHECK:         llvm.insertvalue %[[M]], {{.*}}[3, 0]
// CHECK:         llvm.insertvalue %[[N]], {{.*}}[3, 0]
// CHECK-NEXT:    llvm.insertvalue %[[M]], {{.*}}[4, 0]
// CHECK-NEXT:    llvm.insertvalue %[[M]], {{.*}}[3, 1]

// -----

// Functions that are not exported stay as they are.
// CHECK-LABEL: func.func @inner(
// CHECK-SAME:    memref<4xf32>)
func.func @inner(%x: memref<4xf32>) {
  return
}
