//===- EmitExpressions.cpp - expressions as scalar operations -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScalarEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace heed::mlirgen {

using program::BinaryOp;
using program::Element;
using program::UnaryOp;

Value ScalarEmitter::floatConstant(Location loc, double value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
}

Value ScalarEmitter::indexConstant(Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

/// Reports what Sema should have prevented, and stands in for the value.
Value ScalarEmitter::fail(Location loc, const Twine &message, Type type) {
  emitError(loc) << message;
  function.failed = true;
  return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
}

Value ScalarEmitter::emit(const program::Expr &expr) {
  Location loc = function.module.locations.at(expr.range);
  if (auto *constant = std::get_if<program::ConstFloat>(&expr.node))
    return floatConstant(loc, constant->value);
  if (auto *constant = std::get_if<program::ConstInt>(&expr.node)) {
    if (expr.element == Element::F32)
      return floatConstant(loc, static_cast<double>(constant->value));
    if (expr.element == Element::Bool)
      return arith::ConstantOp::create(builder, loc, builder.getBoolAttr(constant->value != 0));
    return indexConstant(loc, constant->value);
  }
  if (auto *index = std::get_if<program::IndexValue>(&expr.node))
    return emitIndexVar(*index, loc);
  if (auto *size = std::get_if<program::SizeValue>(&expr.node))
    return function.sizes[size->size];
  if (auto *layer = std::get_if<program::LayerValue>(&expr.node)) {
    if (Value value = function.layers.lookup(layer->loop))
      return value;
    return fail(loc, "a layer's number is used outside of its loop", builder.getIndexType());
  }
  if (std::holds_alternative<program::Read>(expr.node) ||
      std::holds_alternative<program::ReadWeight>(expr.node))
    return emitRead(expr);
  if (auto *unary = std::get_if<program::Unary>(&expr.node))
    return emitUnary(expr, *unary);
  if (auto *binary = std::get_if<program::Binary>(&expr.node))
    return emitBinary(expr, *binary);
  if (auto *select = std::get_if<program::Select>(&expr.node)) {
    Value condition = emit(*select->condition);
    Value ifTrue = emit(*select->ifTrue);
    Value ifFalse = emit(*select->ifFalse);
    return arith::SelectOp::create(builder, loc, condition, ifTrue, ifFalse);
  }
  return emitCast(expr, std::get<program::Cast>(expr.node));
}

Value ScalarEmitter::emitElement(const program::Expr &expr) {
  Value value = emit(expr);
  if (expr.element != Element::I32)
    return value;
  Location loc = function.module.locations.at(expr.range);
  return arith::IndexCastOp::create(builder, loc, builder.getI32Type(), value);
}

Value ScalarEmitter::emitIndexVar(const program::IndexValue &index, Location loc) {
  if (Value bound = indices.lookup(index.var))
    return bound;
  auto dim = loops ? loops->dimOf(index.var) : std::nullopt;
  if (!dim)
    return fail(loc, "an index is used where it has no value", builder.getIndexType());
  Location named = NameLoc::get(builder.getStringAttr((*loops)[*dim].name), loc);
  Value value = linalg::IndexOp::create(builder, named, *dim);
  indices[index.var] = value;
  return value;
}

Value ScalarEmitter::emitRead(const program::Expr &read) {
  Location loc = function.module.locations.at(read.range);
  Value element;
  if (auto operand = plan ? plan->operandOf(read) : std::nullopt) {
    element = operands[*operand];
  } else {
    Value tensor = tensors ? tensors->lookup(&read) : Value();
    if (!tensor)
      return fail(loc, "a tensor is read where only sizes are known",
                  read.element == Element::I32 ? builder.getIndexType()
                                               : elementType(builder, read.element));
    auto *local = std::get_if<program::Read>(&read.node);
    const auto &expressions =
        local ? local->indices : std::get<program::ReadWeight>(read.node).indices;
    SmallVector<Value> at;
    for (auto [index, axis] : llvm::zip_equal(expressions, function.shapeOf(read)))
      at.push_back(emitClamped(*index, axis));
    element = tensor::ExtractOp::create(builder, loc, tensor, at);
  }
  if (read.element == Element::I32)
    return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), element);
  return element;
}

/// An index that is inside its axis whatever it is made of. Sema rejects an empty axis and the
/// runtime an empty size, so an axis has an element to clamp to.
Value ScalarEmitter::emitClamped(const program::Expr &index, const program::Extent &axis) {
  Value value = emit(index);
  Location loc = function.module.locations.at(index.range);
  IndexRange range = function.ranges.of(index);
  if (!range.isBelow(axis)) {
    Value last = axis.isRuntime()
                     ? arith::SubIOp::create(builder, loc, function.sizes[axis.runtime],
                                             indexConstant(loc, 1))
                           .getResult()
                     : indexConstant(loc, axis.fixed - 1);
    value = arith::MinSIOp::create(builder, loc, value, last);
  }
  if (!range.isNonNegative())
    value = arith::MaxSIOp::create(builder, loc, value, indexConstant(loc, 0));
  return value;
}

Value ScalarEmitter::emitUnary(const program::Expr &expr, const program::Unary &unary) {
  Location loc = function.module.locations.at(expr.range);
  Value operand = emit(*unary.operand);
  bool isInteger = expr.element == Element::I32;
  switch (unary.op) {
  case UnaryOp::Neg:
    if (isInteger)
      return arith::SubIOp::create(builder, loc, indexConstant(loc, 0), operand);
    return arith::NegFOp::create(builder, loc, operand);
  case UnaryOp::Not: {
    Value yes = arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
    return arith::XOrIOp::create(builder, loc, operand, yes);
  }
  case UnaryOp::Abs:
    if (isInteger)
      return arith::MaxSIOp::create(
          builder, loc, operand,
          arith::SubIOp::create(builder, loc, indexConstant(loc, 0), operand));
    return math::AbsFOp::create(builder, loc, operand);
  case UnaryOp::Floor:
    return isInteger ? operand : math::FloorOp::create(builder, loc, operand).getResult();
  case UnaryOp::Ceil:
    return isInteger ? operand : math::CeilOp::create(builder, loc, operand).getResult();
  case UnaryOp::Exp:
    return math::ExpOp::create(builder, loc, operand);
  case UnaryOp::Log:
    return math::LogOp::create(builder, loc, operand);
  case UnaryOp::Sqrt:
    return math::SqrtOp::create(builder, loc, operand);
  case UnaryOp::Rsqrt:
    return math::RsqrtOp::create(builder, loc, operand);
  case UnaryOp::Tanh:
    return math::TanhOp::create(builder, loc, operand);
  case UnaryOp::Sin:
    return math::SinOp::create(builder, loc, operand);
  case UnaryOp::Cos:
    return math::CosOp::create(builder, loc, operand);
  case UnaryOp::Erf:
    return math::ErfOp::create(builder, loc, operand);
  }
  llvm_unreachable("every UnaryOp is handled");
}

Value ScalarEmitter::emitCast(const program::Expr &expr, const program::Cast &cast) {
  Location loc = function.module.locations.at(expr.range);
  Value value = emit(*cast.operand);
  Element from = cast.operand->element, to = expr.element;
  if (from == to)
    return value;
  if (to == Element::Bool) {
    if (from == Element::F32)
      return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, value,
                                   floatConstant(loc, 0));
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, value,
                                 indexConstant(loc, 0));
  }
  if (to == Element::F32) {
    if (from == Element::Bool)
      return arith::UIToFPOp::create(builder, loc, builder.getF32Type(), value);
    // By way of i32: targets have vector instructions for it and none for 64 bits.
    value = arith::IndexCastOp::create(builder, loc, builder.getI32Type(), value);
    return arith::SIToFPOp::create(builder, loc, builder.getF32Type(), value);
  }
  if (from == Element::Bool)
    return arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(), value);
  // What no i32 can hold becomes the nearest one (fptosi would be poison); NaN the lowest.
  constexpr double lowest = -2147483648.0, highest = 2147483520.0;
  value = arith::MaxNumFOp::create(builder, loc, value, floatConstant(loc, lowest));
  value = arith::MinNumFOp::create(builder, loc, value, floatConstant(loc, highest));
  value = arith::FPToSIOp::create(builder, loc, builder.getI32Type(), value);
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value);
}

} // namespace heed::mlirgen
