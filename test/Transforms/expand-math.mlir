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
