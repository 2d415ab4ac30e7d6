// RUN: heed-opt %s -split-input-file -verify-diagnostics

// What `attn.project` says of its epilogue, what it joins, and the order of its result's axes.

func.func @project_c4_narrow(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>, %y: tensor<?x72xbf16>) {
  // expected-error @+1 {{accumulates in 'bf16', expected f32}}
  %0 = attn.project linear %x, %w into %y accumulate : tensor<?x64xf32>, !attn.weight<72x64, f32> into tensor<?x72xbf16> -> tensor<?x72xbf16>
  return
}

// -----

func.func @project_c8_narrow(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>) {
  // expected-error @+1 {{has no epilogue, expected one that narrows its sums}}
  %0 = attn.project linear %x, %w : tensor<?x64xf32>, !attn.weight<72x64, f32> -> tensor<?x72xbf16>
  return
}

// -----

func.func @project_c8_joined(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>, %b: tensor<72xf32>) {
  // expected-error @+1 {{has no epilogue, expected one that takes what is joined}}
  %0 = attn.project linear %x, %w joins %b by [affine_map<(i, f) -> (f)>] : tensor<?x64xf32>, !attn.weight<72x64, f32> joins tensor<72xf32> -> tensor<?x72xf32>
  return
}

// -----

func.func @project_c8_takes(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>) {
  // expected-error @+1 {{epilogue takes ('f32', 'f32'), expected ('f32')}}
  %0 = attn.project linear %x, %w : tensor<?x64xf32>, !attn.weight<72x64, f32> -> tensor<?x72xf32> epilogue {
  ^bb0(%sum: f32, %b: f32):
    attn.yield %b : f32
  }
  return
}

// -----

func.func @project_c8_yields(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>) {
  // expected-error @+1 {{epilogue yields ('f32'), expected one 'bf16'}}
  %0 = attn.project linear %x, %w : tensor<?x64xf32>, !attn.weight<72x64, f32> -> tensor<?x72xbf16> epilogue {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return
}

// -----

func.func @project_c9_axes(%x: tensor<?x64xf32>, %w: !attn.weight<9x8x64, f32>, %b: tensor<8xf32>) {
  // expected-error @+1 {{joins operand 0 by affine_map<(d0, d1, d2) -> (d2)>, expected all axes of the result, those of features or those of rows}}
  %0 = attn.project linear %x, %w joins %b by [affine_map<(i, h, k) -> (k)>] : tensor<?x64xf32>, !attn.weight<9x8x64, f32> joins tensor<8xf32> -> tensor<?x9x8xf32> epilogue {
  ^bb0(%sum: f32, %b0: f32):
    attn.yield %b0 : f32
  }
  return
}

// -----

func.func @project_c9_sizes(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>, %b: tensor<8xf32>) {
  // expected-error @+1 {{joined operand 0 has shape [8], expected [72]}}
  %0 = attn.project linear %x, %w joins %b by [affine_map<(i, f) -> (f)>] : tensor<?x64xf32>, !attn.weight<72x64, f32> joins tensor<8xf32> -> tensor<?x72xf32> epilogue {
  ^bb0(%sum: f32, %b0: f32):
    attn.yield %b0 : f32
  }
  return
}

// -----

func.func @project_c9_form(%x: memref<?x64xf32>, %w: !attn.weight<72x64, f32>, %b: tensor<72xf32>, %y: memref<?x72xf32>) {
  // expected-error @+1 {{joins 'tensor<72xf32>', expected a memref as the other operands are}}
  attn.project linear %x, %w joins %b by [affine_map<(i, f) -> (f)>] into %y : memref<?x64xf32>, !attn.weight<72x64, f32> joins tensor<72xf32> into memref<?x72xf32> epilogue {
  ^bb0(%sum: f32, %b0: f32):
    attn.yield %b0 : f32
  }
  return
}

// -----

func.func @project_c10_axes(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>) {
  // expected-error @+1 {{puts heads first with 1 axes of rows and 1 of features, expected 1 and 2 and nothing else}}
  %0 = attn.project query %x, %w heads_first : tensor<?x64xf32>, !attn.weight<72x64, f32> -> tensor<72x?xf32>
  return
}

// -----

func.func @project_c10_accumulate(%x: tensor<?x64xf32>, %w: !attn.weight<9x8x64, f32>, %y: tensor<9x?x8xf32>) {
  // expected-error @+1 {{puts heads first with 1 axes of rows and 2 of features, accumulating, expected 1 and 2 and nothing else}}
  %0 = attn.project query %x, %w heads_first into %y accumulate : tensor<?x64xf32>, !attn.weight<9x8x64, f32> into tensor<9x?x8xf32> -> tensor<9x?x8xf32>
  return
}

// -----

func.func @project_c8_beside(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>) {
  // expected-error @+1 {{has no epilogue, expected one that takes the sums of all weights}}
  %0 = attn.project linear %x, %w beside %w : tensor<?x64xf32>, !attn.weight<72x64, f32> beside !attn.weight<72x64, f32> -> tensor<?x72xf32>
  return
}

// -----

func.func @project_c8_sums(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>) {
  // expected-error @+1 {{epilogue takes ('f32'), expected ('f32', 'f32')}}
  %0 = attn.project linear %x, %w beside %w : tensor<?x64xf32>, !attn.weight<72x64, f32> beside !attn.weight<72x64, f32> -> tensor<?x72xf32> epilogue {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return
}

// -----

func.func @project_c11_type(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>, %v: !attn.weight<72x64, bf16>) {
  // expected-error @+1 {{has a weight of type '!attn.weight<72x64, bf16>' beside, expected '!attn.weight<72x64, f32>' as the first has}}
  %0 = attn.project linear %x, %w beside %v : tensor<?x64xf32>, !attn.weight<72x64, f32> beside !attn.weight<72x64, bf16> -> tensor<?x72xf32> epilogue {
  ^bb0(%sum: f32, %other: f32):
    attn.yield %other : f32
  }
  return
}

// -----

func.func @project_c11_tile(%x: tensor<?x64xf32>, %w: !attn.weight<72x64, f32>) {
  // expected-error @+1 {{has a tile of 3 panels of 2 weights, expected a multiple}}
  %0 = attn.project linear %x, %w beside %w tile <rows = 4, panels = 3, part = 3> : tensor<?x64xf32>, !attn.weight<72x64, f32> beside !attn.weight<72x64, f32> -> tensor<?x72xf32> epilogue {
  ^bb0(%sum: f32, %other: f32):
    attn.yield %other : f32
  }
  return
}
