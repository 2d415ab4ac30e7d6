//===- MLIRGen.cpp - a checked program as MLIR ----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Frontend/MLIRGen.h"

#include "ExprWalk.h"
#include "FunctionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace heed {
namespace mlirgen {

/// The weights that some function reads.
static llvm::BitVector findUsedWeights(const program::Program &program) {
  llvm::BitVector used(program.weights.size());
  for (const program::Function &function : program.functions)
    walk(function.body, [&](const program::Expr &expr) {
      if (auto *read = std::get_if<program::ReadWeight>(&expr.node))
        used.set(read->weight);
    });
  return used;
}

/// Declares the weights that are read. A weight may have a function's name; its symbol is then
/// the name with `_weight` behind it.
static LogicalResult declareWeights(OpBuilder &builder, ModuleState &module) {
  llvm::StringSet<> taken;
  for (const program::Function &function : module.program.functions)
    taken.insert(function.name);

  llvm::BitVector used = findUsedWeights(module.program);
  module.weights.resize(module.program.weights.size());
  for (unsigned number : used.set_bits()) {
    const program::Weight &weight = module.program.weights[number];
    Location loc = module.locations.at(weight.range);
    auto type = attn::WeightType::getChecked([&] { return emitError(loc); }, builder.getContext(),
                                             ArrayRef<int64_t>(weight.shape),
                                             static_cast<attn::Storage>(weight.storages.bits()));
    if (!type)
      return failure();
    std::string symbol = weight.name;
    while (!taken.insert(symbol).second)
      symbol += "_weight";
    StringAttr fallback =
        weight.fallback.empty() ? StringAttr() : builder.getStringAttr(weight.fallback);
    module.weights[number] = attn::WeightOp::create(
        builder, loc, builder.getStringAttr(symbol), TypeAttr::get(type),
        builder.getStringAttr(weight.tensor), fallback, builder.getI64IntegerAttr(weight.layers));
  }
  return success();
}

/// What attn-check-assertions reads.
static ArrayAttr describeAssertions(OpBuilder &builder, const ModuleState &module) {
  SmallVector<Attribute> entries;
  for (const program::Assertion &assertion : module.program.assertions) {
    const int64_t *whole = std::get_if<int64_t>(&assertion.bound);
    Attribute bound = whole ? Attribute(builder.getI64IntegerAttr(*whole))
                            : builder.getF64FloatAttr(std::get<double>(assertion.bound));
    NamedAttrList entry;
    entry.set("bound", bound);
    entry.set("condition", builder.getStringAttr(assertion.condition));
    if (assertion.costOnLeft)
      entry.set("cost_on_left", builder.getUnitAttr());
    entry.set("place", LocationAttr(module.locations.at(assertion.range)));
    entry.set("relation", builder.getStringAttr(spelling(assertion.relation)));
    entries.push_back(entry.getDictionary(builder.getContext()));
  }
  return builder.getArrayAttr(entries);
}

} // namespace mlirgen

OwningOpRef<ModuleOp> emitModule(MLIRContext &context, const program::Program &program,
                                 const SourceManager *sources) {
  context
      .loadDialect<arith::ArithDialect, attn::AttnDialect, func::FuncDialect, linalg::LinalgDialect,
                   math::MathDialect, scf::SCFDialect, tensor::TensorDialect>();
  OpBuilder builder(&context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  (*module)->setAttr("heed.name", builder.getStringAttr(program.name));
  builder.setInsertionPointToStart(module->getBody());

  mlirgen::ModuleState state{program, mlirgen::Locations(context, sources), {}};
  if (!program.assertions.empty())
    (*module)->setAttr("heed.assertions", mlirgen::describeAssertions(builder, state));
  if (failed(mlirgen::declareWeights(builder, state)))
    return {};
  for (const program::Function &function : program.functions)
    if (failed(mlirgen::FunctionEmitter(builder, state, function).emit()))
      return {};
  if (failed(verify(*module)))
    return {};
  return module;
}

} // namespace heed
