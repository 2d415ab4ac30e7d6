// RUN: heed-opt %s -allow-unregistered-dialect -heed-share-buffers -split-input-file | FileCheck %s

// Two loops one after the other, in a loop: all rounds of both have one buffer. One of another size, and
// what holds a sum over the rounds, stay apart.
// CHECK-LABEL: func.func @in_turn
// CHECK-SAME: %[[N:[a-z0-9]+]]: index
// CHECK-DAG: %[[SUM:.*]] = memref.alloc() : memref<8xf32>
// CHECK-DAG: %[[SHARED:.*]] = memref.alloc(%[[N]]) : memref<?x8xf32>
// CHECK-DAG: %[[OTHER:.*]] = memref.alloc(%[[N]]) : memref<?x4xf32>
// CHECK-NOT: memref.alloc
// CHECK: scf.for
// CHECK: scf.for
// CHECK: "test.use"(%[[SHARED]], %[[SUM]])
// CHECK: scf.for
// CHECK: "test.use"(%[[SHARED]], %[[OTHER]])
// CHECK: "test.use"(%[[SUM]])
func.func @in_turn(%n: index, %begin: index, %end: index, %one: index) {
  %sum = memref.alloc() : memref<8xf32>
  scf.for %period = %begin to %end step %one {
    scf.for %i = %begin to %end step %one {
      %a = memref.alloc(%n) : memref<?x8xf32>
      "test.use"(%a, %sum) : (memref<?x8xf32>, memref<8xf32>) -> ()
    }
    scf.for %i = %begin to %end step %one {
      %b = memref.alloc(%n) : memref<?x8xf32>
      %c = memref.alloc(%n) : memref<?x4xf32>
      "test.use"(%b, %c) : (memref<?x8xf32>, memref<?x4xf32>) -> ()
    }
  }
  "test.use"(%sum) : (memref<8xf32>) -> ()
  return
}

// -----

// What is used again, under whatever name, isn't over: %a is, %b isn't, %c may have %a's memory.
// CHECK-LABEL: func.func @overlapping
// CHECK: %[[A:.*]] = memref.alloc() : memref<2x8xf32>
// CHECK: %[[B:.*]] = memref.alloc() : memref<2x8xf32>
// CHECK-NOT: memref.alloc
// CHECK: "test.use"(%[[A]], %[[B]])
// CHECK: "test.use"(%[[A]])
func.func @overlapping() {
  %a = memref.alloc() : memref<2x8xf32>
  %b = memref.alloc() : memref<2x8xf32>
  %c = memref.alloc() : memref<2x8xf32>
  %row = memref.subview %b[0, 0] [1, 8] [1, 1] : memref<2x8xf32> to memref<1x8xf32, strided<[8, 1]>>
  "test.use"(%a, %b) : (memref<2x8xf32>, memref<2x8xf32>) -> ()
  "test.use"(%c) : (memref<2x8xf32>) -> ()
  "test.use"(%row) : (memref<1x8xf32, strided<[8, 1]>>) -> ()
  return
}

// -----

// A round that hands its buffer to the next keeps it in use; a buffer whose size a round computes stays
// in it; so does what a task of a parallel loop has; and an address that leaves a memref ends all knowledge.
// CHECK-LABEL: func.func @kept
// CHECK: %[[FIRST:.*]] = memref.alloc() : memref<8xf32>
// CHECK: scf.for {{.*}} iter_args(%[[LAST:.*]] = %[[FIRST]])
// CHECK: %[[NEXT:.*]] = memref.alloc() : memref<8xf32>
// CHECK: memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: scf.yield %[[NEXT]]
// CHECK: scf.forall
// CHECK: memref.alloc() : memref<8xf32>
// CHECK: %[[P:.*]] = memref.alloc() : memref<16xf32>
// CHECK: memref.extract_aligned_pointer_as_index %[[P]]
// CHECK: %[[Q:.*]] = memref.alloc() : memref<16xf32>
// CHECK: "test.use"(%[[Q]])
func.func @kept(%begin: index, %end: index, %one: index) -> memref<8xf32> {
  %first = memref.alloc() : memref<8xf32>
  %r = scf.for %i = %begin to %end step %one iter_args(%last = %first) -> memref<8xf32> {
    %next = memref.alloc() : memref<8xf32>
    %size = memref.alloc(%i) : memref<?xf32>
    "test.use"(%last, %next, %size) : (memref<8xf32>, memref<8xf32>, memref<?xf32>) -> ()
    scf.yield %next : memref<8xf32>
  }
  scf.forall (%t) in (4) {
    %own = memref.alloc() : memref<8xf32>
    "test.use"(%own) : (memref<8xf32>) -> ()
  }
  %p = memref.alloc() : memref<16xf32>
  %address = memref.extract_aligned_pointer_as_index %p : memref<16xf32> -> index
  %q = memref.alloc() : memref<16xf32>
  "test.use"(%q) : (memref<16xf32>) -> ()
  "test.use"(%address) : (index) -> ()
  return %r : memref<8xf32>
}

// -----

// A size that was asked of the later buffer, before the earlier one was allocated.
// CHECK-LABEL: func.func @size_before
// CHECK: %[[A:.*]] = memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: memref.dim %[[A]]
// CHECK-NOT: memref.alloc
// CHECK: "test.use"(%[[A]])
// CHECK: "test.use"(%[[A]])
func.func @size_before(%n: index) -> index {
  %zero = arith.constant 0 : index
  %b = memref.alloc(%n) : memref<?xf32>
  %size = memref.dim %b, %zero : memref<?xf32>
  %a = memref.alloc(%n) : memref<?xf32>
  "test.use"(%a) : (memref<?xf32>) -> ()
  "test.use"(%b) : (memref<?xf32>) -> ()
  return %size : index
}

// -----

// A size that is never more than one known before: every round takes a part of one buffer, and another
// loop's rounds take all of it.
// CHECK-LABEL: func.func @fewer_rows
// CHECK-SAME: %[[N:[a-z0-9]+]]: index
// CHECK: %[[MOST:.*]] = memref.alloc(%[[N]]) : memref<2x?x8xf32>
// CHECK-NOT: memref.alloc
// CHECK: scf.for
// CHECK: %[[ROWS:.*]] = arith.subi %[[N]], %{{.*}} overflow<nuw>
// CHECK: %[[STRIDE:.*]] = arith.muli %[[ROWS]],
// CHECK: %[[PART:.*]] = memref.reinterpret_cast %[[MOST]] to offset: [0], sizes: [2, %[[ROWS]], 8], strides: [%[[STRIDE]], 8, 1] : memref<2x?x8xf32> to memref<2x?x8xf32>
// CHECK: "test.use"(%[[PART]])
// CHECK: scf.for
// CHECK: "test.use"(%[[MOST]])
func.func @fewer_rows(%n: index, %begin: index, %end: index, %one: index) {
  scf.for %i = %begin to %end step %one {
    %rows = arith.subi %n, %i overflow<nuw> : index
    %a = memref.alloc(%rows) : memref<2x?x8xf32>
    "test.use"(%a) : (memref<2x?x8xf32>) -> ()
  }
  scf.for %i = %begin to %end step %one {
    %b = memref.alloc(%n) : memref<2x?x8xf32>
    "test.use"(%b) : (memref<2x?x8xf32>) -> ()
  }
  return
}

// -----

// A difference that may wrap around says nothing.
// CHECK-LABEL: func.func @any_rows
// CHECK: scf.for
// CHECK: memref.alloc(%{{.*}}) : memref<?xf32>
func.func @any_rows(%n: index, %begin: index, %end: index, %one: index) {
  scf.for %i = %begin to %end step %one {
    %rows = arith.subi %n, %i : index
    %a = memref.alloc(%rows) : memref<?xf32>
    "test.use"(%a) : (memref<?xf32>) -> ()
  }
  return
}
