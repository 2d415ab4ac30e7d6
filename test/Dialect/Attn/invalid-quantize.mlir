// RUN: heed-opt %s -split-input-file -verify-diagnostics

// Each case is named after the constraint that it breaks.

func.func @quantize_c1_axes(%x: tensor<?x64xf32>, %q: tensor<?x64xi8>, %s: tensor<?x2xf32>, %t: tensor<?x2xi32>) {
  // expected-error @below {{contracts 3 axes, expected at least 1 and no more than the 2 of x}}
  %0:3 = attn.quantize %x contracted 3 into %q, %s, %t : tensor<?x64xf32>, tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32> -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32>
  return
}

// -----

func.func @quantize_c1_columns(%x: tensor<?x48xf32>, %q: tensor<?x48xi8>, %s: tensor<?x1xf32>, %t: tensor<?x1xi32>) {
  // expected-error @below {{has rows of [48], expected a multiple of 32 columns}}
  %0:3 = attn.quantize %x into %q, %s, %t : tensor<?x48xf32>, tensor<?x48xi8>, tensor<?x1xf32>, tensor<?x1xi32> -> tensor<?x48xi8>, tensor<?x1xf32>, tensor<?x1xi32>
  return
}

// -----

func.func @quantize_c2_group(%x: tensor<?x64xf32>, %q: tensor<?x64xi8>, %s: tensor<?x2xf32>, %t: tensor<?x8xi32>) {
  // expected-error @below {{has sums of 8 columns, expected 32 or 16}}
  %0:3 = attn.quantize %x group 8 into %q, %s, %t : tensor<?x64xf32>, tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x8xi32> -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x8xi32>
  return
}

// -----

func.func @quantize_c2_sums(%x: tensor<?x64xf32>, %q: tensor<?x64xi8>, %s: tensor<?x2xf32>, %t: tensor<?x2xi32>) {
  // expected-error @below {{sums has shape [?, 2], expected [?, 4]}}
  %0:3 = attn.quantize %x group 16 into %q, %s, %t : tensor<?x64xf32>, tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32> -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32>
  return
}

// -----

func.func @quantize_c3(%x: memref<?x64xf32>, %q: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xi32>) {
  // expected-error @below {{expected none in memref form}}
  %0 = attn.quantize %x into %q, %s, %t : memref<?x64xf32>, memref<?x64xi8>, memref<?x2xf32>, memref<?x2xi32> -> tensor<?x64xi8>
  return
}

// -----

func.func @quantize_c4_centres(%x: tensor<?x64xf32>, %q: tensor<?x64xi8>, %s: tensor<?x2xf32>, %t: tensor<?x2xi32>, %c: tensor<?x2xbf16>) {
  // expected-error @below {{centres has shape [?, 2], expected [?, 4]}}
  %0:5 = attn.quantize %x times -8 into %q, %s, %t centred %c, %s : tensor<?x64xf32>, tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32> centred tensor<?x2xbf16>, tensor<?x2xf32> -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32>, tensor<?x2xbf16>, tensor<?x2xf32>
  return
}

// -----

func.func @quantize_c4_sums(%x: tensor<?x64xf32>, %q: tensor<?x64xi8>, %s: tensor<?x2xf32>, %c: tensor<?x4xbf16>, %k: tensor<?x2xf32>) {
  // expected-error @below {{is centred with sums of 32 columns of type 'tensor<?x2xf32>', expected i32 of 32 columns}}
  %0:5 = attn.quantize %x times -8 into %q, %s, %s centred %c, %k : tensor<?x64xf32>, tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xf32> centred tensor<?x4xbf16>, tensor<?x2xf32> -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x4xbf16>, tensor<?x2xf32>
  return
}

// -----

func.func @quantize_c4_times(%x: tensor<?x64xf32>, %q: tensor<?x64xi8>, %s: tensor<?x2xf32>, %t: tensor<?x2xi32>, %c: tensor<?x4xbf16>) {
  // expected-error @below {{is centred with sums times -128, expected from -64 to -1}}
  %0:5 = attn.quantize %x times -128 into %q, %s, %t centred %c, %s : tensor<?x64xf32>, tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32> centred tensor<?x4xbf16>, tensor<?x2xf32> -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32>, tensor<?x4xbf16>, tensor<?x2xf32>
  return
}

// -----

func.func @project_c7_centres(%x: tensor<?x64xf32>, %w: !attn.weight<8x64, q4_0>, %c: tensor<?x4xbf16>, %k: tensor<?x2xf32>) {
  // expected-error @below {{x has type 'tensor<?x64xf32>', expected i8 beside centres}}
  %0 = attn.project query %x, %w centred %c, %k : tensor<?x64xf32>, !attn.weight<8x64, q4_0> centred tensor<?x4xbf16>, tensor<?x2xf32> -> tensor<?x8xf32>
  return
}

// -----

func.func @project_c7_bits(%x: tensor<?x64xi8>, %s: tensor<?x2xf32>, %t: tensor<?x2xi32>, %w: !attn.weight<8x64, q8_0>, %c: tensor<?x4xbf16>, %k: tensor<?x2xf32>) {
  // expected-error @below {{multiplies centred numbers by '!attn.weight<8x64, q8_0>', expected a weight of four or five bits with a scale for each 32 columns}}
  %0 = attn.project query %x, %w quantized %s, %t centred %c, %k : tensor<?x64xi8>, !attn.weight<8x64, q8_0> of tensor<?x2xf32>, tensor<?x2xi32> centred tensor<?x4xbf16>, tensor<?x2xf32> -> tensor<?x8xf32>
  return
}

// -----

func.func @project_c7_alone(%x: tensor<?x64xi8>, %w: !attn.weight<8x64, q8_0>) {
  // expected-error @below {{x has type 'tensor<?x64xi8>', expected scales and sums beside it}}
  %0 = attn.project query %x, %w : tensor<?x64xi8>, !attn.weight<8x64, q8_0> -> tensor<?x8xf32>
  return
}

// -----

func.func @project_c7_weight(%x: tensor<?x64xi8>, %s: tensor<?x2xf32>, %t: tensor<?x2xi32>, %w: !attn.weight<8x64, f32>) {
  // expected-error @below {{expected a quantised weight with a multiple of 32 columns}}
  %0 = attn.project query %x, %w quantized %s, %t : tensor<?x64xi8>, !attn.weight<8x64, f32> of tensor<?x2xf32>, tensor<?x2xi32> -> tensor<?x8xf32>
  return
}

// -----

func.func @project_c7_scales(%x: tensor<?x64xi8>, %s: tensor<?x4xf32>, %t: tensor<?x2xi32>, %w: !attn.weight<8x64, q8_0>) {
  // expected-error @below {{scales has shape [?, 4], expected [?, 2]}}
  %0 = attn.project query %x, %w quantized %s, %t : tensor<?x64xi8>, !attn.weight<8x64, q8_0> of tensor<?x4xf32>, tensor<?x2xi32> -> tensor<?x8xf32>
  return
}

// -----

func.func @quantize_c4_words(%x: tensor<?x64xf32>, %q: tensor<?x64xi16>, %s: tensor<?x2xf32>, %t: tensor<?x2xi32>, %c: tensor<?x4xbf16>, %k: tensor<?x2xf32>) {
  // expected-error @below {{is centred with quants of type 'tensor<?x64xi16>', expected i8}}
  %0:5 = attn.quantize %x times -8 into %q, %s, %t centred %c, %k : tensor<?x64xf32>, tensor<?x64xi16>, tensor<?x2xf32>, tensor<?x2xi32> centred tensor<?x4xbf16>, tensor<?x2xf32> -> tensor<?x64xi16>, tensor<?x2xf32>, tensor<?x2xi32>, tensor<?x4xbf16>, tensor<?x2xf32>
  return
}

// -----

func.func @dot_bytes_c1(%sum: vector<16xi32>, %a: vector<32xi8>, %b: vector<32xi8>) {
  // expected-error @below {{has 32 bytes, expected four for each of the 16 sums}}
  %0 = attn.dot_bytes %sum, %a, %b : vector<16xi32>, vector<32xi8>
  return
}

// -----

func.func @dot_bytes_c1_words(%sum: vector<32xi16>, %a: vector<32xi8>, %b: vector<32xi8>) {
  // expected-error @below {{has 32 bytes, expected two for each of the 32 sums}}
  %0 = attn.dot_bytes %sum, %a, %b : vector<32xi16>, vector<32xi8>
  return
}

// -----

func.func @dot_words_c1(%sum: vector<16xi32>, %words: vector<16xi16>) {
  // expected-error @below {{has 16 words, expected two for each of the 16 sums}}
  %0 = attn.dot_words %sum, %words, %words : vector<16xi32>, vector<16xi16>
  return
}

// -----

func.func @dot_pairs_c1(%sum: vector<16xf32>, %a: vector<16xbf16>, %b: vector<16xbf16>) {
  // expected-error @below {{has 16 factors, expected two for each of the 16 sums}}
  %0 = attn.dot_pairs %sum, %a, %b : vector<16xf32>, vector<16xbf16>
  return
}
