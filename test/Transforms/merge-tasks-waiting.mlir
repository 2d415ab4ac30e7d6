// RUN: heed-opt %s -heed-merge-tasks -split-input-file | FileCheck %s

// Sums begin at 0 where they are added up, after the product that the loop over blocks computes.
// CHECK-LABEL: func.func @waits
// CHECK: scf.forall (%{{.+}}) in (6)
// CHECK: scf.forall
// CHECK: scf.for
// CHECK: memref.store %{{.+}}, %[[SUM:.+]][%{{.+}}] : memref<1xf32>
// CHECK: memref.load %[[SUM]]
// CHECK-NOT: scf.forall
func.func @waits(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  %x = memref.alloc() : memref<6xf32>
  %s = memref.alloc(%n) : memref<?xf32>
  %y = memref.alloc(%n) : memref<?xf32>
  %tasks = arith.ceildivui %n, %c8 : index
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %n : index
    scf.for %row = %begin to %end step %c1 {
      memref.store %zero, %s[%row] : memref<?xf32>
    }
  }
  scf.forall (%t) in (6) {
    memref.store %zero, %x[%t] : memref<6xf32>
  }
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %n : index
    scf.for %row = %begin to %end step %c1 {
      %p = memref.load %x[%c0] : memref<6xf32>
      %v = memref.load %s[%row] : memref<?xf32>
      %w = arith.addf %p, %v : f32
      memref.store %w, %y[%row] : memref<?xf32>
    }
  }
  return
}

// -----

// What somebody needs now doesn't wait for another reader, though that one comes first.
// CHECK-LABEL: func.func @needed_now
// CHECK: %[[X:.+]] = memref.alloc() : memref<6xf32>
// CHECK: %[[S:.+]] = memref.alloc(%{{.+}}) : memref<?xf32>
// CHECK: scf.forall
// CHECK: memref.store %{{.+}}, %[[S]]
// CHECK: memref.load %[[S]]
// CHECK: scf.forall (%{{.+}}) in (6)
// CHECK: memref.load %[[X]]
// CHECK: memref.load %[[S]]
func.func @needed_now(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  %x = memref.alloc() : memref<6xf32>
  %s = memref.alloc(%n) : memref<?xf32>
  %y = memref.alloc(%n) : memref<?xf32>
  %z = memref.alloc(%n) : memref<?xf32>
  %tasks = arith.ceildivui %n, %c8 : index
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %n : index
    scf.for %row = %begin to %end step %c1 {
      memref.store %zero, %s[%row] : memref<?xf32>
    }
  }
  scf.forall (%t) in (6) {
    memref.store %zero, %x[%t] : memref<6xf32>
  }
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %n : index
    scf.for %row = %begin to %end step %c1 {
      %p = memref.load %x[%c0] : memref<6xf32>
      %v = memref.load %s[%row] : memref<?xf32>
      %w = arith.addf %p, %v : f32
      memref.store %w, %y[%row] : memref<?xf32>
    }
  }
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %n : index
    scf.for %row = %begin to %end step %c1 {
      %v = memref.load %s[%row] : memref<?xf32>
      memref.store %v, %z[%row] : memref<?xf32>
    }
  }
  return
}
