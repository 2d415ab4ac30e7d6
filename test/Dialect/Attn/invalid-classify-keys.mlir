// RUN: heed-opt %s -split-input-file -verify-diagnostics

func.func @classify_keys_c1_static(%lanes: tensor<?xindex>, %j: index) {
  // expected-error @below {{heads has shape [?], expected a constant number of lanes}}
  %any, %all = attn.classify_keys lanes %lanes, %lanes keys %j, %j : tensor<?xindex>, tensor<?xindex> mask {
  ^bb0(%h: index, %i: index, %t: index):
    %v = arith.cmpi sle, %t, %i : index
    attn.yield %v : i1
  }
  return
}

// -----

func.func @classify_keys_c1(%heads: tensor<16xindex>, %rows: tensor<32xindex>, %j: index) {
  // expected-error @below {{rows has shape [32], expected [16]}}
  %any, %all = attn.classify_keys lanes %heads, %rows keys %j, %j : tensor<16xindex>, tensor<32xindex> mask {
  ^bb0(%h: index, %i: index, %t: index):
    %v = arith.cmpi sle, %t, %i : index
    attn.yield %v : i1
  }
  return
}

// -----

func.func @classify_keys_c2_takes(%lanes: tensor<16xindex>, %j: index) {
  // expected-error @below {{mask takes ('index', 'index'), expected ('index', 'index', 'index')}}
  %any, %all = attn.classify_keys lanes %lanes, %lanes keys %j, %j : tensor<16xindex>, tensor<16xindex> mask {
  ^bb0(%i: index, %t: index):
    %v = arith.cmpi sle, %t, %i : index
    attn.yield %v : i1
  }
  return
}

// -----

func.func @classify_keys_c2_yields(%lanes: tensor<16xindex>, %j: index) {
  // expected-error @below {{mask yields something else, expected one i1}}
  %any, %all = attn.classify_keys lanes %lanes, %lanes keys %j, %j : tensor<16xindex>, tensor<16xindex> mask {
  ^bb0(%h: index, %i: index, %t: index):
    attn.yield %i : index
  }
  return
}
