//===- PredicateClauses.cpp - a mask's predicate in normal form -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PredicateClauses.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heed::attn;

/// Factors stay below this in magnitude, constants below its square. Indices and 32-bit integers
/// stay below 2^31, so sums stay far from 2^63.
static constexpr int64_t kLargestFactor = int64_t(1) << 20;
/// Beyond, a disjunction isn't worth the code that decides it.
static constexpr size_t kMostClauses = 8;

static std::optional<int64_t> constantOf(Value value) {
  APInt constant;
  if (!matchPattern(value, m_ConstantInt(&constant)) || constant.getSignificantBits() > 64)
    return std::nullopt;
  return constant.getSExtValue();
}

std::optional<LinearForm> LinearForm::plus(const LinearForm &other, int64_t factor) const {
  auto within = [](int64_t x, int64_t limit) { return -limit <= x && x <= limit; };
  if (!within(factor, kLargestFactor))
    return std::nullopt;
  LinearForm sum = *this;
  sum.ofRow += factor * other.ofRow;
  sum.ofKey += factor * other.ofKey;
  for (auto [leaf, coefficient] : other.leaves) {
    auto same = llvm::find_if(sum.leaves, [&](auto &term) { return term.first == leaf; });
    if (same == sum.leaves.end())
      same = &sum.leaves.emplace_back(leaf, 0);
    same->second += factor * coefficient;
    if (!within(same->second, kLargestFactor))
      return std::nullopt;
  }
  llvm::erase_if(sum.leaves, [](auto &term) { return term.second == 0; });
  if (!within(sum.ofRow, kLargestFactor) || !within(sum.ofKey, kLargestFactor) ||
      llvm::MulOverflow(factor, other.constant, sum.constant) ||
      llvm::AddOverflow(constant, sum.constant, sum.constant) ||
      !within(sum.constant, kLargestFactor * kLargestFactor))
    return std::nullopt;
  return sum;
}

bool LinearForm::isLeaf(Value value) const {
  return leaves.size() == 1 && leaves.front() == std::pair(value, int64_t(1));
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

PredicateClauses::PredicateClauses(Region &region, Value row, Value key)
    : region(&region), row(row), key(key) {
  for (BlockArgument argument : region.getArguments())
    dependences[argument] = 1u << argument.getArgNumber();
  for (Operation &op : region.front().without_terminator()) {
    unsigned all = op.getNumRegions() == 0 ? 0 : ~0u;
    for (Value operand : op.getOperands())
      all |= dependenceOf(operand);
    for (Value result : op.getResults())
      dependences[result] = all;
  }
  clauses = normalise(region.front().getTerminator()->getOperand(0), false);
}

std::optional<PredicateClauses::Division> PredicateClauses::matchQuotient(Value value) const {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<arith::FloorDivSIOp, arith::DivSIOp, arith::DivUIOp>(op))
    return std::nullopt;
  std::optional<int64_t> divisor = constantOf(op->getOperand(1));
  if (!divisor || *divisor <= 0 || *divisor > kLargestFactor ||
      (!isa<arith::FloorDivSIOp>(op) && !isNonNegative(op->getOperand(0))))
    return std::nullopt;
  return Division(op->getOperand(0), *divisor);
}

std::optional<PredicateClauses::Division> PredicateClauses::matchRemainder(Value value) const {
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (isa<arith::RemSIOp, arith::RemUIOp>(op)) {
    std::optional<int64_t> divisor = constantOf(op->getOperand(1));
    if (!divisor || *divisor <= 0 || *divisor > kLargestFactor || !isNonNegative(op->getOperand(0)))
      return std::nullopt;
    return Division(op->getOperand(0), *divisor);
  }
  // x - (x floordiv c) * c, as it is spelled where x may be negative.
  auto difference = dyn_cast<arith::SubIOp>(op);
  auto whole = difference ? difference.getRhs().getDefiningOp<arith::MulIOp>() : nullptr;
  if (!whole)
    return std::nullopt;
  for (auto [quotient, factor] :
       {std::pair(whole.getLhs(), whole.getRhs()), std::pair(whole.getRhs(), whole.getLhs())})
    if (std::optional<Division> division = matchQuotient(quotient))
      if (division->first == difference.getLhs() && constantOf(factor) == division->second)
        return division;
  return std::nullopt;
}

bool PredicateClauses::isNonNegative(Value value) const {
  if (std::optional<int64_t> constant = constantOf(value))
    return *constant >= 0;
  // A sum of what isn't negative: forms are so small that they don't wrap around.
  if (std::optional<LinearForm> form = formOf(value); form && !form->isLeaf(value))
    return form->ofRow >= 0 && form->ofKey >= 0 && form->constant >= 0 &&
           llvm::all_of(form->leaves,
                        [&](auto &term) { return term.second > 0 && isNonNegative(term.first); });
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (!value.getType().isIndex())
      return false;
    if (isInside(value))
      return true;
    // The rows before this call.
    auto function = dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
    auto role = function
                    ? function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "heed.arg")
                    : nullptr;
    return role && role.getValue() == "past";
  }
  Operation *op = value.getDefiningOp();
  auto all = [&] {
    return llvm::all_of(op->getOperands(), [&](Value operand) { return isNonNegative(operand); });
  };
  if (isa<tensor::DimOp>(op))
    return true;
  if (isa<arith::FloorDivSIOp, arith::DivUIOp, arith::RemUIOp, arith::RemSIOp, arith::MinSIOp,
          arith::MinUIOp, arith::MaxUIOp, arith::IndexCastOp, arith::ExtSIOp>(op))
    return all();
  if (isa<arith::MaxSIOp>(op))
    return isNonNegative(op->getOperand(0)) || isNonNegative(op->getOperand(1));
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return isNonNegative(select.getTrueValue()) && isNonNegative(select.getFalseValue());
  return false;
}

std::optional<LinearForm> PredicateClauses::formOf(Value value) const {
  LinearForm form;
  if (value == row) {
    form.ofRow = 1;
    return form;
  }
  if (value == key) {
    form.ofKey = 1;
    return form;
  }
  if (std::optional<int64_t> constant = constantOf(value)) {
    form.constant = *constant;
    return LinearForm().plus(form, 1); // refuses large ones
  }
  if (!value.getType().isIntOrIndex() ||
      (!value.getType().isIndex() && value.getType().getIntOrFloatBitWidth() > 64))
    return std::nullopt;
  form.leaves.emplace_back(value, 1);
  Operation *op = value.getDefiningOp();
  if (!op || !isInside(value) || matchRemainder(value))
    return form;
  // Casts that keep the value: to index, which is the widest, or to more bits.
  if (isa<arith::ExtSIOp>(op) || (isa<arith::IndexCastOp>(op) && value.getType().isIndex()))
    return formOf(op->getOperand(0));
  if (!value.getType().isIndex() && !value.getType().isInteger(64)) // may wrap around
    return form;
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op))
    return form;
  std::optional<LinearForm> lhs = formOf(op->getOperand(0)), rhs = formOf(op->getOperand(1));
  if (!lhs || !rhs)
    return std::nullopt;
  if (!isa<arith::MulIOp>(op))
    return lhs->plus(*rhs, isa<arith::AddIOp>(op) ? 1 : -1);
  if (std::optional<int64_t> factor = constantOf(op->getOperand(0)))
    return LinearForm().plus(*rhs, *factor);
  if (std::optional<int64_t> factor = constantOf(op->getOperand(1)))
    return LinearForm().plus(*lhs, *factor);
  return form;
}

//===----------------------------------------------------------------------===//
// Clauses
//===----------------------------------------------------------------------===//

/// Says nothing, and that there is more to say.
static Clause unknown() { return {{}, false}; }

PredicateClauses::Clauses PredicateClauses::either(Clauses a, const Clauses &b) {
  a.append(b);
  if (a.size() > kMostClauses)
    return {unknown()};
  return a;
}

PredicateClauses::Clauses PredicateClauses::both(const Clauses &a, const Clauses &b) {
  if (a.size() > b.size())
    return both(b, a);
  Clauses product;
  if (a.size() * b.size() > kMostClauses) {
    product = a;
    for (Clause &clause : product)
      clause.isExact = false;
    return product;
  }
  for (const Clause &first : a)
    for (const Clause &second : b) {
      Clause &clause = product.emplace_back(first);
      clause.atoms.append(second.atoms);
      clause.isExact &= second.isExact;
    }
  return product;
}

PredicateClauses::Clauses PredicateClauses::normalise(Value predicate, bool negated) const {
  if (std::optional<int64_t> constant = constantOf(predicate))
    return (*constant != 0) != negated ? Clauses{Clause()} : Clauses();
  Operation *op = predicate.getDefiningOp();
  if (!op)
    return {unknown()};
  auto operand = [&](unsigned number, bool negateIt) {
    return normalise(op->getOperand(number), negateIt);
  };
  if (isa<arith::AndIOp, arith::OrIOp>(op))
    return isa<arith::AndIOp>(op) != negated ? both(operand(0, negated), operand(1, negated))
                                             : either(operand(0, negated), operand(1, negated));
  auto areEqual = [&](bool equal) {
    return either(both(operand(0, false), operand(1, !equal)),
                  both(operand(0, true), operand(1, equal)));
  };
  if (isa<arith::XOrIOp>(op))
    return areEqual(negated);
  if (isa<arith::SelectOp>(op))
    return either(both(operand(0, false), operand(1, negated)),
                  both(operand(0, true), operand(2, negated)));
  auto comparison = dyn_cast<arith::CmpIOp>(op);
  if (!comparison)
    return {unknown()};
  if (!comparison.getLhs().getType().isInteger(1))
    return compare(comparison, negated);
  if (comparison.getPredicate() == arith::CmpIPredicate::eq)
    return areEqual(!negated);
  if (comparison.getPredicate() == arith::CmpIPredicate::ne)
    return areEqual(negated);
  return {unknown()};
}

PredicateClauses::Clauses PredicateClauses::compare(arith::CmpIOp compare, bool negated) const {
  arith::CmpIPredicate relation = compare.getPredicate();
  if (negated)
    relation = arith::invertPredicate(relation);
  Value lhs = compare.getLhs(), rhs = compare.getRhs();
  // Unsigned comparisons, with the larger side on the right.
  using Relation = arith::CmpIPredicate;
  if (relation == Relation::ugt || relation == Relation::uge) {
    relation = relation == Relation::ugt ? Relation::ult : Relation::ule;
    std::swap(lhs, rhs);
  }
  if (relation != Relation::ult && relation != Relation::ule)
    return compareSigned(relation, lhs, rhs);
  Relation same = relation == Relation::ult ? Relation::slt : Relation::sle;
  Clauses less = compareSigned(same, lhs, rhs);
  bool isLhsCount = isNonNegative(lhs), isRhsCount = isNonNegative(rhs);
  auto signOf = [&](Value value, bool negative) -> Clauses {
    std::optional<LinearForm> form = formOf(value);
    std::optional<LinearForm> opposite = form ? LinearForm().plus(*form, -1) : std::nullopt;
    if (!opposite)
      return {unknown()};
    form->constant += 1; // value + 1 <= 0
    return {Clause{{negative ? *form : *opposite}}};
  };
  // A negative number is, unsigned, above all that aren't.
  if (!isRhsCount && isLhsCount)
    return either(less, signOf(rhs, /*negative=*/true));
  if (isRhsCount)
    return isLhsCount ? less : both(less, signOf(lhs, /*negative=*/false));
  return {unknown()};
}

PredicateClauses::Clauses PredicateClauses::compareSigned(arith::CmpIPredicate relation, Value lhs,
                                                          Value rhs) const {
  std::optional<LinearForm> left = formOf(lhs), right = formOf(rhs), less, greater;
  if (left && right) {
    less = left->plus(*right, -1);    // lhs - rhs <= 0
    greater = right->plus(*left, -1); // rhs - lhs <= 0
  }
  if (!less || !greater)
    return {unknown()};
  auto strict = [](LinearForm form) {
    form.constant += 1;
    return form;
  };
  switch (relation) {
  case arith::CmpIPredicate::sle:
    return {Clause{{*less}}};
  case arith::CmpIPredicate::slt:
    return {Clause{{strict(*less)}}};
  case arith::CmpIPredicate::sge:
    return {Clause{{*greater}}};
  case arith::CmpIPredicate::sgt:
    return {Clause{{strict(*greater)}}};
  case arith::CmpIPredicate::eq:
    return {Clause{{*less, *greater}}};
  case arith::CmpIPredicate::ne:
    return {Clause{{strict(*less)}}, Clause{{strict(*greater)}}};
  default:
    return {unknown()};
  }
}

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

/// Whether `atom <= 0` implies j <= i, given i >= 0 and j >= 0.
static bool boundsKeyByRow(const PredicateClauses &predicate, const LinearForm &atom) {
  // Leaves that only add to the left side make the atom narrower.
  for (auto [leaf, coefficient] : atom.leaves)
    if (coefficient < 0 || !predicate.isNonNegative(leaf))
      return false;
  // With scale * j on its left, the atom says scale * (j - i) <= rest, where
  // rest = -constant - (row + scale) * i; it is enough that rest < scale, as j - i is whole.
  int64_t scale = atom.ofKey;
  if (scale == 0) // never true: implies everything
    return atom.ofRow >= 0 && atom.constant > 0;
  return scale > 0 && -atom.constant < scale && -scale - atom.ofRow <= 0;
}

bool heed::attn::impliesKeyUpToRow(const PredicateClauses &predicate) {
  return llvm::all_of(predicate.getClauses(), [&](const Clause &clause) {
    return llvm::any_of(clause.atoms,
                        [&](const LinearForm &atom) { return boundsKeyByRow(predicate, atom); });
  });
}

namespace {

/// Computes values that are constants for a question.
struct KnownValues {
  const PredicateClauses &predicate;
  llvm::function_ref<std::optional<int64_t>(Value)> known;

  std::optional<int64_t> ofLeaf(Value leaf) const {
    if (std::optional<int64_t> constant = constantOf(leaf))
      return constant;
    if (known)
      if (std::optional<int64_t> value = known(leaf))
        return value;
    if (auto division = predicate.matchRemainder(leaf)) {
      std::optional<int64_t> dividend = ofValue(division->first);
      return dividend ? std::optional(llvm::mod(*dividend, division->second)) : std::nullopt;
    }
    if (auto division = predicate.matchQuotient(leaf)) {
      std::optional<int64_t> dividend = ofValue(division->first);
      return dividend ? std::optional(llvm::divideFloorSigned(*dividend, division->second))
                      : std::nullopt;
    }
    return std::nullopt;
  }
  std::optional<int64_t> ofValue(Value value) const {
    std::optional<LinearForm> form = predicate.formOf(value);
    if (!form || form->ofRow != 0 || form->ofKey != 0)
      return std::nullopt;
    // A leaf that is the value itself isn't looked into again.
    if (form->isLeaf(value))
      return ofLeaf(value);
    return restOf(*form);
  }
  /// The form without its row and key.
  std::optional<int64_t> restOf(const LinearForm &form) const {
    LinearForm sum;
    sum.constant = form.constant;
    for (auto [leaf, coefficient] : form.leaves) {
      LinearForm term;
      std::optional<int64_t> value = ofLeaf(leaf);
      term.constant = value.value_or(0);
      std::optional<LinearForm> next = sum.plus(term, coefficient);
      if (!value || !next)
        return std::nullopt;
      sum = *next;
    }
    return sum.constant;
  }
};

} // namespace

std::optional<int64_t>
heed::attn::rowsBack(const PredicateClauses &predicate,
                     llvm::function_ref<std::optional<int64_t>(Value)> known) {
  KnownValues values{predicate, known};
  int64_t most = 0;
  for (const Clause &clause : predicate.getClauses()) {
    std::optional<int64_t> bound; // of i - j
    bool isNever = false;
    for (const LinearForm &atom : clause.atoms) {
      std::optional<int64_t> rest = values.restOf(atom);
      if (!rest)
        continue;
      if (atom.ofRow == 0 && atom.ofKey == 0)
        isNever |= *rest > 0;
      // scale * (i - j) <= (scale - ofRow) * i - rest, whose first term isn't positive.
      int64_t scale = -atom.ofKey;
      if (scale <= 0 || atom.ofRow < scale)
        continue;
      int64_t distance = llvm::divideFloorSigned(-*rest, scale);
      bound = bound ? std::min(*bound, distance) : distance;
    }
    if (isNever)
      continue;
    if (!bound)
      return std::nullopt;
    most = std::max(most, *bound + 1);
  }
  return most;
}
