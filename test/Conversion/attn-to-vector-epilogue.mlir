// RUN: heed-opt %s -split-input-file -convert-attn-to-vector | FileCheck %s

// A bias is added to each sum on its way to memory; what the last panel lacks is masked.
// CHECK-LABEL: func.func @bias
// CHECK-SAME: %[[B:[^:]+]]: memref<24xf32>, %[[Y:[^:]+]]: memref<?x24xf32>)
// CHECK: %[[BIAS:.+]] = vector.maskedload %[[B]][%[[F:.+]]], %[[MASK:.+]], %{{.+}} :
// CHECK: %[[SUM:.+]] = arith.addf %{{.+}}, %[[BIAS]] : vector<16xf32>
// CHECK: vector.maskedstore %[[Y]][%{{.+}}, %[[F]]], %[[MASK]], %[[SUM]]
// CHECK-NOT: memref.alloca
func.func @bias(%x: memref<?x8xf32>, %w: !attn.weight<24x8, f32>, %b: memref<24xf32>, %y: memref<?x24xf32>) {
  attn.project linear %x, %w joins %b by [affine_map<(i, f) -> (f)>] into %y tile <rows = 12, panels = 2, part = 2> : memref<?x8xf32>, !attn.weight<24x8, f32> joins memref<24xf32> into memref<?x24xf32> epilogue {
  ^bb0(%sum: f32, %bias: f32):
    %0 = arith.addf %sum, %bias : f32
    attn.yield %0 : f32
  }
  return
}

// -----

// A long epilogue is built once for a tile, whose sums go through the stack. One factor a row is
// the same in all lanes.
// CHECK-LABEL: func.func @long
// CHECK-SAME: %[[R:[^:]+]]: memref<?xf32>, %[[Y:[^:]+]]: memref<?x32xbf16>)
// CHECK: scf.forall
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<{{[0-9]+}}x2x16xf32>
// CHECK: vector.store %{{.+}}, %[[KEPT:.+]][%{{.+}}] : memref<12x2x16xf32>
// CHECK: scf.for %[[I:.+]] = %c0{{.*}} to
// CHECK: %[[SUM:.+]] = vector.load %[[KEPT]][%[[I]],
// CHECK: %[[FACTOR:.+]] = memref.load %[[R]]
// CHECK: %[[FACTORS:.+]] = vector.broadcast %[[FACTOR]] : f32 to vector<16xf32>
// CHECK: arith.mulf %[[SUM]], %[[FACTORS]] : vector<16xf32>
// CHECK: math.erf
// CHECK: %[[NARROW:.+]] = arith.truncf %{{.+}} : vector<16xf32> to vector<16xbf16>
// CHECK: vector.store %[[NARROW]], %[[Y]]
func.func @long(%x: memref<?x8xf32>, %w: !attn.weight<32x8, f32>, %r: memref<?xf32>, %y: memref<?x32xbf16>) {
  attn.project linear %x, %w joins %r by [affine_map<(i, f) -> (i)>] into %y tile <rows = 12, panels = 2, part = 2> : memref<?x8xf32>, !attn.weight<32x8, f32> joins memref<?xf32> into memref<?x32xbf16> epilogue {
  ^bb0(%sum: f32, %factor: f32):
    %one = arith.constant 1.0 : f32
    %0 = arith.mulf %sum, %factor : f32
    %1 = math.erf %0 : f32
    %2 = arith.addf %1, %one : f32
    %3 = arith.mulf %0, %2 : f32
    %4 = arith.truncf %3 : f32 to bf16
    attn.yield %4 : bf16
  }
  return
}

// -----

// Heads first: a feature is a head and a component.
// CHECK-LABEL: func.func @heads
// CHECK-SAME: %[[Y:[^:]+]]: memref<2x?x16xf32, strided<[?, 16, 1], offset: ?>>)
// CHECK: vector.fma
// CHECK: %[[C16:.+]] = arith.constant 16 : index
// CHECK: %[[H:.+]] = arith.divui %[[F:.+]], %{{.+}} : index
// CHECK: %[[K:.+]] = arith.remui %[[F]], %{{.+}} : index
// CHECK: vector.store %{{.+}}, %[[Y]][%[[H]], %{{.+}}, %[[K]]]
func.func @heads(%x: memref<?x8xf32>, %w: !attn.weight<2x16x8, f32>, %y: memref<2x?x16xf32, strided<[?, 16, 1], offset: ?>>) {
  attn.project key %x, %w heads_first into %y tile <rows = 12, panels = 2, part = 2> : memref<?x8xf32>, !attn.weight<2x16x8, f32> into memref<2x?x16xf32, strided<[?, 16, 1], offset: ?>>
  return
}
