// RUN: heed-opt %s -convert-attn-to-vector | FileCheck %s

// A matrix for each head: tasks are blocks of a head's panels, rows and heads are the rows of x and
// of the result, and a head's panels come after those of the heads before it.
// CHECK-LABEL: func.func @heads
// CHECK-SAME: %[[X:[^:]+]]: memref<?x5x32xf32>, %{{[^:]+}}: !attn.weight<5x40x32, f32>, %[[INTO:[^:]+]]: memref<?x5x40xf32>)
// CHECK-DAG: %[[XROWS:.+]] = memref.collapse_shape %[[X]] {{\[\[0, 1\], \[2\]\]}} : memref<?x5x32xf32> into memref<?x32xf32>
// CHECK-DAG: %[[YROWS:.+]] = memref.collapse_shape %[[INTO]] {{\[\[0, 1\], \[2\]\]}} : memref<?x5x40xf32> into memref<?x40xf32>
// CHECK: %[[ALL:.+]] = memref.dim %[[XROWS]], %c0
// CHECK: arith.divui %[[ALL]], %c5
// CHECK: %[[TASKS:.+]] = arith.select %{{.+}}, %{{.+}}, %c2{{.*}} : index
// CHECK: scf.forall (%{{.+}}, %[[HEAD:.+]]) in (%[[TASKS]], 5)
// CHECK: %[[BEFORE:.+]] = arith.muli %[[HEAD]], %c3
// CHECK: %[[ROW:.+]] = arith.addi %{{.+}}, %[[HEAD]]
// CHECK: arith.addi %[[BEFORE]], %{{.+}}
// CHECK: memref.load %[[XROWS]][%[[ROW]], %{{.+}}]
// CHECK: vector.maskedstore %[[YROWS]][%{{.+}}, %{{.+}}]
// CHECK-NOT: attn.project
func.func @heads(%x: memref<?x5x32xf32>, %w: !attn.weight<5x40x32, f32>, %into: memref<?x5x40xf32>) {
  attn.project linear %x, %w per_head into %into tile <rows = 12, panels = 2, part = 4> : memref<?x5x32xf32>, !attn.weight<5x40x32, f32> into memref<?x5x40xf32>
  return
}
