//===- KeyBounds.cpp - which keys a tile of queries sees -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KeyBounds.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace heed::attn;

namespace {

/// i * ofRow + j * ofKey + sum of coefficient * value + constant, the values from outside the
/// region.
struct AffineForm {
  int64_t ofRow = 0, ofKey = 0, constant = 0;
  SmallVector<std::pair<Value, int64_t>> rest;
  bool valid = true;

  void add(const AffineForm &other, int64_t factor) {
    valid &= other.valid;
    ofRow += factor * other.ofRow;
    ofKey += factor * other.ofKey;
    constant += factor * other.constant;
    for (auto [value, coefficient] : other.rest)
      rest.emplace_back(value, factor * coefficient);
  }
};

/// A comparison as form <= 0.
class Predicate {
public:
  explicit Predicate(Region &region)
      : region(region), row(region.getArgument(1)), key(region.getArgument(2)) {}

  /// Whether the predicate is exactly the conjunction of `forms`, each being form <= 0.
  bool collect(SmallVectorImpl<AffineForm> &forms) {
    return collect(region.front().getTerminator()->getOperand(0), forms);
  }

private:
  bool collect(Value value, SmallVectorImpl<AffineForm> &forms) {
    if (matchPattern(value, m_One()))
      return true;
    Operation *op = value.getDefiningOp();
    if (auto both = dyn_cast_or_null<arith::AndIOp>(op)) {
      bool left = collect(both.getLhs(), forms); // no short cut: both narrow
      bool right = collect(both.getRhs(), forms);
      return left && right;
    }
    auto compare = dyn_cast_or_null<arith::CmpIOp>(op);
    if (!compare)
      return false;
    AffineForm less = formOf(compare.getLhs()), greater = less;
    AffineForm rhs = formOf(compare.getRhs());
    less.add(rhs, -1); // lhs - rhs <= 0
    greater = AffineForm();
    greater.add(less, -1); // rhs - lhs <= 0
    switch (compare.getPredicate()) {
    case arith::CmpIPredicate::slt:
      less.constant += 1;
      [[fallthrough]];
    case arith::CmpIPredicate::sle:
      return keep(less, forms);
    case arith::CmpIPredicate::sgt:
      greater.constant += 1;
      [[fallthrough]];
    case arith::CmpIPredicate::sge:
      return keep(greater, forms);
    case arith::CmpIPredicate::eq: {
      bool below = keep(less, forms);
      bool above = keep(greater, forms);
      return below && above;
    }
    default:
      return false;
    }
  }

  bool keep(const AffineForm &form, SmallVectorImpl<AffineForm> &forms) {
    if (!form.valid || (form.ofKey != 1 && form.ofKey != -1))
      return false;
    forms.push_back(form);
    return true;
  }

  AffineForm formOf(Value value) {
    AffineForm form;
    APInt constant;
    if (value == row) {
      form.ofRow = 1;
    } else if (value == key) {
      form.ofKey = 1;
    } else if (matchPattern(value, m_ConstantInt(&constant))) {
      form.constant = constant.getSExtValue();
      // A length that could make arithmetic wrap is no bound worth having.
      form.valid = std::abs(form.constant) < (int64_t(1) << 40);
    } else if (value.getParentRegion() != &region) {
      form.valid = value.getType().isIndex();
      form.rest.emplace_back(value, 1);
    } else if (Operation *op = value.getDefiningOp(); op && isa<arith::AddIOp, arith::SubIOp>(op)) {
      form.add(formOf(op->getOperand(0)), 1);
      form.add(formOf(op->getOperand(1)), isa<arith::AddIOp>(op) ? 1 : -1);
    } else if (op && isa<arith::IndexCastOp>(op)) {
      form = formOf(op->getOperand(0));
    } else {
      form.valid = false;
    }
    return form;
  }

  Region &region;
  Value row, key;
};

/// Builds index arithmetic.
class BoundsBuilder {
public:
  BoundsBuilder(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value min(Value a, Value b) { return arith::MinSIOp::create(builder, loc, a, b); }
  Value max(Value a, Value b) { return arith::MaxSIOp::create(builder, loc, a, b); }

  /// `sign` * (form without its key) at i = `row`, plus `more`.
  Value evaluate(const AffineForm &form, int64_t sign, Value row, int64_t more) {
    Value sum = constant(sign * form.constant + more);
    auto accumulate = [&](Value value, int64_t coefficient) {
      if (coefficient == 0)
        return;
      if (coefficient != 1)
        value = arith::MulIOp::create(builder, loc, value, constant(coefficient));
      sum = arith::AddIOp::create(builder, loc, sum, value);
    };
    accumulate(row, sign * form.ofRow);
    for (auto [value, coefficient] : form.rest)
      accumulate(value, sign * coefficient);
    return sum;
  }

private:
  OpBuilder &builder;
  Location loc;
};

} // namespace

KeyBounds heed::attn::buildKeyBounds(OpBuilder &builder, Location loc, Region &mask, Value iFirst,
                                     Value iLast, Value keys) {
  BoundsBuilder build(builder, loc);
  KeyBounds bounds;
  Value zero = build.constant(0);
  bounds.lo = bounds.fullLo = zero;
  bounds.hi = bounds.fullHi = keys;
  bounds.hasFull = true;
  if (mask.empty())
    return bounds;

  SmallVector<AffineForm> forms;
  bounds.hasFull = Predicate(mask).collect(forms);
  for (const AffineForm &form : forms) {
    // j <= -(rest of the form), or j >= the rest of the form: monotonic in i either way.
    bool isUpper = form.ofKey == 1;
    int64_t sign = isUpper ? -1 : 1;
    bool grows = sign * form.ofRow >= 0;
    Value atLeast = build.evaluate(form, sign, grows ? iFirst : iLast, isUpper ? 1 : 0);
    Value atMost = build.evaluate(form, sign, grows ? iLast : iFirst, isUpper ? 1 : 0);
    if (isUpper) {
      bounds.hi = build.min(bounds.hi, atMost);
      bounds.fullHi = build.min(bounds.fullHi, atLeast);
    } else {
      bounds.lo = build.max(bounds.lo, atLeast);
      bounds.fullLo = build.max(bounds.fullLo, atMost);
      bounds.narrowsBelow = true;
    }
  }
  // In order, whatever the predicate says: a contradiction leaves nothing to visit.
  if (!forms.empty())
    bounds.hi = build.max(bounds.hi, zero);
  if (bounds.narrowsBelow)
    bounds.lo = build.min(bounds.lo, bounds.hi);
  if (!bounds.hasFull) {
    bounds.fullLo = bounds.fullHi = bounds.lo;
    return bounds;
  }
  if (bounds.narrowsBelow)
    bounds.fullLo = build.max(build.min(bounds.fullLo, bounds.hi), bounds.lo);
  bounds.fullHi = build.max(build.min(bounds.fullHi, bounds.hi), bounds.fullLo);
  return bounds;
}
