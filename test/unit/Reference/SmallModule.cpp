//===- SmallModule.cpp - IR that a test writes, evaluated -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallModule.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace heed;
using namespace heed::reference;

SmallModule::SmallModule(const std::string &text)
    : context(std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED)) {
  context
      ->loadDialect<attn::AttnDialect, mlir::affine::AffineDialect, mlir::arith::ArithDialect,
                    mlir::bufferization::BufferizationDialect, mlir::func::FuncDialect,
                    mlir::index::IndexDialect, mlir::LLVM::LLVMDialect, mlir::linalg::LinalgDialect,
                    mlir::math::MathDialect, mlir::memref::MemRefDialect, mlir::scf::SCFDialect,
                    mlir::tensor::TensorDialect, mlir::vector::VectorDialect>();
  module = mlir::parseSourceString<mlir::ModuleOp>(text, context.get(), "test.mlir");
  EXPECT_TRUE(module) << text;
}

Values SmallModule::call(const Values &arguments, const std::string &name,
                         EvaluatorOptions options) {
  Evaluator evaluator(*module, weights, std::move(options));
  llvm::Expected<llvm::SmallVector<Value>> results = evaluator.call(name, arguments);
  if (results)
    return Values(results->begin(), results->end());
  ADD_FAILURE() << llvm::toString(results.takeError());
  return {};
}

std::string SmallModule::error(const Values &arguments, const std::string &name,
                               EvaluatorOptions options) {
  Evaluator evaluator(*module, weights, std::move(options));
  llvm::Expected<llvm::SmallVector<Value>> results = evaluator.call(name, arguments);
  if (!results) {
    EXPECT_TRUE(evaluator.failedOp());
    return llvm::toString(results.takeError());
  }
  ADD_FAILURE() << "the call succeeded";
  return "";
}

std::string SmallModule::callEntry(const std::string &name, const Integers &numbers,
                                   const std::vector<Array> &buffers) {
  Evaluator evaluator(*module, weights);
  return llvm::toString(evaluator.callEntry(name, numbers, buffers));
}

Array SmallModule::bf16(std::vector<int64_t> shape, const Floats &values) {
  return Array::floats(mlir::BFloat16Type::get(context.get()), shape, values);
}
Array SmallModule::f32(std::vector<int64_t> shape, const Floats &values) {
  return Array::floats(mlir::Float32Type::get(context.get()), shape, values);
}
Array SmallModule::i16(std::vector<int64_t> shape, const Integers &values) {
  return Array::integers(mlir::IntegerType::get(context.get(), 16), shape, values);
}
Array SmallModule::i32(std::vector<int64_t> shape, const Integers &values) {
  return Array::integers(mlir::IntegerType::get(context.get(), 32), shape, values);
}
Array SmallModule::index(std::vector<int64_t> shape, const Integers &values) {
  return Array::integers(mlir::IndexType::get(context.get()), shape, values);
}
Array SmallModule::unwrittenF32(std::vector<int64_t> shape) {
  return Array::uninitialised(mlir::Float32Type::get(context.get()), shape);
}

Floats heed::reference::floats(const Values &results, size_t number) {
  if (number >= results.size())
    return {};
  if (const Array *array = std::get_if<Array>(&results[number]))
    return array->toFloats();
  const double *scalar = std::get_if<double>(&results[number]);
  return scalar ? Floats{*scalar} : Floats{};
}

Integers heed::reference::integers(const Values &results, size_t number) {
  if (number >= results.size())
    return {};
  if (const Array *array = std::get_if<Array>(&results[number]))
    return array->toIntegers();
  const int64_t *scalar = std::get_if<int64_t>(&results[number]);
  return scalar ? Integers{*scalar} : Integers{};
}
