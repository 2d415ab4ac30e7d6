// RUN: heed-opt %s -heed-merge-tasks | FileCheck %s

// How many parts a product has, and so its tasks, may be known when the program runs.
// CHECK-LABEL: func.func @parts
// CHECK-SAME: %[[N:.+]]: index
// CHECK: %[[FIRST:.+]] = arith.muli %[[N]], %c2
// CHECK: %[[ALL:.+]] = arith.addi %[[FIRST]], %[[N]]
// CHECK: scf.forall (%[[T:.+]]) in (%[[ALL]])
// CHECK: %[[IS_FIRST:.+]] = arith.cmpi ult, %[[T]], %[[FIRST]]
// CHECK: scf.if %[[IS_FIRST]]
// CHECK: arith.remui %[[T]], %c2
// CHECK: arith.divui %[[T]], %c2
// CHECK: else
// CHECK: %[[OWN:.+]] = arith.subi %[[T]], %[[FIRST]]
// CHECK: memref.store %{{.*}}, %{{.+}}[%[[OWN]]]
// CHECK-NOT: scf.forall
func.func @parts(%n: index) {
  %one = arith.constant 1.0 : f32
  %a = memref.alloc(%n) : memref<?x2xf32>
  %b = memref.alloc(%n) : memref<?xf32>
  scf.forall (%t, %h) in (%n, 2) {
    memref.store %one, %a[%t, %h] : memref<?x2xf32>
  }
  scf.forall (%t) in (%n) {
    memref.store %one, %b[%t] : memref<?xf32>
  }
  return
}
