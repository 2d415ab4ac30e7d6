// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-narrow-attention{type=auto}))' | FileCheck %s
// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-narrow-attention{type=bf16}))' | FileCheck %s --check-prefix=ALL
// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-narrow-attention))' | FileCheck %s --check-prefix=NONE
// RUN: not heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-narrow-attention{type=f16}))' 2>&1 | FileCheck %s --check-prefix=TYPE

// TYPE: expected a type of f32, auto or bf16, found f16
// NONE-NOT: bf16 :

// Rows that meet a quantised weight are rounded, and so is attention.
// CHECK-LABEL: func.func @quantised
// CHECK: attn.attention {{.*}} scale 1.250000e-01 rows_first bf16 :
// ALL-LABEL: func.func @quantised
// ALL: attn.attention {{.*}} rows_first bf16 :
func.func @quantised(%x: tensor<?x32xf32>, %w: !attn.weight<16x32, q4_1>, %k: tensor<2x?x16xf32>) -> tensor<?x2x16xf32> {
  %p = attn.project query %x, %w : tensor<?x32xf32>, !attn.weight<16x32, q4_1> -> tensor<?x16xf32>
  %q = tensor.expand_shape %p [[0, 1], [2]] output_shape [2, 4, 16] : tensor<?x16xf32> into tensor<2x?x16xf32>
  %0 = attn.attention %q, %k, %k scale 0.125 rows_first : tensor<2x?x16xf32>, tensor<2x?x16xf32>, tensor<2x?x16xf32> -> tensor<?x2x16xf32>
  return %0 : tensor<?x2x16xf32>
}

// -----

// CHECK-LABEL: func.func @halves
// CHECK: attn.attention {{.*}} bf16 :
func.func @halves(%x: tensor<?x16xf32>, %w: !attn.weight<16x16, bf16>, %k: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %q = attn.project query %x, %w : tensor<?x16xf32>, !attn.weight<16x16, bf16> -> tensor<?x16xf32>
  %0 = attn.attention %q, %k, %k scale 0.125 : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// -----

// Rows that meet f32 weights stay as they are, and so does attention unless it is asked for.
// CHECK-LABEL: func.func @floats
// CHECK-NOT: bf16 :
// ALL-LABEL: func.func @floats
// ALL: attn.attention {{.*}} bf16 :
func.func @floats(%x: tensor<?x16xf32>, %w: !attn.weight<16x16, f32>, %k: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %q = attn.project query %x, %w : tensor<?x16xf32>, !attn.weight<16x16, f32> -> tensor<?x16xf32>
  %0 = attn.attention %q, %k, %k scale 0.125 : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// -----

// Fifteen components are no pairs.
// ALL-LABEL: func.func @odd
// ALL-NOT: bf16 :
func.func @odd(%q: tensor<?x15xf32>, %k: tensor<?x15xf32>, %v: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %0 = attn.attention %q, %k, %v scale 0.125 : tensor<?x15xf32>, tensor<?x15xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}
