// RUN: heed-opt %s -split-input-file -verify-diagnostics -attn-derive-cache="required"

// A cache has a layer for each round of the loops around keys and values; how many there are must be
// known.
attn.weight @table : !attn.weight<32x8, f32> tensor "t"
attn.weight @rounds : !attn.weight<1, f32> tensor "r"
func.func @open_loop(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %t = attn.get_weight @table : !attn.weight<32x8, f32>
  %rounds = attn.get_weight @rounds : !attn.weight<1, f32>
  %dense = attn.dequantize %rounds : !attn.weight<1, f32> -> tensor<1xf32>
  %count = tensor.extract %dense[%c0] : tensor<1xf32>
  %whole = arith.fptosi %count : f32 to i64
  %n = arith.index_cast %whole : i64 to index
  %E = attn.embed %tokens, %t : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  // expected-error @below {{found keys or values computed in a loop without a constant count, so no cache can be derived; expected a loop over the layers [E0702]}}
  %r = scf.for %l = %c0 to %n step %c1 iter_args(%X = %E) -> tensor<?x8xf32> {
    %S = attn.scores %X, %X scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
    %M = attn.mask %S : tensor<?x?xf32> {
    ^bb0(%i: index, %j: index):
      %visible = arith.cmpi sle, %j, %i : index
      attn.yield %visible : i1
    }
    %A = attn.softmax %M dimension 1 : tensor<?x?xf32>
    %Z = attn.weigh %A, %X : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
    scf.yield %Z : tensor<?x8xf32>
  }
  return %r : tensor<?x8xf32>
}
