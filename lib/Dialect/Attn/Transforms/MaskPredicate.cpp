//===- MaskPredicate.cpp - what a mask shows, and how it reads ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskPredicate.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace heed::attn;

MaskPredicate::MaskPredicate(MaskOp mask, int64_t rowAxis, int64_t keyAxis)
    : mask(mask), row(mask.getPredicate().getArgument(rowAxis)),
      key(mask.getPredicate().getArgument(keyAxis)) {}

static Value yieldedBy(MaskOp mask) {
  return mask.getPredicate().front().getTerminator()->getOperand(0);
}

static std::optional<int64_t> constantOf(Value value) {
  APInt constant;
  if (!matchPattern(value, m_ConstantInt(&constant)) || constant.getSignificantBits() > 64)
    return std::nullopt;
  return constant.getSExtValue();
}

/// Looks through changes of integer type whose results have at least `width` bits.
static Value throughCasts(Value value, unsigned width) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp, arith::ExtUIOp>(op) ||
        (!value.getType().isIndex() && value.getType().getIntOrFloatBitWidth() < width))
      break;
    value = op->getOperand(0);
  }
  return value;
}

//===----------------------------------------------------------------------===//
// Proving j <= i
//===----------------------------------------------------------------------===//

namespace {

/// row * i + key * j + constant. Unusable where a value isn't such a sum, or where a factor is so
/// large that the sum could wrap around (indices stay below 2^31).
struct Linear {
  int64_t row = 0, key = 0, constant = 0;
  bool usable = true;

  bool isNonNegative() const { return usable && row >= 0 && key >= 0 && constant >= 0; }

  Linear plus(const Linear &other, int64_t factor) const {
    constexpr int64_t limit = int64_t(1) << 30;
    Linear sum{row + factor * other.row, key + factor * other.key,
               constant + factor * other.constant, usable && other.usable};
    for (int64_t part : {sum.row, sum.key, sum.constant})
      sum.usable &= -limit <= part && part <= limit;
    return sum.usable ? sum : Linear{0, 0, 0, false};
  }
};

} // namespace

static Linear linearOf(Value value, Value i, Value j) {
  value = throughCasts(value, 64);
  if (value == i)
    return {1, 0, 0, true};
  if (value == j)
    return {0, 1, 0, true};
  if (std::optional<int64_t> constant = constantOf(value)) {
    bool isSmall = -(int64_t(1) << 30) <= *constant && *constant <= int64_t(1) << 30;
    return {0, 0, isSmall ? *constant : 0, isSmall};
  }
  constexpr Linear unknown{0, 0, 0, false};
  Operation *op = value.getDefiningOp();
  if (!op || (!value.getType().isIndex() && !value.getType().isInteger(64)) ||
      !isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op))
    return unknown;
  Linear left = linearOf(op->getOperand(0), i, j), right = linearOf(op->getOperand(1), i, j);
  if (!left.usable || !right.usable)
    return unknown;
  if (!isa<arith::MulIOp>(op))
    return left.plus(right, isa<arith::AddIOp>(op) ? 1 : -1);
  if (left.row == 0 && left.key == 0)
    return Linear().plus(right, left.constant);
  if (right.row == 0 && right.key == 0)
    return Linear().plus(left, right.constant);
  return unknown;
}

/// Whether `difference <= 0` implies `j - i <= 0`, given i >= 0 and j >= 0.
static bool boundsKey(const Linear &difference) {
  // With scale * j on its left, the comparison says scale * (j - i) <= rest, where
  // rest = scale * (j - i) - difference; it is enough that rest < scale, as j - i is whole.
  int64_t scale = difference.key;
  return difference.usable && scale > 0 && -difference.constant < scale &&
         -scale - difference.row <= 0;
}

/// The signed relation that says the same of numbers that aren't negative.
static arith::CmpIPredicate signedRelation(arith::CmpIPredicate relation) {
  switch (relation) {
  case arith::CmpIPredicate::ult:
    return arith::CmpIPredicate::slt;
  case arith::CmpIPredicate::ule:
    return arith::CmpIPredicate::sle;
  case arith::CmpIPredicate::ugt:
    return arith::CmpIPredicate::sgt;
  case arith::CmpIPredicate::uge:
    return arith::CmpIPredicate::sge;
  default:
    return relation;
  }
}

static bool comparisonImplies(arith::CmpIOp compare, bool negated, Value i, Value j) {
  arith::CmpIPredicate relation = compare.getPredicate();
  if (negated)
    relation = arith::invertPredicate(relation);
  Linear left = linearOf(compare.getLhs(), i, j), right = linearOf(compare.getRhs(), i, j);
  if (left.isNonNegative() && right.isNonNegative())
    relation = signedRelation(relation);
  Linear difference = left.plus(right, -1), opposite = right.plus(left, -1);
  Linear one{0, 0, 1, true};
  switch (relation) {
  case arith::CmpIPredicate::sle:
    return boundsKey(difference);
  case arith::CmpIPredicate::slt:
    return boundsKey(difference.plus(one, 1));
  case arith::CmpIPredicate::sge:
    return boundsKey(opposite);
  case arith::CmpIPredicate::sgt:
    return boundsKey(opposite.plus(one, 1));
  case arith::CmpIPredicate::eq:
    return boundsKey(difference) || boundsKey(opposite);
  default: // an inequality, or an unsigned comparison of what may be negative
    return false;
  }
}

/// Whether `predicate`, or its negation, implies j <= i.
static bool implies(Value predicate, bool negated, Value i, Value j) {
  if (std::optional<int64_t> constant = constantOf(predicate))
    return (*constant != 0) == negated; // never true: implies everything
  Operation *op = predicate.getDefiningOp();
  if (!op)
    return false;
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return comparisonImplies(compare, negated, i, j);
  if (isa<arith::AndIOp, arith::OrIOp>(op)) {
    bool left = implies(op->getOperand(0), negated, i, j);
    bool right = implies(op->getOperand(1), negated, i, j);
    return isa<arith::AndIOp>(op) != negated ? left || right : left && right;
  }
  if (auto exclusive = dyn_cast<arith::XOrIOp>(op)) {
    std::optional<int64_t> constant = constantOf(exclusive.getRhs());
    return constant && implies(exclusive.getLhs(), *constant != 0 ? !negated : negated, i, j);
  }
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    Value condition = select.getCondition();
    return (implies(condition, false, i, j) || implies(select.getTrueValue(), negated, i, j)) &&
           (implies(condition, true, i, j) || implies(select.getFalseValue(), negated, i, j));
  }
  return false;
}

bool MaskPredicate::hidesLaterRows() const { return implies(yieldedBy(mask), false, row, key); }

//===----------------------------------------------------------------------===//
// Spelling
//===----------------------------------------------------------------------===//

/// The name that the program gives a value, or nothing.
static StringRef nameOf(Value value) {
  if (auto named = value.getLoc()->findInstanceOf<NameLoc>())
    return named.getName();
  return "";
}

std::string MaskPredicate::getRowName() const {
  StringRef name = nameOf(row);
  return name.empty() ? "i" : name.str();
}
std::string MaskPredicate::getKeyName() const {
  StringRef name = nameOf(key);
  return name.empty() ? "j" : name.str();
}

namespace {

/// How tightly an operator binds, loosest first.
enum Binding { Choice, Or, And, Compare, Sum, Product, Unary };

struct Operator {
  StringRef text;
  Binding binding;
};

} // namespace

static std::optional<Operator> operatorOf(Operation *op) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    switch (compare.getPredicate()) {
    case arith::CmpIPredicate::eq:
      return Operator{"==", Compare};
    case arith::CmpIPredicate::ne:
      return Operator{"!=", Compare};
    case arith::CmpIPredicate::slt:
    case arith::CmpIPredicate::ult:
      return Operator{"<", Compare};
    case arith::CmpIPredicate::sle:
    case arith::CmpIPredicate::ule:
      return Operator{"<=", Compare};
    case arith::CmpIPredicate::sgt:
    case arith::CmpIPredicate::ugt:
      return Operator{">", Compare};
    case arith::CmpIPredicate::sge:
    case arith::CmpIPredicate::uge:
      return Operator{">=", Compare};
    }
  }
  if (isa<arith::OrIOp>(op))
    return Operator{"||", Or};
  if (isa<arith::AndIOp>(op))
    return Operator{"&&", And};
  if (isa<arith::AddIOp>(op))
    return Operator{"+", Sum};
  if (isa<arith::SubIOp>(op))
    return Operator{"-", Sum};
  if (isa<arith::MulIOp>(op))
    return Operator{"*", Product};
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp>(op))
    return Operator{"/", Product};
  if (isa<arith::RemSIOp, arith::RemUIOp>(op))
    return Operator{"%", Product};
  return std::nullopt;
}

/// Spells `value` so that it can stand where an operator of binding `outer` is around it.
static std::string spellValue(Value value, Binding outer,
                              function_ref<StringRef(Value)> nameOfArg) {
  value = throughCasts(value, 1);
  auto wrapped = [&](std::string text, Binding binding) {
    return binding < outer ? "(" + text + ")" : text;
  };
  if (std::optional<int64_t> constant = constantOf(value)) {
    if (value.getType().isInteger(1))
      return *constant != 0 ? "true" : "false";
    return std::to_string(*constant);
  }
  if (StringRef name = nameOfArg(value); !name.empty())
    return name.str();
  Operation *op = value.getDefiningOp();
  if (!op)
    return "…";
  if (auto exclusive = dyn_cast<arith::XOrIOp>(op);
      exclusive && constantOf(exclusive.getRhs()).value_or(0) != 0)
    return "!" + spellValue(exclusive.getLhs(), Unary, nameOfArg);
  if (std::optional<Operator> infix = operatorOf(op)) {
    // Left-associative: the right operand must bind tighter.
    auto tighter = Binding(infix->binding + 1);
    bool associative = isa<arith::AndIOp, arith::OrIOp, arith::AddIOp>(op);
    return wrapped(
        spellValue(op->getOperand(0), infix->binding, nameOfArg) + " " + infix->text.str() + " " +
            spellValue(op->getOperand(1), associative ? infix->binding : tighter, nameOfArg),
        infix->binding);
  }
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return wrapped(spellValue(select.getCondition(), Or, nameOfArg) + " ? " +
                       spellValue(select.getTrueValue(), Or, nameOfArg) + " : " +
                       spellValue(select.getFalseValue(), Choice, nameOfArg),
                   Choice);
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    StringRef name = nameOf(extract.getTensor());
    std::string text = name.empty() ? "…" : name.str();
    for (auto [axis, index] : llvm::enumerate(extract.getIndices()))
      text += (axis == 0 ? "[" : ", ") + spellValue(index, Choice, nameOfArg);
    return extract.getIndices().empty() ? text : text + "]";
  }
  StringRef name = nameOf(value);
  return name.empty() ? "…" : name.str();
}

std::string MaskPredicate::spell() const {
  std::string i = getRowName(), j = getKeyName();
  auto nameOfArg = [&](Value value) -> StringRef {
    if (value == row)
      return i;
    if (value == key)
      return j;
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      StringRef name = nameOf(value);
      return name.empty() && argument.getOwner()->getParentOp() == mask ? "h" : name;
    }
    return "";
  };
  return spellValue(yieldedBy(mask), Choice, nameOfArg);
}
