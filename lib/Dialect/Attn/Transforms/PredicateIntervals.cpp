//===- PredicateIntervals.cpp - what a predicate says of a whole tile -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PredicateIntervals.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

using namespace mlir;
using namespace heed::attn;

//===----------------------------------------------------------------------===//
// IndexBuilder
//===----------------------------------------------------------------------===//

Value IndexBuilder::constant(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}
Value IndexBuilder::boolean(bool value) {
  return arith::ConstantOp::create(builder, loc, builder.getBoolAttr(value));
}
Value IndexBuilder::add(Value a, Value b) { return builder.createOrFold<arith::AddIOp>(loc, a, b); }
Value IndexBuilder::sub(Value a, Value b) { return builder.createOrFold<arith::SubIOp>(loc, a, b); }
Value IndexBuilder::mul(Value a, int64_t b) {
  return builder.createOrFold<arith::MulIOp>(loc, a, constant(b));
}
Value IndexBuilder::addScaled(Value a, Value b, int64_t factor) {
  return factor == -1 ? sub(a, b) : add(a, mul(b, factor));
}
Value IndexBuilder::min(Value a, Value b) {
  return builder.createOrFold<arith::MinSIOp>(loc, a, b);
}
Value IndexBuilder::max(Value a, Value b) {
  return builder.createOrFold<arith::MaxSIOp>(loc, a, b);
}
Value IndexBuilder::floorDiv(Value a, int64_t b) {
  return builder.createOrFold<arith::FloorDivSIOp>(loc, a, constant(b));
}
Value IndexBuilder::alignDown(Value a, int64_t b) {
  return mul(builder.createOrFold<arith::DivUIOp>(loc, a, constant(b)), b);
}
Value IndexBuilder::alignUp(Value a, int64_t b) { return alignDown(add(a, b - 1), b); }
Value IndexBuilder::less(Value a, Value b) {
  return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, a, b);
}
Value IndexBuilder::lessOrEqual(Value a, Value b) {
  return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sle, a, b);
}
Value IndexBuilder::both(Value a, Value b) {
  return builder.createOrFold<arith::AndIOp>(loc, a, b);
}
Value IndexBuilder::either(Value a, Value b) {
  return builder.createOrFold<arith::OrIOp>(loc, a, b);
}
Value IndexBuilder::negation(Value a) {
  return builder.createOrFold<arith::XOrIOp>(loc, a, boolean(true));
}
Value IndexBuilder::select(Value condition, Value a, Value b) {
  return builder.createOrFold<arith::SelectOp>(loc, condition, a, b);
}

//===----------------------------------------------------------------------===//
// Forms
//===----------------------------------------------------------------------===//

void PredicateIntervals::enterTile(Interval keys) {
  box[cast<BlockArgument>(predicate.getKey()).getArgNumber()] = keys;
  ofTile.clear();
}

Interval PredicateIntervals::intervalOf(Value argument) const {
  return box[cast<BlockArgument>(argument).getArgNumber()];
}

bool PredicateIntervals::dependsOnKey(Value leaf) const {
  return predicate.dependenceOf(leaf) & predicate.dependenceOf(predicate.getKey());
}

bool PredicateIntervals::dependsOnKey(const LinearForm &form) const {
  return form.ofKey != 0 ||
         llvm::any_of(form.leaves, [&](auto &term) { return dependsOnKey(term.first); });
}

bool PredicateIntervals::isPoint(Value leaf) const {
  if (dependsOnKey(leaf))
    return false;
  unsigned arguments = predicate.dependenceOf(leaf);
  for (auto [number, interval] : llvm::enumerate(box))
    if ((arguments >> number & 1) && interval.low != interval.high)
      return false;
  return true;
}

void PredicateIntervals::prepare(IndexBuilder &build, const LinearForm &form) {
  for (auto [leaf, coefficient] : form.leaves)
    if (!dependsOnKey(leaf))
      (void)boundsOfLeaf(build, leaf);
}

std::optional<Interval> PredicateIntervals::boundsOf(IndexBuilder &build, const LinearForm &form) {
  Interval sum{build.constant(form.constant), build.constant(form.constant)};
  auto accumulate = [&](Interval term, int64_t factor) {
    if (factor < 0)
      std::swap(term.low, term.high);
    bool isPoint = term.low == term.high && sum.low == sum.high;
    sum.low = build.addScaled(sum.low, term.low, factor);
    sum.high = isPoint ? sum.low : build.addScaled(sum.high, term.high, factor);
  };
  if (form.ofRow != 0)
    accumulate(intervalOf(predicate.getRow()), form.ofRow);
  if (form.ofKey != 0)
    accumulate(intervalOf(predicate.getKey()), form.ofKey);
  for (auto [leaf, coefficient] : form.leaves) {
    std::optional<Interval> bounds = boundsOfLeaf(build, leaf);
    if (!bounds)
      return std::nullopt;
    accumulate(*bounds, coefficient);
  }
  return sum;
}

std::optional<Interval> PredicateIntervals::boundsOfValue(IndexBuilder &build, Value value) {
  std::optional<LinearForm> form = predicate.formOf(value);
  if (!form)
    return std::nullopt;
  return form->isLeaf(value) ? boundsOfLeaf(build, value) : boundsOf(build, *form);
}

//===----------------------------------------------------------------------===//
// Leaves
//===----------------------------------------------------------------------===//

std::optional<Interval> PredicateIntervals::boundsOfLeaf(IndexBuilder &build, Value leaf) {
  auto &known = dependsOnKey(leaf) ? ofTile : ofTask;
  if (auto found = known.find(leaf); found != known.end())
    return found->second;
  std::optional<Interval> bounds = computeLeaf(build, leaf);
  known[leaf] = bounds;
  return bounds;
}

std::optional<Interval> PredicateIntervals::computeLeaf(IndexBuilder &build, Value leaf) {
  if (isa<BlockArgument>(leaf) && predicate.isInside(leaf))
    return intervalOf(leaf);
  if (isPoint(leaf)) // exactly what it is
    return boundsByReading(build, leaf);
  if (auto division = predicate.matchRemainder(leaf))
    return boundsOfRemainder(build, *division);
  if (auto division = predicate.matchQuotient(leaf)) {
    std::optional<Interval> bounds = boundsOfValue(build, division->first);
    if (!bounds)
      return std::nullopt;
    return Interval{build.floorDiv(bounds->low, division->second),
                    build.floorDiv(bounds->high, division->second)};
  }
  Operation *op = leaf.getDefiningOp();
  if (isa<arith::MinSIOp, arith::MaxSIOp, arith::SelectOp>(op)) {
    bool isChoice = isa<arith::SelectOp>(op);
    std::optional<Interval> a = boundsOfValue(build, op->getOperand(isChoice ? 1 : 0)),
                            b = boundsOfValue(build, op->getOperand(isChoice ? 2 : 1));
    if (a && b)
      return Interval{
          isa<arith::MaxSIOp>(op) ? build.max(a->low, b->low) : build.min(a->low, b->low),
          isa<arith::MinSIOp>(op) ? build.min(a->high, b->high) : build.max(a->high, b->high)};
  }
  return boundsByReading(build, leaf);
}

Interval PredicateIntervals::boundsOfRemainder(IndexBuilder &build,
                                               PredicateClauses::Division division) {
  int64_t divisor = division.second;
  Interval all{build.constant(0), build.constant(divisor - 1)};
  std::optional<Interval> bounds = boundsOfValue(build, division.first);
  if (!bounds)
    return all;
  // In one run of the divisor's length the remainder grows with the dividend.
  Value start = build.mul(build.floorDiv(bounds->low, divisor), divisor);
  Value low = build.sub(bounds->low, start), high = build.sub(bounds->high, start);
  Value isOneRun = build.less(high, build.constant(divisor));
  return {build.select(isOneRun, low, all.low), build.select(isOneRun, high, all.high)};
}

/// Copies the ops that compute `value` in the region to where `build` is.
Value PredicateIntervals::copyOf(IndexBuilder &build, Value value, IRMapping &arguments) {
  Operation *op = value.getDefiningOp();
  if (!op || !predicate.isInside(value) || arguments.contains(value))
    return arguments.lookupOrDefault(value);
  for (Value operand : op->getOperands())
    (void)copyOf(build, operand, arguments);
  build.getBuilder().clone(*op, arguments);
  return arguments.lookup(value);
}

/// The least and greatest of a leaf's values, by computing it for each row, key or head of the box.
std::optional<Interval> PredicateIntervals::boundsByReading(IndexBuilder &build, Value leaf) {
  IRMapping arguments;
  std::optional<unsigned> varying;
  unsigned dependence = predicate.dependenceOf(leaf);
  if (dependence == ~0u) // computed by an op with a region
    return std::nullopt;
  for (auto [number, interval] : llvm::enumerate(box)) {
    if (!(dependence >> number & 1))
      continue;
    Value argument = cast<BlockArgument>(predicate.getRow()).getOwner()->getArgument(number);
    if (interval.low == interval.high)
      arguments.map(argument, interval.low);
    else if (varying) // of two arguments: too many values
      return std::nullopt;
    else
      varying = number;
  }
  auto read = [&](IndexBuilder &at, IRMapping &mapping) {
    Value value = copyOf(at, leaf, mapping);
    if (!value.getType().isIndex())
      value = arith::IndexCastOp::create(at.getBuilder(), at.getLoc(),
                                         at.getBuilder().getIndexType(), value);
    return value;
  };
  if (!varying) {
    Value value = read(build, arguments);
    return Interval{value, value};
  }
  Value argument = cast<BlockArgument>(predicate.getRow()).getOwner()->getArgument(*varying);
  using Limits = std::numeric_limits<int64_t>;
  auto loop = scf::ForOp::create(
      build.getBuilder(), build.getLoc(), box[*varying].low, build.add(box[*varying].high, 1),
      build.constant(1), ValueRange{build.constant(Limits::max()), build.constant(Limits::min())},
      [&](OpBuilder &builder, Location loc, Value place, ValueRange bounds) {
        IndexBuilder body(builder, loc);
        IRMapping mapping(arguments);
        mapping.map(argument, place);
        Value value = read(body, mapping);
        scf::YieldOp::create(builder, loc,
                             ValueRange{body.min(bounds[0], value), body.max(bounds[1], value)});
      });
  return Interval{loop.getResult(0), loop.getResult(1)};
}
