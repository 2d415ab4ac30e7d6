// RUN: heed-opt %s -heed-merge-tasks -split-input-file | FileCheck %s

// A sum of each row and what is made of it: the second loop reads what the same task wrote. Nobody
// else does, so that a row of the sums is enough.
// CHECK-LABEL: func.func @rows
// CHECK: scf.forall
// CHECK: %[[SUM:.+]] = memref.alloc() : memref<1xf32>
// CHECK: %[[ZERO:.+]] = arith.constant 0 : index
// CHECK: scf.for
// CHECK: memref.store %{{.*}}, %[[SUM]][%[[ZERO]]]
// CHECK-NOT: scf.for
// CHECK: memref.load %[[SUM]][%[[ZERO]]]
// CHECK-NOT: scf.forall
// CHECK: return
func.func @rows(%rows: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %x = memref.alloc(%rows) : memref<?x4xf32>
  %s = memref.alloc(%rows) : memref<?xf32>
  %y = memref.alloc(%rows) : memref<?x4xf32>
  %tasks = arith.ceildivui %rows, %c8 : index
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %rows : index
    scf.for %row = %begin to %end step %c1 {
      %v = memref.load %x[%row, %c0] : memref<?x4xf32>
      memref.store %v, %s[%row] : memref<?xf32>
    }
  }
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %rows : index
    scf.for %row = %begin to %end step %c1 {
      %v = memref.load %s[%row] : memref<?xf32>
      memref.store %v, %y[%row, %c0] : memref<?x4xf32>
    }
  }
  return
}

// -----

// Here a task reads the first row, which another one wrote.
// CHECK-LABEL: func.func @other_rows
// CHECK-COUNT-2: scf.forall
func.func @other_rows(%rows: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %one = arith.constant 1.0 : f32
  %s = memref.alloc(%rows) : memref<?xf32>
  %y = memref.alloc(%rows) : memref<?xf32>
  %tasks = arith.ceildivui %rows, %c8 : index
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %rows : index
    scf.for %row = %begin to %end step %c1 {
      memref.store %one, %s[%row] : memref<?xf32>
    }
  }
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %rows : index
    scf.for %row = %begin to %end step %c1 {
      %v = memref.load %s[%c0] : memref<?xf32>
      memref.store %v, %y[%row] : memref<?xf32>
    }
  }
  return
}

// -----

// Blocks of two matrices become tasks of one loop; the third reads what the first wrote, and waits.
// CHECK-LABEL: func.func @blocks
// CHECK: scf.forall (%[[T:.+]]) in (24)
// CHECK: %[[IS_FIRST:.+]] = arith.cmpi ult, %[[T]], %{{.*}}
// CHECK: scf.if %[[IS_FIRST]]
// CHECK: memref.store %{{.*}}, %[[A:.+]][%[[T]]]
// CHECK: else
// CHECK: %[[OWN:.+]] = arith.subi %[[T]]
// CHECK: memref.store %{{.*}}, %{{.+}}[%[[OWN]]]
// CHECK: scf.forall (%{{.+}}) in (6)
// CHECK: memref.load %[[A]]
func.func @blocks() {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %a = memref.alloc() : memref<18xf32>
  %b = memref.alloc() : memref<6xf32>
  %c = memref.alloc() : memref<6xf32>
  scf.forall (%t) in (18) {
    memref.store %one, %a[%t] : memref<18xf32>
  }
  scf.forall (%t) in (6) {
    %v = memref.load %a[%t] : memref<18xf32>
    memref.store %v, %c[%t] : memref<6xf32>
  }
  scf.forall (%t) in (6) {
    memref.store %one, %b[%t] : memref<6xf32>
  }
  return
}

// -----

// Nothing passes a call, and memory of unknown origin stays in order.
// CHECK-LABEL: func.func @unknown
// CHECK-COUNT-2: scf.forall
// CHECK: call @other
// CHECK: scf.forall
func.func private @other()
func.func @unknown(%p: memref<6xf32>) {
  %one = arith.constant 1.0 : f32
  %a = memref.alloc() : memref<6xf32>
  scf.forall (%t) in (6) {
    memref.store %one, %p[%t] : memref<6xf32>
  }
  scf.forall (%t) in (6) {
    memref.store %one, %a[%t] : memref<6xf32>
  }
  call @other() : () -> ()
  scf.forall (%t) in (6) {
    memref.store %one, %a[%t] : memref<6xf32>
  }
  return
}
