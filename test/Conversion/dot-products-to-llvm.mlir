// RUN: heed-opt %s -convert-dot-products-to-llvm | FileCheck %s

// CHECK-LABEL: func.func @product
// CHECK-SAME: (%[[SUM:.+]]: vector<16xi32>, %[[A:.+]]: vector<64xi8>, %[[B:.+]]: vector<64xi8>)
// CHECK: %[[R:.+]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[SUM]], %[[A]], %[[B]])
// CHECK: return %[[R]]
func.func @product(%sum: vector<16xi32>, %a: vector<64xi8>, %b: vector<64xi8>) -> vector<16xi32> {
  %0 = attn.dot_bytes %sum, %a, %b : vector<16xi32>, vector<64xi8>
  return %0 : vector<16xi32>
}
