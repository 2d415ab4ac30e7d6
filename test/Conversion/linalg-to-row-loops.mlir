// RUN: heed-opt %s -convert-linalg-to-row-loops -split-input-file | FileCheck %s

#rows = affine_map<(i, c) -> (i, c)>
#row = affine_map<(i, c) -> (i)>

// The first parallel axis of dynamic length is divided into tasks of 8 rows.
// CHECK-LABEL: func.func @elementwise
// CHECK-SAME: %[[X:.*]]: memref<?x64xf32>, %[[Y:.*]]: memref<?x64xf32>)
// CHECK: %[[N:.*]] = memref.dim %[[X]]
// CHECK: %[[TASKS:.*]] = arith.ceildivui %[[N]], %c8
// CHECK: scf.forall (%[[T:.*]]) in (%[[TASKS]])
// CHECK: %[[BEGIN:.*]] = arith.muli %[[T]], %c8
// CHECK: %[[NEXT:.*]] = arith.addi %[[BEGIN]], %c8
// CHECK: %[[END:.*]] = arith.minui %[[NEXT]], %[[N]]
// CHECK: scf.for %[[I:.*]] = %[[BEGIN]] to %[[END]] step %c1
// CHECK: scf.for %[[C:.*]] = %c0{{.*}} to %c64
// CHECK: %[[V:.*]] = memref.load %[[X]][%[[I]], %[[C]]]
// What the output held before isn't read.
// CHECK-NOT: memref.load %[[Y]]
// CHECK: %[[E:.*]] = math.exp %[[V]] : f32
// CHECK: memref.store %[[E]], %[[Y]][%[[I]], %[[C]]]
// CHECK-NOT: linalg
func.func @elementwise(%x: memref<?x64xf32>, %y: memref<?x64xf32>) {
  linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<?x64xf32>) outs(%y : memref<?x64xf32>) {
  ^bb0(%a: f32, %b: f32):
    %e = math.exp %a : f32
    linalg.yield %e : f32
  }
  return
}

// -----

#rows = affine_map<(i, c) -> (i, c)>
#row = affine_map<(i, c) -> (i)>

// The sum of rows adds a row to what is in memory, not columns one by one.
// CHECK-LABEL: func.func @sum_of_rows
// CHECK-SAME: %[[X:.*]]: memref<?x64xf32>, %[[Y:.*]]: memref<64xf32>)
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step
// CHECK-NEXT: scf.for %[[C:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[BEFORE:.*]] = memref.load %[[Y]][%[[C]]]
// CHECK: %[[V:.*]] = memref.load %[[X]][%[[I]], %[[C]]]
// CHECK: %[[SUM:.*]] = arith.addf %[[BEFORE]], %[[V]]
// CHECK: memref.store %[[SUM]], %[[Y]][%[[C]]]
func.func @sum_of_rows(%x: memref<?x64xf32>, %y: memref<64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(c, i) -> (i, c)>, affine_map<(c, i) -> (c)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x64xf32>) outs(%y : memref<64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  }
  return
}

// A mean's division inside the sum may be a multiplication by the inverse.
// CHECK-LABEL: func.func @mean
// CHECK: scf.for {{.*}} iter_args
// CHECK: %[[SHARE:.*]] = arith.divf %{{.*}}, %{{.*}} fastmath<arcp> : f32
// CHECK: arith.addf %{{.*}}, %[[SHARE]] fastmath<reassoc,contract>
func.func @mean(%x: memref<?x64xf32>, %y: memref<?xf32>) {
  %count = arith.constant 64.0 : f32
  linalg.generic {indexing_maps = [#rows, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x64xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.divf %in, %count : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// A reduction's sum stays in a register, and may be summed in another order: in vectors.
// CHECK-LABEL: func.func @reduction
// CHECK-SAME: %[[X:.*]]: memref<?x64xf32>, %[[Y:.*]]: memref<?xf32>)
// CHECK: scf.forall
// CHECK: scf.for %[[I:.*]] = %{{.*}} to
// CHECK: %[[INITIAL:.*]] = memref.load %[[Y]][%[[I]]]
// CHECK: %[[SUM:.*]] = scf.for %[[C:.*]] = %c0{{.*}} to %c64{{.*}} iter_args(%[[RUNNING:.*]] = %[[INITIAL]])
// CHECK: %[[V:.*]] = memref.load %[[X]][%[[I]], %[[C]]]
// CHECK: %[[NEXT:.*]] = arith.addf %[[V]], %[[RUNNING]] fastmath<reassoc,contract>
// CHECK: scf.yield %[[NEXT]]
// CHECK: memref.store %[[SUM]], %[[Y]][%[[I]]]
func.func @reduction(%x: memref<?x64xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [#rows, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x64xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#out = affine_map<(h, k) -> (h, k)>
#grouped = affine_map<(h, k) -> (h floordiv 3, k)>

// Nothing of dynamic length: no tasks. Places are the maps' values; linalg.index is the loop's.
// CHECK-LABEL: func.func @constant_sizes
// CHECK-SAME: %[[X:.*]]: memref<3x4xf32>, %[[Y:.*]]: memref<9x4xindex>
// CHECK-NOT: scf.forall
// CHECK: scf.for %[[H:.*]] = %c0{{.*}} to %c9
// CHECK: scf.for %[[K:.*]] = %c0{{.*}} to %c4
// CHECK: %[[QUOTIENT:.*]] = arith.divsi %{{.*}}, %c3
// CHECK: %[[G:.*]] = arith.select %{{.*}}, %{{.*}}, %[[QUOTIENT]]
// CHECK: memref.load %[[X]][%[[G]], %[[K]]]
// CHECK: %[[AT:.*]] = arith.addi %[[H]], %{{.*}} : index
// CHECK: memref.store %[[AT]], %[[Y]][%[[H]], %[[K]]]
func.func @constant_sizes(%x: memref<3x4xf32>, %y: memref<9x4xindex>) {
  linalg.generic {indexing_maps = [#grouped, #out], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<3x4xf32>) outs(%y : memref<9x4xindex>) {
  ^bb0(%a: f32, %b: index):
    %h = linalg.index 0 : index
    %i = arith.fptoui %a : f32 to i64
    %j = arith.index_cast %i : i64 to index
    %at = arith.addi %h, %j : index
    linalg.yield %at : index
  }
  return
}

// -----

// What already is part of a task isn't divided.
// CHECK-LABEL: func.func @in_a_task
// CHECK: scf.forall
// CHECK-NOT: scf.forall
// CHECK: scf.for
func.func @in_a_task(%x: memref<?xf32>, %zero: f32) {
  scf.forall (%i) in (4) {
    linalg.fill ins(%zero : f32) outs(%x : memref<?xf32>)
  }
  return
}
