// RUN: heed-opt %s -split-input-file -verify-diagnostics

// Constraints of what comes after the scores, each case named after the one that it breaks: the stages are
// raw, scaled, modified, masked, normalised, weighed.

func.func @softmax_c1_negative(%s: tensor<?x?xf32>) {
  // expected-error @below {{normalises dimension -1, expected one below 2, the rank of the scores}}
  %0 = attn.softmax %s dimension -1 : tensor<?x?xf32>
  return
}

// -----

func.func @weigh_c1(%a: tensor<4x?x?xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{values has rank 2, expected 3 as pattern has}}
  %0 = attn.weigh %a, %v : tensor<4x?x?xf32>, tensor<?x8xf32> -> tensor<4x?x8xf32>
  return
}

// -----

func.func @weigh_c2(%a: tensor<5x6xf32>, %v: tensor<5x8xf32>) {
  // expected-error @below {{values have 5 rows, expected 6, the last size of the pattern}}
  %0 = attn.weigh %a, %v : tensor<5x6xf32>, tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @weigh_c3(%a: tensor<4x?x?xf32>, %v: tensor<3x?x8xf32>) {
  // expected-error @below {{pattern has 4 heads, expected a multiple of the 3 of values}}
  %0 = attn.weigh %a, %v : tensor<4x?x?xf32>, tensor<3x?x8xf32> -> tensor<4x?x8xf32>
  return
}

// -----

func.func @weigh_c4(%a: tensor<?x?xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{result has shape [?, 9], expected [?, 8]}}
  %0 = attn.weigh %a, %v : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x9xf32>
  return
}

// -----

func.func @mask_c3_modifier(%s: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // expected-error @below {{masked scores are read by 'linalg.generic', expected attn.mask or attn.softmax only: a mask comes after every modifier}}
  %0 = attn.mask %s : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %v = arith.cmpi sle, %j, %i : index
    attn.yield %v : i1
  }
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<?x?xf32>) outs(%s : tensor<?x?xf32>) {
  ^bb0(%x: f32, %out: f32):
    %t = math.tanh %x : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// -----

func.func @softmax_c2(%s: tensor<9x?x16xf32>, %sink: tensor<9x16x1xf32>) {
  // expected-error @below {{sink has shape [9, 16, 1], expected [9, ?]}}
  %0 = attn.softmax %s sink %sink dimension 2 : tensor<9x?x16xf32>, tensor<9x16x1xf32>
  return
}

// -----

func.func @weigh_c5_scores(%q: tensor<?x8xf32>) {
  %s = attn.scores %q, %q scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  // expected-error @below {{pattern is given by 'attn.scores', expected normalised scores: values are weighed after the softmax}}
  %0 = attn.weigh %s, %q : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return
}

// -----

func.func @weigh_c5_mask(%s: tensor<?x?xf32>, %v: tensor<?x8xf32>) {
  // expected-error @below {{masked scores are read by 'attn.weigh', expected attn.mask or attn.softmax only}}
  %0 = attn.mask %s : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %v0 = arith.cmpi sle, %j, %i : index
    attn.yield %v0 : i1
  }
  %1 = attn.weigh %0, %v : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return
}
