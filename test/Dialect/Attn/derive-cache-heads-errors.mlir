// RUN: heed-opt %s -attn-derive-cache="required" -verify-diagnostics
attn.weight @embed : !attn.weight<32x8, f32> tensor "embed"

// A head for each row: a later call would bring more heads.
func.func @heads_are_rows(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %table = attn.get_weight @embed : !attn.weight<32x8, f32>
  %X = attn.embed %tokens, %table : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %e = tensor.empty(%n, %n) : tensor<?x?x8xf32>
  %Q = linalg.generic {indexing_maps = [affine_map<(h, i, k) -> (i, k)>, affine_map<(h, i, k) -> (h, i, k)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%X : tensor<?x8xf32>) outs(%e : tensor<?x?x8xf32>) {
  ^bb0(%x: f32, %out: f32):
    linalg.yield %x : f32
  } -> tensor<?x?x8xf32>
  // expected-error @below {{found heads that are rows: outside of attention's keys and values, row i may read row i alone}}
  %S = attn.scores %Q, %Q scale 1.0 : tensor<?x?x8xf32>, tensor<?x?x8xf32> -> tensor<?x?x?xf32>
  %M = attn.mask %S : tensor<?x?x?xf32> {
  ^bb0(%h: index, %i: index, %j: index):
    %visible = arith.cmpi sle, %j, %i : index
    attn.yield %visible : i1
  }
  // expected-error @below {{found a softmax over the rows}}
  %A = attn.softmax %M dimension 2 : tensor<?x?x?xf32>
  // expected-error @below {{found heads that are rows}}
  %Z = attn.weigh %A, %Q : tensor<?x?x?xf32>, tensor<?x?x8xf32> -> tensor<?x?x8xf32>
  return %X : tensor<?x8xf32>
}
