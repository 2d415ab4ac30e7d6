# MLIR's headers take most of a compile; parsing them once drops a file from four
# seconds to one. A header belongs here when most MLIR-facing files include it.
set(_dummy ${PROJECT_BINARY_DIR}/PrecompiledHeaders.cpp)
file(CONFIGURE OUTPUT ${_dummy} CONTENT "// anchors the precompiled header\n")
add_heed_mlir_library(HeedPrecompiledHeaders ${_dummy})
target_precompile_headers(HeedPrecompiledHeaders PRIVATE
  <mlir/Dialect/Arith/IR/Arith.h>
  <mlir/Dialect/Bufferization/IR/Bufferization.h>
  <mlir/Dialect/Func/IR/FuncOps.h>
  <mlir/Dialect/LLVMIR/LLVMDialect.h>
  <mlir/Dialect/Linalg/IR/Linalg.h>
  <mlir/Dialect/Math/IR/Math.h>
  <mlir/Dialect/MemRef/IR/MemRef.h>
  <mlir/Dialect/SCF/IR/SCF.h>
  <mlir/Dialect/Tensor/IR/Tensor.h>
  <mlir/Dialect/Vector/IR/VectorOps.h>
  <mlir/IR/Builders.h>
  <mlir/IR/PatternMatch.h>
  <mlir/Interfaces/SideEffectInterfaces.h>
  <mlir/Pass/Pass.h>
)
