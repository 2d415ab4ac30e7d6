// RUN: heed-opt %s -convert-lane-ops-to-llvm -verify-diagnostics

func.func @narrow(%sum: vector<4xi32>, %a: vector<16xi8>, %b: vector<16xi8>) {
  // expected-error @below {{has 4 lanes, expected the 16 of a register}}
  %0 = attn.dot_bytes %sum, %a, %b : vector<4xi32>, vector<16xi8>
  return
}
