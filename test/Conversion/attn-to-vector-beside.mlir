// RUN: heed-opt %s -split-input-file -convert-attn-to-vector | FileCheck %s

// A tile of two panels is one of each weight: both sums of a row are there when its epilogue is
// computed. A row alone is multiplied by a panel of the first weight, then by one of the second.
// CHECK-LABEL: func.func @floats
// CHECK-SAME: (%[[X:[^:]+]]: memref<?x8xf32>, %[[W:[^:]+]]: !attn.weight<32x8, f32>, %[[V:[^:]+]]: !attn.weight<32x8, f32>
// CHECK: %[[OFW:.+]] = builtin.unrealized_conversion_cast %[[W]]
// CHECK: %[[OFV:.+]] = builtin.unrealized_conversion_cast %[[V]]
// CHECK: scf.forall
// CHECK: %[[SUMS:.+]]:4 = scf.for
// CHECK: llvm.getelementptr %[[OFW]]
// CHECK: llvm.getelementptr %[[OFV]]
// CHECK-COUNT-4: vector.fma
// CHECK: scf.yield
// CHECK: %[[FIRST:.+]] = arith.mulf %[[SUMS]]#0, %[[SUMS]]#1 : vector<16xf32>
// CHECK: vector.store %[[FIRST]], %[[Y:.+]][%[[I:.+]], %
// CHECK: %[[SECOND:.+]] = arith.mulf %[[SUMS]]#2, %[[SUMS]]#3 : vector<16xf32>
// CHECK: vector.store %[[SECOND]], %[[Y]]
// CHECK: } else {
// CHECK: llvm.getelementptr %[[OFW]]
// CHECK: llvm.getelementptr %[[OFV]]
func.func @floats(%x: memref<?x8xf32>, %w: !attn.weight<32x8, f32>, %v: !attn.weight<32x8, f32>, %y: memref<?x32xf32>) {
  attn.project linear %x, %w beside %v into %y tile <rows = 2, panels = 2, part = 2> : memref<?x8xf32>, !attn.weight<32x8, f32> beside !attn.weight<32x8, f32> into memref<?x32xf32> epilogue {
  ^bb0(%gate: f32, %up: f32):
    %0 = arith.mulf %gate, %up : f32
    attn.yield %0 : f32
  }
  return
}

// -----

// Panels of both weights are unpacked beside each other, and their sums lie so on the stack.
// CHECK-LABEL: func.func @bytes
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<6x2x16xf32>
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<2x1x8x16xi32>
// CHECK: %[[SUMS:.+]]:12 = scf.for
// CHECK-COUNT-96: attn.dot_bytes
// CHECK: vector.store %[[SUMS]]#1, %[[KEPT:.+]][%c0{{.*}}, %c1{{.*}}, %{{.+}}] : memref<6x2x16xf32>
// CHECK: scf.for %[[I:.+]] = %c0
// CHECK: %[[GATE:.+]] = vector.load %[[KEPT]][%[[I]], %c0
// CHECK: %[[UP:.+]] = vector.load %[[KEPT]][%[[I]], %c1
// CHECK: arith.negf %[[GATE]] : vector<16xf32>
// CHECK: arith.mulf %{{.+}}, %[[UP]] : vector<16xf32>
func.func @bytes(%x: memref<?x32xi8>, %scales: memref<?x1xf32>, %sums: memref<?x1xi32>, %w: !attn.weight<32x32, q8_0>, %v: !attn.weight<32x32, q8_0>, %y: memref<?x32xf32>) {
  attn.project linear %x, %w beside %v quantized %scales, %sums into %y tile <rows = 6, panels = 2, part = 2> : memref<?x32xi8>, !attn.weight<32x32, q8_0> beside !attn.weight<32x32, q8_0> of memref<?x1xf32>, memref<?x1xi32> into memref<?x32xf32> epilogue {
  ^bb0(%gate: f32, %up: f32):
    %one = arith.constant 1.0 : f32
    %0 = arith.negf %gate : f32
    %1 = math.exp %0 : f32
    %2 = arith.addf %1, %one : f32
    %3 = arith.divf %gate, %2 : f32
    %4 = arith.mulf %3, %up : f32
    attn.yield %4 : f32
  }
  return
}
