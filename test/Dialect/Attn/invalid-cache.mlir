// RUN: heed-opt %s -split-input-file -verify-diagnostics

// Each case is named after the constraint that it breaks.

func.func @cache_append_c1_rows(%r: tensor<8xf32>, %c: tensor<?x8xf32>, %l: index) {
  // expected-error @below {{rows has rank 1, expected 2, or 3 with heads}}
  %0 = attn.cache_append %r into %c layer %l at %l : tensor<8xf32> into tensor<?x8xf32>
  return
}

// -----

func.func @cache_append_c1_cache(%r: tensor<3x?x8xf32>, %c: tensor<3x?x8xf32>, %l: index) {
  // expected-error @below {{cache has rank 3, expected 4, one more than rows has}}
  %0 = attn.cache_append %r into %c layer %l at %l : tensor<3x?x8xf32> into tensor<3x?x8xf32>
  return
}

// -----

func.func @cache_append_c2(%r: tensor<3x?x8xf32>, %c: tensor<4x2x?x8xf32>, %l: index) {
  // expected-error @below {{cache has shape [4, 2, ?, 8], expected [?, 3, ?, 8]}}
  %0 = attn.cache_append %r into %c layer %l at %l : tensor<3x?x8xf32> into tensor<4x2x?x8xf32>
  return
}

// -----

func.func @cache_append_c3_missing(%r: tensor<?x8xf32>, %c: tensor<4x?x8xi8>, %l: index) {
  // expected-error @below {{cache 'tensor<4x?x8xi8>' is without scales, expected those of its rows}}
  %0 = attn.cache_append %r into %c layer %l at %l : tensor<?x8xf32> into tensor<4x?x8xi8>
  return
}

// -----

func.func @cache_append_c3_unread(%r: tensor<?x8xf32>, %c: tensor<4x?x8xf16>, %s: tensor<4x?x1xf32>, %l: index) {
  // expected-error @below {{cache 'tensor<4x?x8xf16>' has scales, expected them with i8 alone}}
  %0, %1 = attn.cache_append %r into %c scales %s layer %l at %l : tensor<?x8xf32> into tensor<4x?x8xf16>, tensor<4x?x1xf32>
  return
}

// -----

func.func @cache_append_c3_shape(%r: tensor<?x8xf32>, %c: tensor<4x?x8xi8>, %s: tensor<4x?x8xf32>, %l: index) {
  // expected-error @below {{scales has shape [4, ?, 8], expected [4, ?, 1]}}
  %0, %1 = attn.cache_append %r into %c scales %s layer %l at %l : tensor<?x8xf32> into tensor<4x?x8xi8>, tensor<4x?x8xf32>
  return
}

// -----

func.func @cache_append_result(%r: tensor<?x8xf32>, %c: tensor<4x?x8xf32>, %l: index) {
  // expected-error @below {{failed to infer returned types}}
  // expected-error @below {{op inferred type(s) 'tensor<4x?x8xf32>' are incompatible with return type(s) of operation 'tensor<4x9x8xf32>'}}
  %0 = "attn.cache_append"(%r, %c, %l, %l) : (tensor<?x8xf32>, tensor<4x?x8xf32>, index, index) -> tensor<4x9x8xf32>
  return
}

// -----

func.func @cache_read_c1(%c: tensor<4x?x8xf32>, %l: index) {
  // expected-error @below {{cache has rank 3, expected 4, one more than result has}}
  %0 = attn.cache_read %c layer %l length %l : tensor<4x?x8xf32> -> tensor<3x?x8xf32>
  return
}

// -----

func.func @cache_read_c2(%c: tensor<4x?x8xf32>, %l: index) {
  // expected-error @below {{cache has shape [4, ?, 8], expected [?, ?, 16]}}
  %0 = attn.cache_read %c layer %l length %l : tensor<4x?x8xf32> -> tensor<?x16xf32>
  return
}

// -----

func.func @cache_read_c3(%c: tensor<4x?x8xf32>, %l: index) {
  // expected-error @below {{result has 5 rows, expected ?: as many as 'length' says}}
  %0 = attn.cache_read %c layer %l length %l : tensor<4x?x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @cache_read_c4(%c: tensor<4x?x8xi8>, %l: index) {
  // expected-error @below {{cache 'tensor<4x?x8xi8>' is without scales, expected those of its rows}}
  %0 = attn.cache_read %c layer %l length %l : tensor<4x?x8xi8> -> tensor<?x8xf32>
  return
}
