// RUN: heed-opt %s -convert-linalg-to-row-loops -split-input-file | FileCheck %s

#all = affine_map<(h, i, k) -> (h, i, k)>
#crosswise = affine_map<(h, i, k) -> (h, i, k - (k mod 2) * 2 + 1)>

// Rows come outermost, and pairs that are read crosswise one by one: no place depends on a remainder.
// CHECK-LABEL: func.func @pairs
// CHECK-SAME: %[[X:.*]]: memref<9x?x64xf32>, %[[Y:.*]]: memref<9x?x64xf32>)
// CHECK: scf.forall
// CHECK: scf.for %[[I:[^ ]*]] = %{{.*}} to %{{.*}}
// CHECK: scf.for %[[H:[^ ]*]] = %{{.*}} to %c9
// CHECK: scf.for %[[PAIR:[^ ]*]] = %{{.*}} to
// CHECK-NOT: rem
// CHECK: %[[FIRST:.*]] = arith.muli %[[PAIR]], %c2
// CHECK: %[[EVEN:.*]] = arith.addi %[[FIRST]], %c0
// CHECK: memref.load %[[X]][%[[H]], %[[I]], %[[EVEN]]]
// CHECK: memref.store %{{.*}}, %[[Y]][%[[H]], %[[I]], %[[EVEN]]]
// CHECK: %[[ODD:.*]] = arith.addi %[[FIRST]], %c1
// CHECK: memref.store %{{.*}}, %[[Y]][%[[H]], %[[I]], %[[ODD]]]
func.func @pairs(%x: memref<9x?x64xf32>, %y: memref<9x?x64xf32>) {
  linalg.generic {indexing_maps = [#all, #crosswise, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %x : memref<9x?x64xf32>, memref<9x?x64xf32>) outs(%y : memref<9x?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.subf %a, %b : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#odd = affine_map<(i, k) -> (i, k mod 2)>
#all = affine_map<(i, k) -> (i, k)>

// An odd number of elements isn't made of pairs.
// CHECK-LABEL: func.func @no_pairs
// CHECK: arith.rem
func.func @no_pairs(%x: memref<?x2xf32>, %y: memref<?x7xf32>) {
  linalg.generic {indexing_maps = [#odd, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<?x2xf32>) outs(%y : memref<?x7xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}
