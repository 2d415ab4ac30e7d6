// RUN: heed-opt %s -allow-unregistered-dialect -split-input-file -verify-diagnostics -attn-derive-cache="required"

// Rows that read other rows outside attention, and keys of an unknown number of layers.

attn.weight @table : !attn.weight<32x8, f32> tensor "t"
func.func @mean_over_rows(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %t = attn.get_weight @table : !attn.weight<32x8, f32>
  %E = attn.embed %tokens, %t : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  // expected-error @below {{found a reduction over rows: outside of attention's keys and values, row i may read row i alone, so no cache can be derived [E0703]}}
  %sum = linalg.generic {
      indexing_maps = [affine_map<(c, i) -> (i, c)>, affine_map<(c, i) -> (c)>],
      iterator_types = ["parallel", "reduction"]} ins(%E : tensor<?x8xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%x: f32, %acc: f32):
    %s = arith.addf %x, %acc : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  // expected-error @below {{found the number of rows used as a value}}
  %int = arith.index_cast %n : index to i32
  %count = arith.sitofp %int : i32 to f32
  %re = tensor.empty(%n) : tensor<?x8xf32>
  %R = linalg.generic {
      indexing_maps = [affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (i, c)>],
      iterator_types = ["parallel", "parallel"]} ins(%sum : tensor<8xf32>) outs(%re : tensor<?x8xf32>) {
  ^bb0(%x: f32, %out: f32):
    %m = arith.divf %x, %count : f32
    linalg.yield %m : f32
  } -> tensor<?x8xf32>
  return %R : tensor<?x8xf32>
}

// -----

func.func @previous_row(%tokens: tensor<?xi32>) -> tensor<?xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %e = tensor.empty(%n) : tensor<?xi32>
  %R = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%e : tensor<?xi32>) {
  ^bb0(%out: i32):
    %i = linalg.index 0 : index
    %before = arith.subi %i, %c1 : index
    %at = arith.maxsi %before, %c0 : index
    // expected-error @below {{found rows read at an index that isn't the row's own}}
    %t = tensor.extract %tokens[%at] : tensor<?xi32>
    linalg.yield %t : i32
  } -> tensor<?xi32>
  return %R : tensor<?xi32>
}

// -----

// A bias for each key, made of the keys' tokens, would need a cache of its own.
attn.weight @table : !attn.weight<32x8, f32> tensor "t"
func.func @row_as_key(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %t = attn.get_weight @table : !attn.weight<32x8, f32>
  %E = attn.embed %tokens, %t : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %S = attn.scores %E, %E scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  %e = tensor.empty(%n, %n) : tensor<?x?xf32>
  // expected-error @below {{found a row paired with the row of another token}}
  %B = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%S, %tokens : tensor<?x?xf32>, tensor<?xi32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%s: f32, %token: i32, %out: f32):
    %b = arith.sitofp %token : i32 to f32
    %r = arith.addf %s, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %M = attn.mask %B : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %visible = arith.cmpi sge, %i, %j : index
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 1 : tensor<?x?xf32>
  %Z = attn.weigh %A, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %Z : tensor<?x8xf32>
}

// -----

attn.weight @table : !attn.weight<32x8, f32> tensor "t"
func.func @unknown_layers(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %layers = "test.layers"() : () -> index
  %t = attn.get_weight @table : !attn.weight<32x8, f32>
  %E0 = attn.embed %tokens, %t : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  // expected-error @below {{found keys or values computed in a loop without a constant count}}
  %R = scf.for %l = %c0 to %layers step %c1 iter_args(%E = %E0) -> tensor<?x8xf32> {
    %S = attn.scores %E, %E scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
    %M = attn.mask %S : tensor<?x?xf32> {
    ^bb0(%i: index, %j: index):
      %visible = arith.cmpi sge, %i, %j : index
      attn.yield %visible : i1
    }
    %A = attn.softmax %M dimension 1 : tensor<?x?xf32>
    %Z = attn.weigh %A, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
    scf.yield %Z : tensor<?x8xf32>
  }
  return %R : tensor<?x8xf32>
}
