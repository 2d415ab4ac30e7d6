//===- EmitOperators.cpp - binary operators as scalar operations ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScalarEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace heed::mlirgen {

using program::BinaryOp;
using program::Element;

Value ScalarEmitter::emitBinary(const program::Expr &expr, const program::Binary &binary) {
  // The operands' element tells which arithmetic it is: a comparison of floats gives a Bool.
  switch (binary.lhs->element) {
  case Element::F32:
    return emitFloat(expr, binary);
  case Element::I32:
    return emitInteger(expr, binary);
  case Element::Bool:
    return emitLogic(expr, binary);
  }
  llvm_unreachable("every Element is handled");
}

Value ScalarEmitter::emitFloat(const program::Expr &expr, const program::Binary &binary) {
  Location loc = function.module.locations.at(expr.range);
  if (binary.op == BinaryOp::Pow)
    return emitPower(expr, binary);
  Value lhs = emit(*binary.lhs), rhs = emit(*binary.rhs);
  auto compare = [&](arith::CmpFPredicate predicate) -> Value {
    return arith::CmpFOp::create(builder, loc, predicate, lhs, rhs);
  };
  switch (binary.op) {
  case BinaryOp::Add:
    return arith::AddFOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Sub:
    return arith::SubFOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Mul:
    return arith::MulFOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Div:
    return arith::DivFOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Mod: { // x - floor(x / y) * y, as on integers
    Value quotient = arith::DivFOp::create(builder, loc, lhs, rhs);
    Value floor = math::FloorOp::create(builder, loc, quotient);
    Value whole = arith::MulFOp::create(builder, loc, floor, rhs);
    return arith::SubFOp::create(builder, loc, lhs, whole);
  }
  case BinaryOp::Min:
    return arith::MinimumFOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Max:
    return arith::MaximumFOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Eq:
    return compare(arith::CmpFPredicate::OEQ);
  case BinaryOp::Ne:
    return compare(arith::CmpFPredicate::UNE);
  case BinaryOp::Lt:
    return compare(arith::CmpFPredicate::OLT);
  case BinaryOp::Le:
    return compare(arith::CmpFPredicate::OLE);
  case BinaryOp::Gt:
    return compare(arith::CmpFPredicate::OGT);
  case BinaryOp::Ge:
    return compare(arith::CmpFPredicate::OGE);
  case BinaryOp::Pow:
  case BinaryOp::And:
  case BinaryOp::Or:
    break;
  }
  return fail(loc, "logic is applied to a float", elementType(builder, expr.element));
}

/// The value of a literal, cast or not.
static std::optional<double> literal(const program::Expr &expr) {
  if (auto *constant = std::get_if<program::ConstFloat>(&expr.node))
    return constant->value;
  if (auto *constant = std::get_if<program::ConstInt>(&expr.node))
    return static_cast<double>(constant->value);
  if (auto *cast = std::get_if<program::Cast>(&expr.node))
    return literal(*cast->operand);
  return std::nullopt;
}

Value ScalarEmitter::emitPower(const program::Expr &expr, const program::Binary &binary) {
  Location loc = function.module.locations.at(expr.range);
  Value base = emit(*binary.lhs);
  auto exponent = literal(*binary.rhs);
  if (exponent == 1)
    return base;
  if (exponent == 2 || exponent == 3) {
    Value square = arith::MulFOp::create(builder, loc, base, base);
    if (exponent == 2)
      return square;
    return arith::MulFOp::create(builder, loc, square, base);
  }
  return math::PowFOp::create(builder, loc, base, emit(*binary.rhs));
}

/// Division and remainder that floor. Where both sides are known not to be negative they are
/// unsigned ones, which are cheaper and the same.
Value ScalarEmitter::emitDivision(const program::Expr &expr, const program::Binary &binary) {
  Location loc = function.module.locations.at(expr.range);
  Value lhs = emit(*binary.lhs), rhs = emit(*binary.rhs);
  bool isModulo = binary.op == BinaryOp::Mod;
  IndexRange divisor = function.ranges.of(*binary.rhs);
  bool mayBeZero = !(divisor.low && *divisor.low > 0) && !(divisor.high && *divisor.high < 0);
  if (mayBeZero) {
    // The machine's division would trap.
    Value zero = indexConstant(loc, 0);
    Value isZero = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, rhs, zero);
    rhs = arith::SelectOp::create(builder, loc, isZero, indexConstant(loc, 1), rhs);
  }
  if (divisor.isNonNegative() && function.ranges.of(*binary.lhs).isNonNegative()) {
    if (isModulo)
      return arith::RemUIOp::create(builder, loc, lhs, rhs);
    return arith::DivUIOp::create(builder, loc, lhs, rhs);
  }
  if (!divisor.isNonNegative()) { // the lowest integer divided by -1 would trap
    Value lowest = indexConstant(loc, std::numeric_limits<int64_t>::min() + 1);
    lhs = arith::MaxSIOp::create(builder, loc, lhs, lowest);
  }
  Value quotient = arith::FloorDivSIOp::create(builder, loc, lhs, rhs);
  if (!isModulo)
    return quotient;
  Value whole = arith::MulIOp::create(builder, loc, quotient, rhs);
  return arith::SubIOp::create(builder, loc, lhs, whole);
}

Value ScalarEmitter::emitInteger(const program::Expr &expr, const program::Binary &binary) {
  Location loc = function.module.locations.at(expr.range);
  if (binary.op == BinaryOp::Div || binary.op == BinaryOp::Mod)
    return emitDivision(expr, binary);
  // Sema clamps token ids; the token limit makes that superfluous.
  if (const program::Expr *operand = function.ranges.decided(binary))
    return emit(*operand);
  Value lhs = emit(*binary.lhs), rhs = emit(*binary.rhs);
  auto compare = [&](arith::CmpIPredicate predicate) -> Value {
    return arith::CmpIOp::create(builder, loc, predicate, lhs, rhs);
  };
  switch (binary.op) {
  case BinaryOp::Add:
    return arith::AddIOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Sub:
    return arith::SubIOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Mul:
    return arith::MulIOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Pow: { // exact wherever an i32 holds the result
    Type f64 = builder.getF64Type(), i64 = builder.getI64Type();
    auto widen = [&](Value value) -> Value {
      value = arith::IndexCastOp::create(builder, loc, i64, value);
      return arith::SIToFPOp::create(builder, loc, f64, value);
    };
    Value power = math::PowFOp::create(builder, loc, widen(lhs), widen(rhs));
    Value limit = arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(0x1p53));
    Value least = arith::NegFOp::create(builder, loc, limit);
    power = arith::MinNumFOp::create(builder, loc, power, limit);
    power = arith::MaxNumFOp::create(builder, loc, power, least);
    power = arith::FPToSIOp::create(builder, loc, i64, power);
    return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), power);
  }
  case BinaryOp::Min:
    return arith::MinSIOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Max:
    return arith::MaxSIOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Eq:
    return compare(arith::CmpIPredicate::eq);
  case BinaryOp::Ne:
    return compare(arith::CmpIPredicate::ne);
  case BinaryOp::Lt:
    return compare(arith::CmpIPredicate::slt);
  case BinaryOp::Le:
    return compare(arith::CmpIPredicate::sle);
  case BinaryOp::Gt:
    return compare(arith::CmpIPredicate::sgt);
  case BinaryOp::Ge:
    return compare(arith::CmpIPredicate::sge);
  case BinaryOp::Div:
  case BinaryOp::Mod:
  case BinaryOp::And:
  case BinaryOp::Or:
    break;
  }
  return fail(loc, "logic is applied to an integer",
              expr.element == Element::Bool ? Type(builder.getI1Type())
                                            : Type(builder.getIndexType()));
}

Value ScalarEmitter::emitLogic(const program::Expr &expr, const program::Binary &binary) {
  Location loc = function.module.locations.at(expr.range);
  Value lhs = emit(*binary.lhs), rhs = emit(*binary.rhs);
  switch (binary.op) {
  case BinaryOp::And:
  case BinaryOp::Min:
    return arith::AndIOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Or:
  case BinaryOp::Max:
    return arith::OrIOp::create(builder, loc, lhs, rhs);
  case BinaryOp::Eq:
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, lhs, rhs);
  case BinaryOp::Ne:
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, lhs, rhs);
  default:
    return fail(loc, "arithmetic is applied to a truth value", elementType(builder, expr.element));
  }
}

} // namespace heed::mlirgen
