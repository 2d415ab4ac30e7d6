//===- EmitDefinitions.cpp - a formula as a linalg op, a softmax as attn ops ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExprWalk.h"
#include "ScalarEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;

namespace heed::mlirgen {

using program::Element;

Type elementType(Builder &builder, Element element) {
  switch (element) {
  case Element::F32:
    return builder.getF32Type();
  case Element::I32:
    return builder.getI32Type();
  case Element::Bool:
    return builder.getI1Type();
  }
  llvm_unreachable("every Element is handled");
}

/// The number, or `?` for a size of the run.
static int64_t staticSize(const program::Extent &extent) {
  return extent.isRuntime() ? ShapedType::kDynamic : extent.fixed;
}

RankedTensorType FunctionEmitter::typeOf(program::ValueId value) const {
  const program::Value &declared = function.values[value];
  return RankedTensorType::get(llvm::map_to_vector(declared.shape, staticSize),
                               elementType(builder, declared.element));
}

SmallVector<program::Extent> FunctionEmitter::shapeOf(const program::Expr &read) const {
  if (auto *tensor = std::get_if<program::Read>(&read.node))
    return llvm::to_vector(function.values[tensor->tensor].shape);
  const auto &weight = std::get<program::ReadWeight>(read.node);
  return llvm::map_to_vector(module.program.weights[weight.weight].shape,
                             [](int64_t size) { return program::Extent{size}; });
}

Value FunctionEmitter::emitExtent(OpBuilder &builder, Location loc, const program::Extent &extent) {
  if (extent.isRuntime())
    return sizes[extent.runtime];
  return arith::ConstantIndexOp::create(builder, loc, extent.fixed);
}

Value FunctionEmitter::emitEmpty(Location loc, ArrayRef<program::Extent> shape, Type element) {
  SmallVector<Value> dynamic;
  for (const program::Extent &extent : shape)
    if (extent.isRuntime())
      dynamic.push_back(sizes[extent.runtime]);
  return tensor::EmptyOp::create(builder, loc, llvm::map_to_vector(shape, staticSize), element,
                                 dynamic);
}

/// What a reduction of nothing gives.
static TypedAttr neutralElement(Builder &builder, program::ReduceOp op, Element element) {
  bool isMax = op == program::ReduceOp::Max, isSum = op == program::ReduceOp::Sum;
  if (element == Element::F32) {
    float infinity = std::numeric_limits<float>::infinity();
    return builder.getF32FloatAttr(isSum ? 0.0f : isMax ? -infinity : infinity);
  }
  if (element == Element::Bool)
    return builder.getBoolAttr(op == program::ReduceOp::Min);
  using Limits = std::numeric_limits<int32_t>;
  return builder.getI32IntegerAttr(isSum ? 0 : isMax ? Limits::min() : Limits::max());
}

/// One step of a reduction; on truth values the sum and the maximum are "or", the minimum "and".
static Value combine(OpBuilder &builder, Location loc, program::ReduceOp op, Value sum,
                     Value next) {
  Type type = next.getType();
  switch (op) {
  case program::ReduceOp::Sum:
    if (type.isF32())
      return arith::AddFOp::create(builder, loc, sum, next);
    if (type.isInteger(1))
      return arith::OrIOp::create(builder, loc, sum, next);
    return arith::AddIOp::create(builder, loc, sum, next);
  case program::ReduceOp::Max:
    if (type.isF32())
      return arith::MaximumFOp::create(builder, loc, sum, next);
    if (type.isInteger(1))
      return arith::OrIOp::create(builder, loc, sum, next);
    return arith::MaxSIOp::create(builder, loc, sum, next);
  case program::ReduceOp::Min:
    if (type.isF32())
      return arith::MinimumFOp::create(builder, loc, sum, next);
    if (type.isInteger(1))
      return arith::AndIOp::create(builder, loc, sum, next);
    return arith::MinSIOp::create(builder, loc, sum, next);
  }
  llvm_unreachable("every ReduceOp is handled");
}

Value FunctionEmitter::emitDestination(const program::Define &define,
                                       const program::Reduce *reduce) {
  const program::Value &result = function.values[define.result];
  Location loc = module.locations.at(define.range);
  Value empty = emitEmpty(loc, result.shape, elementType(builder, result.element));
  if (!reduce)
    return empty;
  Value start =
      arith::ConstantOp::create(builder, loc, neutralElement(builder, reduce->op, result.element));
  return linalg::FillOp::create(builder, loc, start, empty).getResult(0);
}

llvm::DenseMap<const program::Expr *, Value>
FunctionEmitter::emitReadTensors(const program::Expr &body) {
  llvm::DenseMap<const program::Expr *, Value> tensors;
  // The same weight of the same layer is brought in once. A layer's number is almost always the
  // loop's, so that only the loop tells two apart; anything else gets a value of its own.
  llvm::DenseMap<std::pair<int32_t, int32_t>, Value> dense;
  walk(body, [&](const program::Expr &expr) {
    if (auto *read = std::get_if<program::Read>(&expr.node))
      tensors[&expr] = values[read->tensor];
    auto *read = std::get_if<program::ReadWeight>(&expr.node);
    if (!read)
      return;
    auto *loop = read->layer ? std::get_if<program::LayerValue>(&read->layer->node) : nullptr;
    bool isShared = loop || !read->layer;
    std::pair<int32_t, int32_t> key{read->weight, loop ? loop->loop : -1};
    if (isShared && dense.count(key)) {
      tensors[&expr] = dense[key];
      return;
    }
    const program::Weight &weight = module.program.weights[read->weight];
    attn::WeightOp declaration = module.weights[read->weight];
    Location loc = module.locations.named(weight.name, expr.range);
    Value layer = read->layer ? ScalarEmitter(*this, builder).emit(*read->layer) : Value();
    Value stored = attn::GetWeightOp::create(builder, loc, declaration.getWeightType(),
                                             declaration.getSymName(), layer,
                                             /*permuted=*/DenseI64ArrayAttr());
    Value tensor = attn::DequantizeOp::create(
        builder, loc, declaration.getWeightType().getDequantizedType(), stored);
    tensors[&expr] = tensor;
    if (isShared)
      dense[key] = tensor;
  });
  return tensors;
}

LogicalResult FunctionEmitter::emitGeneric(const program::Define &define, const program::Expr &body,
                                           const program::Reduce *reduce) {
  const program::Value &result = function.values[define.result];
  Location loc = module.locations.at(define.range);
  MLIRContext *context = builder.getContext();

  LoopNest loops;
  for (const program::IndexVar &axis : define.axes)
    loops.append(axis);
  if (reduce)
    for (const program::IndexVar &var : reduce->vars)
      loops.append(var);
  for (unsigned dim = 0; dim < loops.size(); ++dim)
    ranges.declare(loops[dim]);

  auto tensors = emitReadTensors(body);
  ReadPlan plan(loops, ranges);
  walk(body, [&](const program::Expr &expr) {
    if (Value tensor = tensors.lookup(&expr))
      plan.add(expr, tensor, shapeOf(expr));
  });
  // The result tells the lengths of the axes; what is summed over may be told by nothing.
  SmallVector<unsigned> untold = plan.loopsWithoutShape(define.axes.size());
  if (!untold.empty()) {
    SmallVector<program::Extent> shape;
    SmallVector<AffineExpr> results;
    for (unsigned dim : untold) {
      shape.push_back(loops[dim].extent);
      results.push_back(getAffineDimExpr(dim, context));
    }
    plan.addShape(emitEmpty(loc, shape, builder.getF32Type()),
                  AffineMap::get(loops.size(), 0, results, context));
  }

  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const ReadPlan::Operand &operand : plan.getOperands()) {
    inputs.push_back(operand.tensor);
    maps.push_back(operand.map);
  }
  SmallVector<AffineExpr> axes;
  for (unsigned dim = 0; dim < define.axes.size(); ++dim)
    axes.push_back(getAffineDimExpr(dim, context));
  maps.push_back(AffineMap::get(loops.size(), 0, axes, context));
  SmallVector<utils::IteratorType> iterators(define.axes.size(), utils::IteratorType::parallel);
  iterators.resize(loops.size(), utils::IteratorType::reduction);

  Value destination = emitDestination(define, reduce);
  auto emitBodyOf = [&](OpBuilder &inner, Location, ValueRange elements) {
    ScalarEmitter scalar(*this, inner);
    scalar.bindLoops(loops);
    scalar.bindTensors(tensors);
    scalar.bindOperands(plan, elements);
    Value value = scalar.emitElement(body);
    if (reduce)
      value = combine(inner, loc, reduce->op, elements.back(), value);
    linalg::YieldOp::create(inner, loc, value);
  };
  auto generic = linalg::GenericOp::create(
      builder, module.locations.named(result.name, define.range), typeOf(define.result), inputs,
      destination, maps, iterators, emitBodyOf);
  values[define.result] = generic.getResult(0);
  return success(!failed);
}

LogicalResult FunctionEmitter::emitSoftmax(const program::Define &define,
                                           const program::Softmax &softmax) {
  Value scores = values[softmax.scores];
  for (const program::IndexVar &axis : define.axes)
    ranges.declare(axis);

  if (softmax.mask) {
    const std::string &name = function.values[softmax.scores].name;
    Location loc = module.locations.named(name + "_masked", softmax.mask->range);
    auto tensors = emitReadTensors(*softmax.mask);
    auto mask = attn::MaskOp::create(builder, loc, scores.getType(), scores);
    OpBuilder::InsertionGuard guard(builder);
    Block *block = mask.getPredicate().empty() ? &mask.getPredicate().emplaceBlock()
                                               : &mask.getPredicate().front();
    ScalarEmitter scalar(*this, builder);
    scalar.bindTensors(tensors);
    for (const program::IndexVar &axis : define.axes)
      scalar.bindIndex(axis.id,
                       block->addArgument(builder.getIndexType(),
                                          module.locations.named(axis.name, define.range)));
    builder.setInsertionPointToEnd(block);
    Value visible = scalar.emit(*softmax.mask);
    attn::YieldOp::create(builder, module.locations.at(softmax.mask->range), visible);
    scores = mask.getResult();
  }

  auto axis = llvm::find_if(
      define.axes, [&](const program::IndexVar &candidate) { return candidate.id == softmax.var; });
  Location loc = module.locations.named(function.values[define.result].name, define.range);
  Value sink = softmax.sink < 0 ? Value() : values[softmax.sink];
  values[define.result] = attn::SoftmaxOp::create(builder, loc, scores.getType(), scores, sink,
                                                  axis - define.axes.begin());
  return success(!failed);
}

LogicalResult FunctionEmitter::emitDefine(const program::Define &define) {
  if (auto *map = std::get_if<program::Map>(&define.form))
    return emitGeneric(define, *map->body, nullptr);
  if (auto *reduce = std::get_if<program::Reduce>(&define.form))
    return emitGeneric(define, *reduce->body, reduce);
  return emitSoftmax(define, std::get<program::Softmax>(define.form));
}

} // namespace heed::mlirgen
