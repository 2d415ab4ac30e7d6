// RUN: heed-opt %s -split-input-file -verify-diagnostics

// What a batch of heads may be, of each op that has one.

func.func @scores_c3_batch(%q: tensor<4x6x?x8xf32>, %k: tensor<2x3x?x8xf32>) {
  // expected-error @below {{k has a batch of 2, expected the 4 of q or 1}}
  %0 = attn.scores %q, %k scale 1.0 : tensor<4x6x?x8xf32>, tensor<2x3x?x8xf32> -> tensor<4x6x?x?xf32>
  return
}

// -----

func.func @scores_c3_heads(%q: tensor<?x6x?x8xf32>, %k: tensor<?x4x?x8xf32>) {
  // expected-error @below {{q has 6 heads, expected a multiple of the 4 of k}}
  %0 = attn.scores %q, %k scale 1.0 : tensor<?x6x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<?x6x?x?xf32>
  return
}

// -----

func.func @scores_c1(%q: tensor<1x4x6x?x8xf32>, %k: tensor<1x4x6x?x8xf32>) {
  // expected-error @below {{q has rank 5, expected 2, 3 with heads, or 4 with a batch of heads}}
  %0 = attn.scores %q, %k scale 1.0 : tensor<1x4x6x?x8xf32>, tensor<1x4x6x?x8xf32> -> tensor<1x4x6x?x?xf32>
  return
}

// -----

func.func @weigh_c4(%a: tensor<4x6x?x?xf32>, %v: tensor<1x6x?x8xf32>) {
  // expected-error @below {{result has shape [1, 6, ?, 8], expected [4, 6, ?, 8]}}
  %0 = attn.weigh %a, %v : tensor<4x6x?x?xf32>, tensor<1x6x?x8xf32> -> tensor<1x6x?x8xf32>
  return
}

// -----

func.func @attention_c2(%q: tensor<?x2x?x8xf32>, %k: tensor<4x2x?x8xf32>, %v: tensor<3x2x?x8xf32>) {
  // expected-error @below {{v has heads and rows [3, 2, ?], expected [4, 2, ?] as k has}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<?x2x?x8xf32>, tensor<4x2x?x8xf32>, tensor<3x2x?x8xf32> -> tensor<?x2x?x8xf32>
  return
}

// -----

func.func @attention_c4(%q: tensor<?x2x?x8xf32>) {
  // expected-error @below {{result has shape [?, 2, 3, 8], expected [?, ?, 2, 8]}}
  %0 = attn.attention %q, %q, %q scale 1.0 rows_first : tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32> -> tensor<?x2x3x8xf32>
  return
}

// -----

func.func @attention_c5(%q: tensor<?x2x?x8xf32>) {
  // expected-error @below {{mask takes ('index', 'index', 'index'), expected ('index', 'index', 'index', 'index')}}
  %0 = attn.attention %q, %q, %q scale 1.0 : tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32> -> tensor<?x2x?x8xf32> mask {
  ^bb0(%h: index, %i: index, %j: index):
    %visible = arith.cmpi sle, %j, %i : index
    attn.yield %visible : i1
  }
  return
}
