//===- EmitStatements.cpp - a function: signature, sizes, statements, layers ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace heed::mlirgen {

LogicalResult FunctionEmitter::emit() {
  SmallVector<Type> params, results;
  for (program::ValueId param : function.params)
    params.push_back(typeOf(param));
  for (program::ValueId result : function.results)
    results.push_back(typeOf(result));

  auto func = func::FuncOp::create(builder, module.locations.at(function.range), function.name,
                                   builder.getFunctionType(params, results));
  setAttributes(func);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(func.addEntryBlock());
  for (auto [param, argument] : llvm::zip_equal(function.params, func.getArguments())) {
    const program::Value &declared = function.values[param];
    argument.setLoc(module.locations.named(declared.name, declared.range));
    values[param] = argument;
  }
  if (emitSizes().failed() || emitBody(function.body).failed())
    return failure();

  SmallVector<Value> returned;
  for (program::ValueId result : function.results)
    returned.push_back(values[result]);
  func::ReturnOp::create(builder, module.locations.at(function.range), returned);
  return success();
}

/// Shapes as the program spells them, such as ["n", "576"]. Only a function of several sizes needs
/// them: with one, every `?` is it.
ArrayAttr FunctionEmitter::symbolicShape(program::ValueId value) {
  SmallVector<std::string> axes;
  for (const program::Extent &extent : function.values[value].shape)
    axes.push_back(extent.isRuntime() ? function.sizes[extent.runtime].name
                                      : std::to_string(extent.fixed));
  return builder.getStrArrayAttr(llvm::map_to_vector(axes, [](StringRef axis) { return axis; }));
}

void FunctionEmitter::setAttributes(func::FuncOp func) {
  SmallVector<StringRef> names;
  SmallVector<int64_t> bounds;
  for (const program::RuntimeSize &size : function.sizes) {
    names.push_back(size.name);
    bounds.push_back(size.bound);
  }
  func->setAttr("heed.sizes", builder.getStrArrayAttr(names));
  func->setAttr("heed.bounds", builder.getDenseI64ArrayAttr(bounds));
  if (int64_t limit = ranges.getTokenLimit())
    func->setAttr("heed.token_limit", builder.getI64IntegerAttr(limit));
  if (!function.comment.empty())
    func->setAttr("heed.comment", builder.getStringAttr(function.comment));

  bool hasSeveralSizes = function.sizes.size() > 1;
  for (auto [number, param] : llvm::enumerate(function.params)) {
    func.setArgAttr(number, "heed.name", builder.getStringAttr(function.values[param].name));
    if (hasSeveralSizes)
      func.setArgAttr(number, "heed.shape", symbolicShape(param));
  }
  for (auto [number, result] : llvm::enumerate(function.results)) {
    if (const std::string &name = function.values[result].name; !name.empty())
      func.setResultAttr(number, "heed.name", builder.getStringAttr(name));
    if (hasSeveralSizes)
      func.setResultAttr(number, "heed.shape", symbolicShape(result));
  }
}

/// Every run-time size is the length of some parameter's axis: the first one's that has it.
LogicalResult FunctionEmitter::emitSizes() {
  for (auto [number, size] : llvm::enumerate(function.sizes)) {
    Location loc = module.locations.named(size.name, size.range);
    for (program::ValueId param : function.params) {
      for (auto [axis, extent] : llvm::enumerate(function.values[param].shape)) {
        if (sizes[number] || extent.runtime != static_cast<int32_t>(number))
          continue;
        Value dimension =
            arith::ConstantIndexOp::create(builder, module.locations.at(size.range), axis);
        sizes[number] = tensor::DimOp::create(builder, loc, values[param], dimension);
      }
    }
    if (!sizes[number])
      return emitError(loc) << "size '" << size.name << "' is the length of no parameter of '"
                            << function.name << "'";
  }
  return success();
}

LogicalResult FunctionEmitter::emitBody(const std::vector<program::Statement> &body) {
  for (const program::Statement &statement : body) {
    auto *loop = std::get_if<program::Loop>(&statement.node);
    LogicalResult emitted =
        loop ? emitLoop(*loop) : emitDefine(std::get<program::Define>(statement.node));
    if (emitted.failed())
      return failure();
  }
  return success();
}

LogicalResult FunctionEmitter::emitLoop(const program::Loop &loop) {
  Location loc = module.locations.at(loop.range);
  SmallVector<Value> inits;
  for (const program::Loop::Carried &carried : loop.carried)
    inits.push_back(values[carried.init]);

  Value first = arith::ConstantIndexOp::create(builder, loc, 0);
  Value count = arith::ConstantIndexOp::create(builder, loc, loop.count);
  Value step = arith::ConstantIndexOp::create(builder, loc, 1);
  LogicalResult emitted = success();
  auto emitRound = [&](OpBuilder &, Location, Value layer, ValueRange inside) {
    layers[loop.id] = layer;
    ranges.declareLoop(loop.id, loop.count);
    for (auto [carried, value] : llvm::zip_equal(loop.carried, inside))
      values[carried.inside] = value;
    emitted = emitBody(loop.body);
    SmallVector<Value> next;
    for (auto [carried, value] : llvm::zip_equal(loop.carried, inside))
      next.push_back(emitted.succeeded() ? values[carried.next] : value);
    scf::YieldOp::create(builder, loc, next);
  };
  // One name for all results; loops that carry several tensors print as %E:2.
  StringRef name =
      loop.carried.empty() ? StringRef() : function.values[loop.carried.front().result].name;
  auto op = scf::ForOp::create(builder, module.locations.named(name, loop.range), first, count,
                               step, inits, emitRound);
  op.getInductionVar().setLoc(module.locations.named(loop.name, loop.range));
  for (auto [number, carried] : llvm::enumerate(loop.carried)) {
    const program::Value &inside = function.values[carried.inside];
    op.getRegionIterArg(number).setLoc(module.locations.named(inside.name, inside.range));
    values[carried.result] = op.getResult(number);
  }
  return emitted;
}

} // namespace heed::mlirgen
