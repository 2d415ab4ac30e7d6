// RUN: heed-opt %s -split-input-file -verify-diagnostics

// Each case is named after the constraint that it breaks.

func.func @scores_c1_rank(%q: tensor<?xf32>, %k: tensor<?xf32>) {
  // expected-error @below {{q has rank 1, expected 2, 3 with heads, or 4 with a batch of heads}}
  %0 = attn.scores %q, %k scale 1.0 : tensor<?xf32>, tensor<?xf32> -> tensor<?xf32>
  return
}

// -----

func.func @scores_c1_ranks(%q: tensor<4x?x8xf32>, %k: tensor<?x8xf32>) {
  // expected-error @below {{k has rank 2, expected 3 as q has}}
  %0 = attn.scores %q, %k scale 1.0 : tensor<4x?x8xf32>, tensor<?x8xf32> -> tensor<4x?x?xf32>
  return
}

// -----

func.func @scores_c2(%q: tensor<?x8xf32>, %k: tensor<?x16xf32>) {
  // expected-error @below {{k has vectors of 16 components, expected 8 as q has}}
  %0 = attn.scores %q, %k scale 1.0 : tensor<?x8xf32>, tensor<?x16xf32> -> tensor<?x?xf32>
  return
}

// -----

func.func @scores_c3(%q: tensor<9x?x8xf32>, %k: tensor<2x?x8xf32>) {
  // expected-error @below {{q has 9 heads, expected a multiple of the 2 of k}}
  %0 = attn.scores %q, %k scale 1.0 : tensor<9x?x8xf32>, tensor<2x?x8xf32> -> tensor<9x?x?xf32>
  return
}

// -----

func.func @scores_c4(%q: tensor<4x5x8xf32>, %k: tensor<2x6x8xf32>) {
  // expected-error @below {{result has shape [4, 6, 5], expected [4, 5, 6]}}
  %0 = attn.scores %q, %k scale 1.0 : tensor<4x5x8xf32>, tensor<2x6x8xf32> -> tensor<4x6x5xf32>
  return
}

// -----

func.func @mask_c1_count(%s: tensor<?x?xf32>) {
  // expected-error @below {{predicate takes ('index'), expected 2 of type index, one for each axis of the scores}}
  %0 = attn.mask %s : tensor<?x?xf32> {
  ^bb0(%i: index):
    %v = arith.constant true
    attn.yield %v : i1
  }
  return
}

// -----

func.func @mask_c1_type(%s: tensor<?x?xf32>) {
  // expected-error @below {{predicate takes ('index', 'i32'), expected 2 of type index, one for each axis of the scores}}
  %0 = attn.mask %s : tensor<?x?xf32> {
  ^bb0(%i: index, %j: i32):
    %v = arith.constant true
    attn.yield %v : i1
  }
  return
}

// -----

func.func @mask_c2_type(%s: tensor<?x?xf32>) {
  // expected-error @below {{predicate yields ('index'), expected one i1}}
  %0 = attn.mask %s : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    attn.yield %i : index
  }
  return
}

// -----

func.func @mask_c2_none(%s: tensor<?x?xf32>) {
  // expected-error @below {{predicate yields (), expected one i1}}
  %0 = attn.mask %s : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    attn.yield
  }
  return
}

// -----

func.func @softmax_c1(%s: tensor<?x?xf32>) {
  // expected-error @below {{normalises dimension 2, expected one below 2, the rank of the scores}}
  %0 = attn.softmax %s dimension 2 : tensor<?x?xf32>
  return
}
