//===- MaskPredicate.cpp - what a mask shows, and how it reads ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskPredicate.h"

#include "PredicateClauses.h"

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
// What it hides
//===----------------------------------------------------------------------===//

/// The mask's predicate in normal form.
static PredicateClauses clausesOf(MaskOp mask, Value row, Value key) {
  return PredicateClauses(mask.getPredicate(), row, key);
}

bool MaskPredicate::hidesLaterRows() const { return impliesKeyUpToRow(clausesOf(mask, row, key)); }

std::optional<int64_t> MaskPredicate::rowsBack() const {
  std::optional<int64_t> rows = heed::attn::rowsBack(clausesOf(mask, row, key));
  return rows ? std::optional(std::max<int64_t>(*rows, 1)) : std::nullopt;
}

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
