// RUN: heed-opt %s -convert-lane-ops-to-llvm | FileCheck %s
// RUN: sed -n '/^func.func @product/,$p' %s | heed-opt -convert-lane-ops-to-llvm=native-lanes=8 | FileCheck %s --check-prefix=HALVES

// CHECK-LABEL: func.func @pairs
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%{{.+}}, %{{.+}}, %{{.+}}) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
func.func @pairs(%sum: vector<16xf32>, %a: vector<32xbf16>, %b: vector<32xbf16>) -> vector<16xf32> {
  %0 = attn.dot_pairs %sum, %a, %b : vector<16xf32>, vector<32xbf16>
  return %0 : vector<16xf32>
}

// A power of two: no lane is left out, and the rounding is the processor's own.
// CHECK-LABEL: func.func @power
// CHECK-SAME: (%[[X:.+]]: vector<16xf32>, %[[EXPONENT:.+]]: vector<16xf32>)
// CHECK: %[[NOTHING:.+]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK: %[[ALL:.+]] = arith.constant -1 : i16
// CHECK: %[[CURRENT:.+]] = arith.constant 4 : i32
// CHECK: %[[SCALED:.+]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"(%[[X]], %[[EXPONENT]], %[[NOTHING]], %[[ALL]], %[[CURRENT]]) : (vector<16xf32>, vector<16xf32>, vector<16xf32>, i16, i32) -> vector<16xf32>
// CHECK: return %[[SCALED]]
func.func @power(%x: vector<16xf32>, %exponent: vector<16xf32>) -> vector<16xf32> {
  %0 = attn.scale_by_power %x, %exponent : vector<16xf32>
  return %0 : vector<16xf32>
}

// CHECK-LABEL: func.func @product
// CHECK-SAME: (%[[SUM:.+]]: vector<16xi32>, %[[A:.+]]: vector<64xi8>, %[[B:.+]]: vector<64xi8>)
// CHECK: %[[R:.+]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[SUM]], %[[A]], %[[B]])
// CHECK: return %[[R]]

// HALVES: %[[SUM0:.+]] = vector.extract_strided_slice %[[SUM:.+]] {offsets = [0], sizes = [8], strides = [1]} : vector<16xi32> to vector<8xi32>
// HALVES: %[[R0:.+]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"(%[[SUM0]], %{{.+}}, %{{.+}}) : (vector<8xi32>, vector<32xi8>, vector<32xi8>)
// HALVES: %[[LEFT:.+]] = vector.insert_strided_slice %[[R0]], %{{.+}} {offsets = [0]
// HALVES: vector.extract_strided_slice %{{.+}} {offsets = [32], sizes = [32], strides = [1]} : vector<64xi8> to vector<32xi8>
// HALVES: %[[R1:.+]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// HALVES: %[[R:.+]] = vector.insert_strided_slice %[[R1]], %[[LEFT]] {offsets = [8]
// HALVES: return %[[R]]
func.func @product(%sum: vector<16xi32>, %a: vector<64xi8>, %b: vector<64xi8>) -> vector<16xi32> {
  %0 = attn.dot_bytes %sum, %a, %b : vector<16xi32>, vector<64xi8>
  return %0 : vector<16xi32>
}

// Words of 16 bits have products of pairs of bytes, in registers of either size.
// CHECK-LABEL: func.func @words
// CHECK-SAME: (%[[SUM:.+]]: vector<16xi32>, %[[WORDS:.+]]: vector<32xi16>, %[[A:.+]]: vector<64xi8>, %[[B:.+]]: vector<64xi8>, %[[ROW:.+]]: vector<32xi16>)
// CHECK: %[[P:.+]] = llvm.call_intrinsic "llvm.x86.avx512.pmaddubs.w.512"(%[[A]], %[[B]])
// CHECK: %[[ALL:.+]] = arith.addi %[[WORDS]], %[[P]] : vector<32xi16>
// CHECK: %[[PAIRS:.+]] = llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"(%[[ALL]], %[[ROW]])
// CHECK: %[[R:.+]] = arith.addi %[[SUM]], %[[PAIRS]] : vector<16xi32>
// CHECK: return %[[R]]

// HALVES-LABEL: func.func @words
// HALVES: vector.extract_strided_slice %{{.+}} {offsets = [0], sizes = [16], strides = [1]} : vector<32xi16> to vector<16xi16>
// HALVES: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// HALVES: vector.extract_strided_slice %{{.+}} {offsets = [16], sizes = [16], strides = [1]} : vector<32xi16> to vector<16xi16>
// HALVES: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// HALVES: %[[WORDS:.+]] = vector.insert_strided_slice %{{.+}}, %{{.+}} {offsets = [16]
// HALVES: vector.extract_strided_slice %[[WORDS]] {offsets = [0], sizes = [16]
// HALVES: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// HALVES: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// HALVES: vector.insert_strided_slice %{{.+}}, %{{.+}} {offsets = [8]
func.func @words(%sum: vector<16xi32>, %words: vector<32xi16>, %a: vector<64xi8>, %b: vector<64xi8>, %row: vector<32xi16>) -> vector<16xi32> {
  %0 = attn.dot_bytes %words, %a, %b : vector<32xi16>, vector<64xi8>
  %1 = attn.dot_words %sum, %0, %row : vector<16xi32>, vector<32xi16>
  return %1 : vector<16xi32>
}

// Beside products of pairs, rounding is an instruction for 32 numbers, whose first operand is the upper half.
// CHECK-LABEL: func.func @rounded
// CHECK-SAME: (%[[A:.+]]: vector<16xf32>, %[[B:.+]]: vector<16xf32>, %[[C:.+]]: vector<32xf32>)
// CHECK: %[[BOTH:.+]] = llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"(%[[B]], %[[A]]) : (vector<16xf32>, vector<16xf32>) -> vector<32xbf16>
// CHECK: %[[TURNS:.+]] = vector.shuffle %[[BOTH]], %[[BOTH]] [0, 16, 1, 17, 2, 18, {{.*}}, 15, 31]
// CHECK-DAG: %[[LOW:.+]] = vector.extract_strided_slice %[[C]] {offsets = [0], sizes = [16], strides = [1]}
// CHECK-DAG: %[[HIGH:.+]] = vector.extract_strided_slice %[[C]] {offsets = [16], sizes = [16], strides = [1]}
// CHECK: %[[WHOLE:.+]] = llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"(%[[HIGH]], %[[LOW]])
// CHECK: return %[[TURNS]], %[[WHOLE]]
func.func @rounded(%a: vector<16xf32>, %b: vector<16xf32>, %c: vector<32xf32>) -> (vector<32xbf16>, vector<32xbf16>) {
  %0 = arith.truncf %a : vector<16xf32> to vector<16xbf16>
  %1 = arith.truncf %b : vector<16xf32> to vector<16xbf16>
  %2 = vector.interleave %0, %1 : vector<16xbf16> -> vector<32xbf16>
  %3 = arith.truncf %c : vector<32xf32> to vector<32xbf16>
  return %2, %3 : vector<32xbf16>, vector<32xbf16>
}
