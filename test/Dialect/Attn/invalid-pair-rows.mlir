// RUN: heed-opt %s -split-input-file -verify-diagnostics

func.func @pair_rows_c1_rank(%rows: memref<2x5x8xf32>, %pairs: memref<3x16xbf16>) {
  // expected-error @below {{rows has shape [2, 5, 8], expected 2 axes, the last of them constant}}
  attn.pair_rows %rows into %pairs : memref<2x5x8xf32>, memref<3x16xbf16>
  return
}

// -----

func.func @pair_rows_c1_shape(%rows: memref<5x8xf32>, %pairs: memref<2x16xbf16>) {
  // expected-error @below {{into has shape [2, 16], expected [3, 16]}}
  attn.pair_rows %rows into %pairs : memref<5x8xf32>, memref<2x16xbf16>
  return
}

// -----

func.func @pair_rows_c2(%rows: tensor<5x8xf32>, %pairs: tensor<3x16xbf16>) {
  // expected-error @below {{has results (), expected ('tensor<3x16xbf16>'), the types of into}}
  attn.pair_rows %rows into %pairs : tensor<5x8xf32>, tensor<3x16xbf16>
  return
}
