// RUN: heed-opt %s -heed-merge-tasks -split-input-file | FileCheck %s

// Loops over the rows of two tensors that have nothing to do with each other: one loop with as many tasks
// as the longer one needs. Those over the same rows are joined, whatever stands between them.
// CHECK-LABEL: func.func @of_two_lengths
// CHECK-SAME: (%[[N:.+]]: index, %[[M:.+]]: index)
// CHECK: %[[MOST:.+]] = arith.maxui
// CHECK: scf.forall (%{{.+}}) in (%[[MOST]])
// CHECK: %[[NEND:.+]] = arith.minui %{{.+}}, %[[N]]
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[NEND]]
// CHECK-COUNT-2: memref.store
// CHECK: %[[MEND:.+]] = arith.minui %{{.+}}, %[[M]]
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[MEND]]
// CHECK: memref.store
// CHECK-NOT: scf.forall
func.func @of_two_lengths(%n: index, %m: index) {
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %one = arith.constant 1.0 : f32
  %a = memref.alloc(%n) : memref<?xf32>
  %b = memref.alloc(%m) : memref<?xf32>
  %c = memref.alloc(%n) : memref<?xf32>
  %ntasks = arith.ceildivui %n, %c8 : index
  %mtasks = arith.ceildivui %m, %c8 : index
  scf.forall (%t) in (%ntasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %n : index
    scf.for %row = %begin to %end step %c1 {
      memref.store %one, %a[%row] : memref<?xf32>
    }
  }
  scf.forall (%t) in (%mtasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %m : index
    scf.for %row = %begin to %end step %c1 {
      memref.store %one, %b[%row] : memref<?xf32>
    }
  }
  scf.forall (%t) in (%ntasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %n : index
    scf.for %row = %begin to %end step %c1 {
      memref.store %one, %c[%row] : memref<?xf32>
    }
  }
  return
}

// -----

// A task that does something besides its rows doesn't run where there are none.
// CHECK-LABEL: func.func @besides_rows
// CHECK-COUNT-2: scf.forall
func.func @besides_rows(%n: index, %m: index) {
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %one = arith.constant 1.0 : f32
  %a = memref.alloc(%n) : memref<?xf32>
  %b = memref.alloc(%m) : memref<?xf32>
  %ntasks = arith.ceildivui %n, %c8 : index
  %mtasks = arith.ceildivui %m, %c8 : index
  scf.forall (%t) in (%ntasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %n : index
    scf.for %row = %begin to %end step %c1 {
      memref.store %one, %a[%row] : memref<?xf32>
    }
  }
  scf.forall (%t) in (%mtasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %m : index
    memref.store %one, %b[%begin] : memref<?xf32>
    scf.for %row = %begin to %end step %c1 {
      memref.store %one, %b[%row] : memref<?xf32>
    }
  }
  return
}
