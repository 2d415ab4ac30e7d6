// RUN: heed-opt %s -heed-merge-tasks -split-input-file | FileCheck %s

// Whole rows in two axes shrink where each loop writes them first; what is read before it is written
// keeps its rows, and so does what is written in part.
// CHECK-LABEL: func.func @row_buffers
// CHECK-DAG: %[[OLD:.+]] = memref.alloc(%{{.*}}) : memref<?x4xf32>
// CHECK-DAG: %[[PART:.+]] = memref.alloc(%{{.*}}) : memref<?x8xf32>
// CHECK: scf.forall
// CHECK: %[[ROW:.+]] = memref.alloc() : memref<1x4xf32>
// CHECK: scf.for %[[I:.+]] = %{{.*}} to
// CHECK: scf.for
// CHECK: %[[V:.+]] = memref.load %[[OLD]][%[[I]],
// CHECK: memref.store %[[V]], %[[ROW]][%{{.*}}, %{{.*}}] : memref<1x4xf32>
// CHECK: memref.store %[[V]], %[[PART]][%[[I]],
// CHECK: scf.for
// CHECK: vector.load %[[ROW]]
// CHECK: memref.load %[[PART]][%[[I]],
// CHECK: memref.store %{{.*}}, %[[OLD]][%[[I]],
func.func @row_buffers(%rows: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %old = memref.alloc(%rows) : memref<?x4xf32>
  %row = memref.alloc(%rows) : memref<?x4xf32>
  %part = memref.alloc(%rows) : memref<?x8xf32>
  %tasks = arith.ceildivui %rows, %c8 : index
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %rows : index
    scf.for %i = %begin to %end step %c1 {
      scf.for %c = %c0 to %c4 step %c1 {
        %v = memref.load %old[%i, %c] : memref<?x4xf32>
        memref.store %v, %row[%i, %c] : memref<?x4xf32>
        memref.store %v, %part[%i, %c] : memref<?x8xf32>
      }
    }
  }
  scf.forall (%t) in (%tasks) {
    %begin = arith.muli %t, %c8 : index
    %next = arith.addi %begin, %c8 : index
    %end = arith.minui %next, %rows : index
    scf.for %i = %begin to %end step %c1 {
      scf.for %c = %c0 to %c4 step %c1 {
        %v = vector.load %row[%i, %c0] : memref<?x4xf32>, vector<4xf32>
        %x = vector.extract %v[0] : f32 from vector<4xf32>
        %p = memref.load %part[%i, %c] : memref<?x8xf32>
        %s = arith.addf %x, %p : f32
        memref.store %s, %old[%i, %c] : memref<?x4xf32>
      }
    }
  }
  return
}
