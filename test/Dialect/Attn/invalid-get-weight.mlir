// RUN: heed-opt %s -split-input-file -verify-diagnostics

func.func @no_such_weight() {
  // expected-error @below {{names @Wq, which is no attn.weight}}
  %w = attn.get_weight @Wq : !attn.weight<8x32, f32>
  return
}

// -----

// expected-note @below {{the weight is declared here}}
attn.weight @Wq : !attn.weight<8x32, f32> tensor "q"
func.func @c1_type() {
  // expected-error @below {{has type '!attn.weight<32x8, f32>'; expected '!attn.weight<8x32, f32>'}}
  %w = attn.get_weight @Wq : !attn.weight<32x8, f32>
  return
}

// -----

// expected-note @below {{the weight is declared here}}
attn.weight @Wq : !attn.weight<2x8x32, f32> tensor "q"
func.func @c1_permuted_type() {
  // expected-error @below {{has type '!attn.weight<2x8x32, f32>'; expected '!attn.weight<8x2x32, f32>'}}
  %w = attn.get_weight @Wq permuted [1, 0, 2] : !attn.weight<2x8x32, f32>
  return
}

// -----

attn.weight @Wq : !attn.weight<8x32, f32> tensor "blk.{l}.q" layers 4
func.func @c2_layer_missing() {
  // expected-error @below {{gives no layer, but @Wq is per layer}}
  %w = attn.get_weight @Wq : !attn.weight<8x32, f32>
  return
}

// -----

attn.weight @Wq : !attn.weight<8x32, f32> tensor "q"
func.func @c2_layer_given(%l: index) {
  // expected-error @below {{gives a layer, but @Wq is not per layer}}
  %w = attn.get_weight @Wq[%l] : !attn.weight<8x32, f32>
  return
}

// -----

attn.weight @Wq : !attn.weight<8x32, f32> tensor "q"
func.func @c3_permutation() {
  // expected-error @below {{permuted [0, 0] is no permutation of the weight's 2 axes}}
  %w = attn.get_weight @Wq permuted [0, 0] : !attn.weight<8x8, f32>
  return
}

// -----

attn.weight @Wq : !attn.weight<32x64, q4_0> tensor "q"
func.func @c3_blocks() {
  // expected-error @below {{permuted [1, 0] moves the last axis, along which q4_0 has its blocks}}
  %w = attn.get_weight @Wq permuted [1, 0] : !attn.weight<64x32, q4_0>
  return
}
