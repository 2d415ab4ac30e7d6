// RUN: heed-opt %s -convert-attn-to-vector -split-input-file -verify-diagnostics

func.func @tensors(%x: tensor<?x32xf32>, %w: !attn.weight<16x32, f32>, %into: tensor<?x16xf32>) -> tensor<?x16xf32> {
  // expected-error @below {{is in tensor form; bufferize before converting to vectors}}
  %r = attn.project linear %x, %w into %into tile <rows = 12, panels = 2, part = 2> : tensor<?x32xf32>, !attn.weight<16x32, f32> into tensor<?x16xf32> -> tensor<?x16xf32>
  return %r : tensor<?x16xf32>
}

// -----

func.func @gaps(%x: memref<?x4x8xf32, strided<[64, 16, 1]>>, %w: !attn.weight<16x4x8, f32>, %into: memref<?x16xf32>) {
  // expected-error @below {{needs rows that are contiguous, found 'memref<?x4x8xf32, strided<[64, 16, 1]>>'}}
  attn.project linear %x, %w contracted 2 into %into tile <rows = 12, panels = 2, part = 2> : memref<?x4x8xf32, strided<[64, 16, 1]>>, !attn.weight<16x4x8, f32> into memref<?x16xf32>
  return
}

// -----

func.func @no_tile(%x: memref<?x32xf32>, %w: !attn.weight<16x32, f32>, %into: memref<?x16xf32>) {
  // expected-error @below {{has no tile; run attn-choose-tiles first}}
  attn.project linear %x, %w into %into : memref<?x32xf32>, !attn.weight<16x32, f32> into memref<?x16xf32>
  return
}

// -----

func.func @lanes(%q: memref<8x8xf32>, %k: memref<?x8xf32>, %heads: memref<8xindex>, %start: index, %acc: memref<8x8xf32>, %max: memref<8xf32>, %sum: memref<8xf32>) {
  // expected-error @below {{expected a multiple of 16 lanes and a static depth and width, found 'memref<8x8xf32>'}}
  attn.online_attention %q, %k, %k lanes %heads, %heads start %start into %acc, %max, %sum scale 1.0 key_tile 64
    : memref<8x8xf32>, memref<?x8xf32>, memref<?x8xf32>, memref<8xindex>, memref<8xindex>, memref<8x8xf32>, memref<8xf32>, memref<8xf32>
  return
}

// -----

func.func @region(%q: memref<8x16xf32>, %k: memref<?x8xf32>, %heads: memref<16xindex>, %start: index, %acc: memref<8x16xf32>, %max: memref<16xf32>, %sum: memref<16xf32>) {
  attn.online_attention %q, %k, %k lanes %heads, %heads start %start into %acc, %max, %sum scale 1.0 key_tile 64
    : memref<8x16xf32>, memref<?x8xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %same = arith.cmpi eq, %i, %j : index
    // expected-error @below {{can't stand in a score or mask region: it isn't elementwise}}
    %visible = scf.if %same -> i1 {
      scf.yield %same : i1
    } else {
      scf.yield %same : i1
    }
    attn.yield %visible : i1
  }
  return
}

// -----

func.func @few_lanes(%q: memref<3x8xf32>, %k: memref<?x8xf32>, %heads: memref<3xindex>, %start: index, %acc: memref<3x8xf32>, %max: memref<3xf32>, %sum: memref<3xf32>) {
  // expected-error @below {{expected a depth and a width that are multiples of 16 with lanes_first, found 'memref<3x8xf32>'}}
  attn.online_attention %q, %k, %k lanes %heads, %heads start %start into %acc, %max, %sum scale 1.0 key_tile 64 lanes_first
    : memref<3x8xf32>, memref<?x8xf32>, memref<?x8xf32>, memref<3xindex>, memref<3xindex>, memref<3x8xf32>, memref<3xf32>, memref<3xf32>
  return
}
