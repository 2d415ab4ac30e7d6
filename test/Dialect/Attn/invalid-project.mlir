// RUN: heed-opt %s -split-input-file -verify-diagnostics

// Each case is named after the constraint that it breaks.

func.func @project_c1_none(%x: tensor<?x64xf32>, %w: !attn.weight<9x8x64, f32>) {
  // expected-error @below {{contracts 0 axes, expected at least 1, fewer than the weight's 3 and no more than the 2 of x}}
  %0 = attn.project query %x, %w contracted 0 : tensor<?x64xf32>, !attn.weight<9x8x64, f32> -> tensor<?x9x8xf32>
  return
}

// -----

func.func @project_c1_all(%x: tensor<?x9x8x64xf32>, %w: !attn.weight<9x8x64, f32>) {
  // expected-error @below {{contracts 3 axes, expected at least 1, fewer than the weight's 3 and no more than the 4 of x}}
  %0 = attn.project query %x, %w contracted 3 : tensor<?x9x8x64xf32>, !attn.weight<9x8x64, f32> -> tensor<?xf32>
  return
}

// -----

func.func @project_c1_x(%x: tensor<64xf32>, %w: !attn.weight<9x8x64, f32>) {
  // expected-error @below {{contracts 2 axes, expected at least 1, fewer than the weight's 3 and no more than the 1 of x}}
  %0 = attn.project query %x, %w contracted 2 : tensor<64xf32>, !attn.weight<9x8x64, f32> -> tensor<9xf32>
  return
}

// -----

func.func @project_c2(%x: tensor<?x8x32xf32>, %w: !attn.weight<9x8x64, f32>) {
  // expected-error @below {{contracts axes of sizes [8, 32] in x, expected [8, 64] as in the weight}}
  %0 = attn.project output %x, %w contracted 2 : tensor<?x8x32xf32>, !attn.weight<9x8x64, f32> -> tensor<?x9xf32>
  return
}

// -----

func.func @project_c3(%x: tensor<?x64xf32>, %w: !attn.weight<9x8x64, f32>) {
  // expected-error @below {{result has shape [?, 8, 9], expected [?, 9, 8]}}
  %0 = attn.project query %x, %w : tensor<?x64xf32>, !attn.weight<9x8x64, f32> -> tensor<?x8x9xf32>
  return
}

// -----

func.func @project_c3_into(%x: memref<?x64xf32>, %w: !attn.weight<9x8x64, f32>, %y: memref<?x72xf32>) {
  // expected-error @below {{'into' has shape [?, 72], expected [?, 9, 8]}}
  attn.project query %x, %w into %y : memref<?x64xf32>, !attn.weight<9x8x64, f32> into memref<?x72xf32>
  return
}

// -----

func.func @project_c4(%x: tensor<?x64xf32>, %w: !attn.weight<9x8x64, f32>) {
  // expected-error @below {{accumulates without 'into', expected the tensor to add to}}
  %0 = attn.project query %x, %w accumulate : tensor<?x64xf32>, !attn.weight<9x8x64, f32> -> tensor<?x9x8xf32>
  return
}

// -----

func.func @project_c5_into(%x: memref<?x64xf32>, %w: !attn.weight<9x8x64, f32>) {
  // expected-error @below {{has no 'into', expected one in memref form}}
  attn.project query %x, %w : memref<?x64xf32>, !attn.weight<9x8x64, f32>
  return
}

// -----

func.func @project_c5_result(%x: memref<?x64xf32>, %w: !attn.weight<9x8x64, f32>, %y: memref<?x9x8xf32>) {
  // expected-error @below {{has a result of type 'tensor<?x9x8xf32>', expected none in memref form}}
  %0 = attn.project query %x, %w into %y : memref<?x64xf32>, !attn.weight<9x8x64, f32> into memref<?x9x8xf32> -> tensor<?x9x8xf32>
  return
}

// -----

func.func @project_c5_mixed(%x: memref<?x64xf32>, %w: !attn.weight<9x8x64, f32>, %y: tensor<?x9x8xf32>) {
  // expected-error @below {{'into' has type 'tensor<?x9x8xf32>', expected a memref as the other operands are}}
  attn.project query %x, %w into %y : memref<?x64xf32>, !attn.weight<9x8x64, f32> into tensor<?x9x8xf32>
  return
}

// -----

func.func @project_c5_type(%x: tensor<?x64xf32>, %w: !attn.weight<9x8x64, f32>, %y: tensor<4x9x8xf32>) {
  // expected-error @below {{result has type 'tensor<?x9x8xf32>', expected 'tensor<4x9x8xf32>', the type of 'into'}}
  %0 = attn.project query %x, %w into %y : tensor<?x64xf32>, !attn.weight<9x8x64, f32> into tensor<4x9x8xf32> -> tensor<?x9x8xf32>
  return
}

// -----

func.func @project_role(%x: tensor<?x64xf32>, %w: !attn.weight<9x8x64, f32>) {
  // expected-error @below {{found role 'answer', expected linear, query, key, value or output}}
  %0 = attn.project answer %x, %w : tensor<?x64xf32>, !attn.weight<9x8x64, f32> -> tensor<?x9x8xf32>
  return
}

// -----

func.func @project_c1_heads(%x: tensor<?x9x64xf32>, %w: !attn.weight<9x64, f32>) {
  // expected-error @below {{contracts 1 axes, expected at least 1, fewer than the weight's 1 and no more than the 2 of x, heads apart}}
  %0 = attn.project linear %x, %w per_head : tensor<?x9x64xf32>, !attn.weight<9x64, f32> -> tensor<?x9xf32>
  return
}

// -----

func.func @project_c3_heads(%x: tensor<?x9x64xf32>, %w: !attn.weight<9x8x64, f32>) {
  // expected-error @below {{result has shape [?, 9, 9, 8], expected [?, 9, 8]}}
  %0 = attn.project linear %x, %w per_head : tensor<?x9x64xf32>, !attn.weight<9x8x64, f32> -> tensor<?x9x9x8xf32>
  return
}

// -----

func.func @project_c6(%x: tensor<?x3x64xf32>, %w: !attn.weight<9x8x64, f32>) {
  // expected-error @below {{x has 3 heads, expected 9 as the weight has}}
  %0 = attn.project linear %x, %w per_head : tensor<?x3x64xf32>, !attn.weight<9x8x64, f32> -> tensor<?x3x8xf32>
  return
}

// -----

func.func @tile_c1(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>) {
  // expected-error @+1 {{tile of 6 rows and 4 panels in a part of 2, expected positive numbers and a whole number of tiles}}
  %0 = attn.project linear %x, %w tile <rows = 6, panels = 4, part = 2> : tensor<?x64xf32>, !attn.weight<72x64, f32> -> tensor<?x72xf32>
  return
}
