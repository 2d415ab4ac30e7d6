// RUN: heed-opt %s -convert-program-to-llvm -reconcile-unrealized-casts | FileCheck %s

// Everything becomes the LLVM dialect in one conversion, and memory comes from the runtime's allocator.
// CHECK-NOT: {{(arith|vector|memref|index|func|cf|affine)\.}}
// CHECK: llvm.func @_mlir_memref_to_llvm_alloc(i64) -> !llvm.ptr
// CHECK-LABEL: llvm.func @kernel(
// CHECK-SAME: %[[POINTER:[^:]*]]: !llvm.ptr, {{.*}}, %[[ROWS:[^:]*]]: i64)
func.func @kernel(%x: memref<?x16xf32>, %rows: index) -> index {
  %zero = arith.constant 0 : index
  %sixteen = arith.constant 16 : index
  // CHECK: llvm.call @_mlir_memref_to_llvm_alloc
  %scratch = memref.alloc() : memref<16xf32>
  // A mask is a comparison of lanes.
  // CHECK: llvm.icmp "sgt" %{{.*}}, %{{.*}} : vector<16xi32>
  %mask = vector.create_mask %rows : vector<16xi1>
  %none = arith.constant dense<0.0> : vector<16xf32>
  // CHECK: llvm.intr.masked.load
  %v = vector.maskedload %x[%zero, %zero], %mask, %none : memref<?x16xf32>, vector<16xi1>, vector<16xf32> into vector<16xf32>
  // CHECK: llvm.intr.fmuladd(%{{.*}}) : (vector<16xf32>, vector<16xf32>, vector<16xf32>)
  %w = vector.fma %v, %v, %none : vector<16xf32>
  vector.store %w, %scratch[%zero] : memref<16xf32>, vector<16xf32>
  memref.dealloc %scratch : memref<16xf32>
  // Divisions that round up or down are spelled out.
  // CHECK: llvm.udiv
  %tasks = arith.ceildivui %rows, %sixteen : index
  // CHECK: llvm.add
  %next = affine.apply affine_map<(d0) -> (d0 + 1)>(%tasks)
  // CHECK: llvm.return
  return %next : index
}
