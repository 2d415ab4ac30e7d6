// RUN: heed-opt %s -split-input-file -verify-diagnostics

// Each case is named after the constraint that it breaks.

func.func @online_c1_ranks(%q: memref<4x16xf32>, %k: memref<1x?x4xf32>, %v: memref<?x8xf32>, %h: memref<16xindex>, %r: memref<16xindex>, %acc: memref<8x16xf32>, %mx: memref<16xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{q, k and v have ranks 2, 3 and 2, expected 2 each}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : memref<4x16xf32>, memref<1x?x4xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

func.func @online_c1_lanes(%q: memref<4x?xf32>, %k: memref<?x4xf32>, %v: memref<?x8xf32>, %h: memref<16xindex>, %r: memref<16xindex>, %acc: memref<8x16xf32>, %mx: memref<16xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{q has ? lanes, expected a constant number of them}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : memref<4x?xf32>, memref<?x4xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

func.func @online_c1_k(%q: memref<4x16xf32>, %k: memref<?x5xf32>, %v: memref<?x8xf32>, %h: memref<16xindex>, %r: memref<16xindex>, %acc: memref<8x16xf32>, %mx: memref<16xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{k has shape [?, 5], expected [?, 4]}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : memref<4x16xf32>, memref<?x5xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

func.func @online_c1_v(%q: memref<4x16xf32>, %k: memref<7x4xf32>, %v: memref<6x8xf32>, %h: memref<16xindex>, %r: memref<16xindex>, %acc: memref<8x16xf32>, %mx: memref<16xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{v has shape [6, 8], expected [7, 8]}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : memref<4x16xf32>, memref<7x4xf32>, memref<6x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

func.func @online_c1_acc(%q: memref<4x16xf32>, %k: memref<?x4xf32>, %v: memref<?x8xf32>, %h: memref<16xindex>, %r: memref<16xindex>, %acc: memref<16x8xf32>, %mx: memref<16xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{acc has shape [16, 8], expected [8, 16]}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : memref<4x16xf32>, memref<?x4xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<16x8xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

func.func @online_c1_max(%q: memref<4x16xf32>, %k: memref<?x4xf32>, %v: memref<?x8xf32>, %h: memref<16xindex>, %r: memref<16xindex>, %acc: memref<8x16xf32>, %mx: memref<8xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{max has shape [8], expected [16]}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : memref<4x16xf32>, memref<?x4xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<8xf32>, memref<16xf32>
  return
}

// -----

func.func @online_c1_rows(%q: memref<4x16xf32>, %k: memref<?x4xf32>, %v: memref<?x8xf32>, %h: memref<16xindex>, %r: memref<16x1xindex>, %acc: memref<8x16xf32>, %mx: memref<16xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{rows has shape [16, 1], expected [16]}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : memref<4x16xf32>, memref<?x4xf32>, memref<?x8xf32>, memref<16xindex>, memref<16x1xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

func.func @online_c2(%q: memref<4x16xf32>, %k: memref<?x4xf32>, %v: memref<?x8xf32>, %h: memref<16xindex>, %r: memref<16xindex>, %acc: memref<8x16xf32>, %mx: memref<16xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{mask yields ('index'), expected one 'i1'}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : memref<4x16xf32>, memref<?x4xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32> mask {
  ^bb0(%h0: index, %i: index, %t: index):
    attn.yield %t : index
  }
  return
}

// -----

func.func @online_c3_tensor(%q: tensor<4x16xf32>, %k: tensor<?x4xf32>, %v: tensor<?x8xf32>, %h: tensor<16xindex>, %r: tensor<16xindex>, %acc: tensor<8x16xf32>, %mx: tensor<16xf32>, %sm: tensor<16xf32>, %j: index) {
  // expected-error @below {{has results (), expected ('tensor<8x16xf32>', 'tensor<16xf32>', 'tensor<16xf32>'), the types of acc, max and sum}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : tensor<4x16xf32>, tensor<?x4xf32>, tensor<?x8xf32>, tensor<16xindex>, tensor<16xindex>, tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>
  return
}

// -----

func.func @online_c3_memref(%q: memref<4x16xf32>, %k: memref<?x4xf32>, %v: memref<?x8xf32>, %h: memref<16xindex>, %r: memref<16xindex>, %acc: memref<8x16xf32>, %mx: memref<16xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{has 1 results, expected none in memref form}}
  %0 = attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : memref<4x16xf32>, memref<?x4xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32> -> tensor<16xf32>
  return
}

// -----

func.func @online_c4_positive(%q: memref<4x16xf32>, %k: memref<?x4xf32>, %v: memref<?x8xf32>, %h: memref<16xindex>, %r: memref<16xindex>, %acc: memref<8x16xf32>, %mx: memref<16xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{has key_tile 0, expected a positive number}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 0
    : memref<4x16xf32>, memref<?x4xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

func.func @online_c4_rows(%q: memref<4x16xf32>, %k: memref<9x4xf32>, %v: memref<9x8xf32>, %h: memref<16xindex>, %r: memref<16xindex>, %acc: memref<8x16xf32>, %mx: memref<16xf32>, %sm: memref<16xf32>, %j: index) {
  // expected-error @below {{has key_tile 8, expected at least the 9 rows of k}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8
    : memref<4x16xf32>, memref<9x4xf32>, memref<9x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

func.func @online_c1_lanes_first(%q: memref<3x4xf32>, %k: memref<?x4xf32>, %v: memref<?x8xf32>, %h: memref<3xindex>, %r: memref<3xindex>, %acc: memref<8x3xf32>, %mx: memref<3xf32>, %sm: memref<3xf32>, %j: index) {
  // expected-error @below {{acc has shape [8, 3], expected [3, 8]}}
  attn.online_attention %q, %k, %v lanes %h, %r start %j into %acc, %mx, %sm scale 1.0 key_tile 8 lanes_first
    : memref<3x4xf32>, memref<?x4xf32>, memref<?x8xf32>, memref<3xindex>, memref<3xindex>, memref<8x3xf32>, memref<3xf32>, memref<3xf32>
  return
}
