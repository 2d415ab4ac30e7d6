// RUN: heed-opt %s -split-input-file -verify-diagnostics

// Each case is named after the constraint that it breaks.

func.func @attention_c1(%q: tensor<4x?x8xf32>, %k: tensor<4x?x8xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{v has rank 2, expected 3 as q has}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<4x?x8xf32>, tensor<4x?x8xf32>, tensor<?x8xf32> -> tensor<4x?x8xf32>
  return
}

// -----

func.func @attention_c2_width(%q: tensor<?x8xf32>, %k: tensor<?x16xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{k has vectors of 16 components, expected 8 as q has}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<?x8xf32>, tensor<?x16xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return
}

// -----

func.func @attention_c2_rows(%q: tensor<4x?x8xf32>, %k: tensor<2x5x8xf32>, %v: tensor<2x6x8xf32>) {
  // expected-error @below {{v has heads and rows [2, 6], expected [2, 5] as k has}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<4x?x8xf32>, tensor<2x5x8xf32>, tensor<2x6x8xf32> -> tensor<4x?x8xf32>
  return
}

// -----

func.func @attention_c3(%q: tensor<9x?x8xf32>, %k: tensor<2x?x8xf32>, %v: tensor<2x?x8xf32>) {
  // expected-error @below {{q has 9 heads, expected a multiple of the 2 of k}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<9x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x8xf32> -> tensor<9x?x8xf32>
  return
}

// -----

func.func @attention_c4(%q: tensor<4x?x8xf32>, %k: tensor<2x?x8xf32>, %v: tensor<2x?x16xf32>) {
  // expected-error @below {{result has shape [4, ?, 8], expected [4, ?, 16]}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<4x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x16xf32> -> tensor<4x?x8xf32>
  return
}

// -----

func.func @attention_c4_rows_first(%q: tensor<4x5x8xf32>, %k: tensor<4x?x8xf32>, %v: tensor<4x?x8xf32>) {
  // expected-error @below {{result has shape [4, 5, 8], expected [5, 4, 8]}}
  %0 = attn.attention %q, %k, %v scale 1.0 rows_first : tensor<4x5x8xf32>, tensor<4x?x8xf32>, tensor<4x?x8xf32> -> tensor<4x5x8xf32>
  return
}

// -----

func.func @attention_c4_rank(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{has rows_first without heads, expected rank 3}}
  %0 = attn.attention %q, %k, %v scale 1.0 rows_first : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return
}

// -----

func.func @attention_c5_takes(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{score takes ('f32', 'index'), expected ('f32', 'index', 'index', 'index')}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32> score {
  ^bb0(%s: f32, %i: index):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @attention_c5_yields(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{mask yields ('index'), expected one 'i1'}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32> mask {
  ^bb0(%h: index, %i: index, %j: index):
    attn.yield %j : index
  }
  return
}

// -----

func.func @attention_c5_end(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{mask has no attn.yield, expected one at its end}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32> mask {
  ^bb0(%h: index, %i: index, %j: index):
    llvm.unreachable
  }
  return
}

// -----

func.func @attention_c5_blocks(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{mask has 2 blocks, expected one}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32> mask {
  ^bb0(%h: index, %i: index, %j: index):
    cf.br ^bb1
  ^bb1:
    %t = arith.constant true
    attn.yield %t : i1
  }
  return
}

// -----

func.func @attention_c6(%q: tensor<9x?x64xf32>, %k: tensor<3x?x64xf32>, %sink: tensor<3x?xf32>) {
  // expected-error @below {{sink has shape [3, ?], expected [9, ?]}}
  %0 = attn.attention %q, %k, %k sink %sink scale 1.0 : tensor<9x?x64xf32>, tensor<3x?x64xf32>, tensor<3x?x64xf32>, tensor<3x?xf32> -> tensor<9x?x64xf32>
  return
}

// -----

func.func @attention_c7(%q: tensor<?x15xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{multiplies vectors of 15 components in pairs, expected an even number of them}}
  %0 = attn.attention %q, %q, %v scale 1.0 bf16 : tensor<?x15xf32>, tensor<?x15xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return
}
