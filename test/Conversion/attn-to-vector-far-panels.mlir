// RUN: heed-opt %s -convert-attn-to-vector="native-lanes=8 vnni=false" -canonicalize -split-input-file | FileCheck %s
// RUN: heed-opt %s -convert-attn-to-vector="native-lanes=16 vnni=false" -split-input-file | FileCheck %s --check-prefix=WIDE

// Where registers have eight lanes, a lone row's task reads two panels at once: of four, one of each half, so that a
// thread's tasks are two streams. Each is asked for half as far ahead.
// CHECK-LABEL: func.func @floats
// CHECK: %[[MANY:.+]] = arith.cmpi sgt, %{{.+}}, %c4
// CHECK: %[[TASKS:.+]] = arith.select %[[MANY]], %{{.+}}, %c2
// CHECK: scf.forall (%[[TASK:.+]]) in (%[[TASKS]])
// CHECK: } else {
// CHECK: attn.announce %{{.+}}[%{{.+}}], 4096
// Several rows have one panel after the other.
// CHECK-COUNT-2: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK: %[[OTHER:.+]] = arith.addi %[[TASK]], %c2
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK: vector.fma
// WIDE-LABEL: func.func @floats
// WIDE: attn.announce %{{.+}}[%{{.+}}], 8192
func.func @floats(%x: memref<?x64xf32>, %w: !attn.weight<64x64, f32>, %into: memref<?x64xf32>) {
  attn.project linear %x, %w into %into
    tile <rows = 6, panels = 1, part = 4> : memref<?x64xf32>, !attn.weight<64x64, f32> into memref<?x64xf32>
  return
}

// -----

// CHECK-LABEL: func.func @quants
// CHECK: %[[TASKS:.+]] = arith.select %{{.+}}, %c4{{.*}}, %c2
// CHECK: scf.forall (%[[TASK:.+]]) in (%[[TASKS]])
// CHECK: } else {
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>)
// CHECK: attn.prefetch %{{.+}}, 544
// CHECK: attn.dot_words
// CHECK: %[[OTHER:.+]] = arith.addi %[[TASK]], %c2
// CHECK: attn.prefetch %{{.+}}, 544
// CHECK: attn.dot_words
// CHECK: vector.store %{{.+}}, %{{.+}} : memref<?x64xf32>, vector<16xf32>
// CHECK: vector.store %{{.+}}, %{{.+}} : memref<?x64xf32>, vector<16xf32>
// WIDE-LABEL: func.func @quants
// WIDE: scf.forall (%{{.+}}) in (4)
func.func @quants(%x: memref<?x64xi16>, %s: memref<?x2xf32>, %t: memref<?x2xi32>, %w: !attn.weight<64x64, q8_0>, %into: memref<?x64xf32>) {
  attn.project linear %x, %w quantized %s, %t into %into
    tile <rows = 3, panels = 1, part = 1> : memref<?x64xi16>, !attn.weight<64x64, q8_0> of memref<?x2xf32>, memref<?x2xi32> into memref<?x64xf32>
  return
}

// -----

// Three panels can't be halved.
// CHECK-LABEL: func.func @odd
// CHECK: scf.forall (%{{.+}}) in (3)
func.func @odd(%x: memref<?x64xi16>, %s: memref<?x2xf32>, %t: memref<?x2xi32>, %w: !attn.weight<48x64, q8_0>, %into: memref<?x48xf32>) {
  attn.project linear %x, %w quantized %s, %t into %into
    tile <rows = 3, panels = 1, part = 1> : memref<?x64xi16>, !attn.weight<48x64, q8_0> of memref<?x2xf32>, memref<?x2xi32> into memref<?x48xf32>
  return
}
