// RUN: heed-opt %s -convert-lane-ops-to-llvm=native-lanes=8 -verify-diagnostics -split-input-file

func.func @pairs(%sum: vector<16xf32>, %a: vector<32xbf16>) {
  // expected-error @below {{has no instruction in registers of 8 lanes}}
  %0 = attn.dot_pairs %sum, %a, %a : vector<16xf32>, vector<32xbf16>
  return
}

// -----

func.func @exponent(%x: vector<16xf32>) {
  // expected-error @below {{has no instruction in registers of 8 lanes}}
  %0 = attn.scale_by_power %x, %x : vector<16xf32>
  return
}
