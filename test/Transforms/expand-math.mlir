// RUN: heed-opt %s -heed-expand-math | FileCheck %s

// CHECK-LABEL: func.func @polynomials
// CHECK-NOT: math.exp
// CHECK-NOT: math.tanh
// CHECK-NOT: math.erf
// CHECK-NOT: math.log
// CHECK: math.fma
// CHECK: return
func.func @polynomials(%x: f32, %v: vector<16xf32>) -> (f32, f32, f32, f32, f32, vector<16xf32>) {
  %a = math.exp %x : f32
  %b = math.exp2 %x : f32
  %c = math.tanh %x : f32
  %d = math.erf %x : f32
  %e = math.log %x : f32
  %f = math.exp %v : vector<16xf32>
  return %a, %b, %c, %d, %e, %f : f32, f32, f32, f32, f32, vector<16xf32>
}

// Exactly, e^x takes 8 of these and two shifts for its exponent.
// CHECK-LABEL: func.func @exact
// CHECK-COUNT-8: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func @exact(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// CHECK-LABEL: func.func @rough
// CHECK-COUNT-5: math.fma
// CHECK-NOT: math.fma
// CHECK: arith.shli
// CHECK-NOT: arith.shli
// CHECK: return
func.func @rough(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x fastmath<afn> : vector<16xf32>
  return %0 : vector<16xf32>
}

// No polynomial for what is left of erf's logarithm, and no choice between two.
// CHECK-LABEL: func.func @rough_erf
// CHECK-COUNT-8: math.fma
// CHECK-NOT: math.fma
// CHECK: return
// CHECK-LABEL: func.func @rough_tanh
// CHECK-COUNT-5: math.fma
// CHECK-NOT: math.fma
// CHECK: arith.divf
// CHECK: return
func.func @rough_erf(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.erf %x fastmath<afn> : vector<16xf32>
  return %0 : vector<16xf32>
}
func.func @rough_tanh(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.tanh %x fastmath<afn> : vector<16xf32>
  return %0 : vector<16xf32>
}

// CHECK-LABEL: func.func @square
// CHECK: arith.mulf %[[X:.+]], %[[X]] : vector<16xf32>
// CHECK-NEXT: return
func.func @square(%x: vector<16xf32>) -> vector<16xf32> {
  %two = arith.constant dense<2.0> : vector<16xf32>
  %0 = math.powf %x, %two : vector<16xf32>
  return %0 : vector<16xf32>
}

// Once a row, for arguments as large as a position: a short polynomial isn't accurate there.
// CHECK-LABEL: func.func @calls
// CHECK: math.sin
// CHECK: math.cos
// CHECK: math.powf
func.func @calls(%x: f32) -> (f32, f32, f32) {
  %a = math.sin %x : f32
  %b = math.cos %x : f32
  %c = math.powf %x, %x : f32
  return %a, %b, %c : f32, f32, f32
}

// The integer next to a number is one instruction; a vector of several axes, and a number that isn't
// rounded first, are left.
// CHECK-LABEL: func.func @rounding
// CHECK-SAME: (%[[X:.+]]: vector<16xf32>, %[[Y:.+]]: f32,
// CHECK: llvm.intr.lrint(%[[X]]) : (vector<16xf32>) -> vector<16xi32>
// CHECK: llvm.intr.lrint(%[[Y]]) : (f32) -> i32
// CHECK: math.roundeven %{{.*}} : vector<2x4xf32>
// CHECK: arith.fptosi %{{.*}} : vector<2x4xf32> to vector<2x4xi32>
// CHECK: arith.fptosi %[[Y]] : f32 to i32
func.func @rounding(%x: vector<16xf32>, %y: f32, %z: vector<2x4xf32>)
    -> (vector<16xi32>, i32, vector<2x4xi32>, i32) {
  %0 = math.roundeven %x : vector<16xf32>
  %a = arith.fptosi %0 : vector<16xf32> to vector<16xi32>
  %1 = math.roundeven %y : f32
  %b = arith.fptosi %1 : f32 to i32
  %2 = math.roundeven %z : vector<2x4xf32>
  %c = arith.fptosi %2 : vector<2x4xf32> to vector<2x4xi32>
  %d = arith.fptosi %y : f32 to i32
  return %a, %b, %c, %d : vector<16xi32>, i32, vector<2x4xi32>, i32
}
