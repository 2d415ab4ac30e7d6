// RUN: heed-opt %s -split-input-file -verify-diagnostics

// Each case is named after the constraint that it breaks.

// expected-error @below {{weight has a size of 0; sizes are positive}}
func.func @type_c1(%w: !attn.weight<0x64, f32>) { return }

// -----

// expected-error @below {{weight has more elements than 64 bits count}}
func.func @type_c2_count(%w: !attn.weight<4611686018427387904x2, f32>) { return }

// -----

// expected-error @below {{weight has 96 elements; q4_k stores blocks of 256}}
func.func @type_c2(%w: !attn.weight<2x48, q4_k>) { return }

// -----

// weight_c1
// expected-error @below {{has -1 layers, expected none (0) or more}}
attn.weight @W : !attn.weight<8x32, f32> tensor "blk.{l}.q" layers -1

// -----

// weight_c2
// expected-error @below {{names a layer in tensor "blk.{l}.q", expected layers, or a name without {l}}}
attn.weight @W : !attn.weight<8x32, f32> tensor "blk.{l}.q"

// -----

// weight_c2
// expected-error @below {{names no layer in tensor "q", expected {l} in it, since there is one a layer}}
attn.weight @W : !attn.weight<8x32, f32> tensor "q" layers 2

// -----

func.func @dequantize_c1(%w: !attn.weight<8x32, f32>) {
  // expected-error @below {{result has shape [32, 8], expected [8, 32], the weight's}}
  %0 = attn.dequantize %w : !attn.weight<8x32, f32> -> tensor<32x8xf32>
  return
}

// -----

func.func @announce_c1(%w: !attn.weight<8x32, f32>, %offset: index) {
  // expected-error @below {{announces 0 bytes, expected 1 at least}}
  attn.announce %w[%offset], 0 : !attn.weight<8x32, f32>
  return
}

// -----

func.func @prefetch_c1_level(%w: !attn.weight<8x32, f32>, %offset: index) {
  // expected-error @below {{asks for level 3, expected 1 or 2}}
  attn.prefetch %w[%offset], 64 level 3 : !attn.weight<8x32, f32>
  return
}

// -----

func.func @prefetch_c1(%w: !attn.weight<8x32, f32>, %offset: index) {
  // expected-error @below {{asks for -1 bytes, expected 1 at least}}
  attn.prefetch %w[%offset], -1 : !attn.weight<8x32, f32>
  return
}

// -----

func.func @embed_c1(%ids: tensor<?x?xi32>, %t: !attn.weight<128x64, f32>) {
  // expected-error @below {{ids have rank 2, expected 1}}
  %0 = attn.embed %ids, %t : tensor<?x?xi32>, !attn.weight<128x64, f32> -> tensor<?x64xf32>
  return
}

// -----

func.func @embed_c2(%ids: tensor<4xi32>, %t: !attn.weight<128x64, f32>) {
  // expected-error @below {{result has shape [5, 64], expected [4, 64]}}
  %0 = attn.embed %ids, %t : tensor<4xi32>, !attn.weight<128x64, f32> -> tensor<5x64xf32>
  return
}

// -----

func.func @embed_c2_into(%ids: memref<?xi32>, %t: !attn.weight<128x64, f32>, %e: memref<?x32xf32>) {
  // expected-error @below {{'into' has shape [?, 32], expected [?, 64]}}
  attn.embed %ids, %t into %e : memref<?xi32>, !attn.weight<128x64, f32> into memref<?x32xf32>
  return
}

// -----

func.func @embed_c3_memref(%ids: memref<?xi32>, %t: !attn.weight<128x64, f32>) {
  // expected-error @below {{has no 'into', expected one in memref form}}
  attn.embed %ids, %t : memref<?xi32>, !attn.weight<128x64, f32>
  return
}

// -----

func.func @embed_c3_tensor(%ids: tensor<?xi32>, %t: !attn.weight<128x64, f32>, %e: tensor<?x64xf32>) {
  // expected-error @below {{has no result, expected one in tensor form}}
  attn.embed %ids, %t into %e : tensor<?xi32>, !attn.weight<128x64, f32> into tensor<?x64xf32>
  return
}

// -----

func.func @embed_c4(%ids: memref<?xi32>, %t: !attn.weight<128x64, f32>, %e: memref<?x64xf32>) {
  // expected-error @below {{reads rows of '!attn.weight<128x64, f32>', expected f16 or bf16, and a multiple of 16 elements in each}}
  attn.embed %ids, %t in_rows into %e : memref<?xi32>, !attn.weight<128x64, f32> into memref<?x64xf32>
  return
}

// -----

func.func @embed_c4_elements(%ids: memref<?xi32>, %t: !attn.weight<128x24, bf16>, %e: memref<?x24xf32>) {
  // expected-error @below {{expected f16 or bf16, and a multiple of 16 elements in each}}
  attn.embed %ids, %t in_rows into %e : memref<?xi32>, !attn.weight<128x24, bf16> into memref<?x24xf32>
  return
}
