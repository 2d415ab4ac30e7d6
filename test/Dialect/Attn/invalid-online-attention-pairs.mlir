// RUN: heed-opt %s -split-input-file -verify-diagnostics

func.func @online_c1_pairs(%q: memref<4x16xbf16>, %k: memref<?x4xbf16>, %v: memref<?x16xbf16>, %h: memref<8xindex>, %acc: memref<8x8xf32>, %mx: memref<8xf32>, %j: index) {
  // expected-error @below {{k has shape [?, 4], expected [?, 8]}}
  attn.online_attention %q, %k, %v lanes %h, %h start %j into %acc, %mx, %mx scale 1.0 key_tile 8
    : memref<4x16xbf16>, memref<?x4xbf16>, memref<?x16xbf16>, memref<8xindex>, memref<8xindex>, memref<8x8xf32>, memref<8xf32>, memref<8xf32>
  return
}

// -----

func.func @online_c1_half_a_pair(%q: memref<4x15xbf16>, %k: memref<?x8xf32>, %v: memref<?x8xf32>, %h: memref<8xindex>, %acc: memref<8x8xf32>, %mx: memref<8xf32>, %j: index) {
  // expected-error @below {{q is of type 'memref<4x15xbf16>', expected pairs of bf16, without lanes_first}}
  attn.online_attention %q, %k, %v lanes %h, %h start %j into %acc, %mx, %mx scale 1.0 key_tile 8
    : memref<4x15xbf16>, memref<?x8xf32>, memref<?x8xf32>, memref<8xindex>, memref<8xindex>, memref<8x8xf32>, memref<8xf32>, memref<8xf32>
  return
}

// -----

func.func @online_c1_pairs_lanes_first(%q: memref<16x8xbf16>, %k: memref<?x8xf32>, %v: memref<?x8xf32>, %h: memref<16xindex>, %acc: memref<16x8xf32>, %mx: memref<16xf32>, %j: index) {
  // expected-error @below {{expected pairs of bf16, without lanes_first}}
  attn.online_attention %q, %k, %v lanes %h, %h start %j into %acc, %mx, %mx scale 1.0 key_tile 8 lanes_first
    : memref<16x8xbf16>, memref<?x8xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<16x8xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

func.func @online_c1_wide_keys(%q: memref<4x16xbf16>, %k: memref<?x8xf32>, %v: memref<?x16xbf16>, %h: memref<8xindex>, %acc: memref<8x8xf32>, %mx: memref<8xf32>, %j: index) {
  // expected-error @below {{k is of type 'memref<?x8xf32>', expected elements as in q, 'bf16'}}
  attn.online_attention %q, %k, %v lanes %h, %h start %j into %acc, %mx, %mx scale 1.0 key_tile 8
    : memref<4x16xbf16>, memref<?x8xf32>, memref<?x16xbf16>, memref<8xindex>, memref<8xindex>, memref<8x8xf32>, memref<8xf32>, memref<8xf32>
  return
}

// -----

func.func @online_c1_value_pairs(%q: memref<4x16xbf16>, %k: memref<5x8xbf16>, %v: memref<5x16xbf16>, %h: memref<8xindex>, %acc: memref<8x8xf32>, %mx: memref<8xf32>, %j: index) {
  // expected-error @below {{v has shape [5, 16], expected [3, 16]}}
  attn.online_attention %q, %k, %v lanes %h, %h start %j into %acc, %mx, %mx scale 1.0 key_tile 8
    : memref<4x16xbf16>, memref<5x8xbf16>, memref<5x16xbf16>, memref<8xindex>, memref<8xindex>, memref<8x8xf32>, memref<8xf32>, memref<8xf32>
  return
}
