// RUN: heed-opt %s -convert-dot-products-to-llvm | FileCheck %s

// CHECK-LABEL: func.func @pairs
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%{{.+}}, %{{.+}}, %{{.+}}) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
func.func @pairs(%sum: vector<16xf32>, %a: vector<32xbf16>, %b: vector<32xbf16>) -> vector<16xf32> {
  %0 = attn.dot_pairs %sum, %a, %b : vector<16xf32>, vector<32xbf16>
  return %0 : vector<16xf32>
}

// CHECK-LABEL: func.func @product
// CHECK-SAME: (%[[SUM:.+]]: vector<16xi32>, %[[A:.+]]: vector<64xi8>, %[[B:.+]]: vector<64xi8>)
// CHECK: %[[R:.+]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[SUM]], %[[A]], %[[B]])
// CHECK: return %[[R]]
func.func @product(%sum: vector<16xi32>, %a: vector<64xi8>, %b: vector<64xi8>) -> vector<16xi32> {
  %0 = attn.dot_bytes %sum, %a, %b : vector<16xi32>, vector<64xi8>
  return %0 : vector<16xi32>
}
