//===- IndexRange.cpp - which values an index can have --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexRange.h"
#include "ExprWalk.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

namespace heed::mlirgen {

using Bound = std::optional<int64_t>;

bool IndexRange::isBelow(const program::Extent &axis) const {
  if (axis.isRuntime()) // the runtime rejects a size of zero, so that there is an element 0
    return below == axis.runtime || (high && *high <= 0);
  return high && *high < axis.fixed;
}

std::optional<int64_t> constantIndex(const program::Expr &expr) {
  if (auto *constant = std::get_if<program::ConstInt>(&expr.node))
    return constant->value;
  return std::nullopt;
}

static Bound add(Bound a, Bound b) { return a && b ? llvm::checkedAdd(*a, *b) : std::nullopt; }
static Bound subtract(Bound a, Bound b) { return a && b ? llvm::checkedSub(*a, *b) : std::nullopt; }

/// x * factor: the ends trade places where the factor is negative.
static IndexRange scale(const IndexRange &x, int64_t factor) {
  auto times = [&](Bound end) { return end ? llvm::checkedMul(*end, factor) : std::nullopt; };
  IndexRange range{times(x.low), times(x.high)};
  if (factor < 0)
    std::swap(range.low, range.high);
  return range;
}

/// A size that both are less than, or -1. A size is at least 1, so that 0 is less than any.
static int32_t commonSize(const IndexRange &a, const IndexRange &b) {
  auto isBelowAny = [](const IndexRange &range) { return range.high && *range.high <= 0; };
  if (a.below == b.below || isBelowAny(b))
    return a.below;
  return isBelowAny(a) ? b.below : -1;
}

/// Either of two.
static IndexRange join(const IndexRange &a, const IndexRange &b) {
  IndexRange range;
  range.below = commonSize(a, b);
  if (a.low && b.low)
    range.low = std::min(*a.low, *b.low);
  if (a.high && b.high)
    range.high = std::max(*a.high, *b.high);
  return range;
}

/// `expr` is an element of an integer parameter.
bool IndexRanges::isToken(const program::Expr &expr) const {
  auto *read = std::get_if<program::Read>(&expr.node);
  return read && expr.element == program::Element::I32 &&
         llvm::is_contained(function.params, read->tensor);
}

IndexRange IndexRanges::ofBinary(const program::Binary &binary) const {
  IndexRange a = byIntervals(*binary.lhs), b = byIntervals(*binary.rhs), range;
  switch (binary.op) {
  case program::BinaryOp::Add:
    return {add(a.low, b.low), add(a.high, b.high)};
  case program::BinaryOp::Sub:
    range = {subtract(a.low, b.high), subtract(a.high, b.low)};
    if (b.isNonNegative())
      range.below = a.below;
    if (auto *size = std::get_if<program::SizeValue>(&binary.lhs->node))
      range.below = b.low && *b.low >= 1 ? size->size : -1;
    return range;
  case program::BinaryOp::Mul:
    if (Bound factor = constantIndex(*binary.rhs))
      return scale(a, *factor);
    if (Bound factor = constantIndex(*binary.lhs))
      return scale(b, *factor);
    if (a.isNonNegative() && b.isNonNegative())
      range.low = 0;
    return range;
  case program::BinaryOp::Div:
    if (Bound divisor = constantIndex(*binary.rhs); divisor && *divisor > 0) {
      if (a.low)
        range.low = llvm::divideFloorSigned(*a.low, *divisor);
      if (a.high)
        range.high = llvm::divideFloorSigned(*a.high, *divisor);
      if (a.isNonNegative())
        range.below = a.below;
    }
    return range;
  case program::BinaryOp::Mod:
    if (Bound divisor = constantIndex(*binary.rhs); divisor && *divisor > 0) {
      range.low = 0;
      range.high = *divisor - 1;
      if (a.isNonNegative()) {
        range.below = a.below;
        if (a.high)
          range.high = std::min(*range.high, *a.high);
      }
    }
    return range;
  case program::BinaryOp::Min:
    range.high = a.high && b.high ? std::min(*a.high, *b.high) : (a.high ? a.high : b.high);
    if (a.low && b.low)
      range.low = std::min(*a.low, *b.low);
    range.below = a.below >= 0 ? a.below : b.below;
    return range;
  case program::BinaryOp::Max:
    range.low = a.low && b.low ? std::max(*a.low, *b.low) : (a.low ? a.low : b.low);
    if (a.high && b.high)
      range.high = std::max(*a.high, *b.high);
    range.below = commonSize(a, b);
    return range;
  default:
    return range;
  }
}

IndexRange IndexRanges::byIntervals(const program::Expr &expr) const {
  IndexRange range;
  if (expr.element != program::Element::I32)
    return range;
  if (auto *constant = std::get_if<program::ConstInt>(&expr.node)) {
    range.low = range.high = constant->value;
  } else if (auto *index = std::get_if<program::IndexValue>(&expr.node)) {
    range.low = 0;
    program::Extent extent = extentOf(index->var);
    if (extent.isRuntime())
      range.below = extent.runtime;
    else
      range.high = extent.fixed - 1;
  } else if (auto *layer = std::get_if<program::LayerValue>(&expr.node)) {
    range.low = 0;
    if (auto count = counts.find(layer->loop); count != counts.end())
      range.high = count->second - 1;
  } else if (tokenLimit > 0 && isToken(expr)) {
    range.low = 0;
    range.high = tokenLimit - 1;
  } else if (std::holds_alternative<program::SizeValue>(expr.node)) {
    range.low = 1;
  } else if (auto *binary = std::get_if<program::Binary>(&expr.node)) {
    return ofBinary(*binary);
  } else if (auto *select = std::get_if<program::Select>(&expr.node)) {
    return join(byIntervals(*select->ifTrue), byIntervals(*select->ifFalse));
  }
  return range;
}

/// `expr` without the minima and maxima with constants around it, which Sema clamps indices by.
static const program::Expr &withoutClamps(const program::Expr &expr) {
  auto *binary = std::get_if<program::Binary>(&expr.node);
  if (!binary || (binary->op != program::BinaryOp::Min && binary->op != program::BinaryOp::Max) ||
      !constantIndex(*binary->rhs))
    return expr;
  return withoutClamps(*binary->lhs);
}

IndexRanges::IndexRanges(const program::Function &function,
                         const std::vector<program::Weight> &weights)
    : function(function) {
  walk(function.body, [&](const program::Expr &expr) {
    auto *read = std::get_if<program::ReadWeight>(&expr.node);
    if (read && !read->indices.empty() && isToken(withoutClamps(*read->indices.front())))
      tokenLimit = std::max(tokenLimit, weights[read->weight].shape.front());
  });
}

const program::Expr *IndexRanges::decided(const program::Binary &binary) const {
  IndexRange a = of(*binary.lhs), b = of(*binary.rhs);
  bool isMin = binary.op == program::BinaryOp::Min, isMax = binary.op == program::BinaryOp::Max;
  if ((isMin && a.high && b.low && *a.high <= *b.low) ||
      (isMax && a.low && b.high && *a.low >= *b.high))
    return binary.lhs.get();
  if ((isMin && a.low && b.high && *b.high <= *a.low) ||
      (isMax && a.high && b.low && *b.low >= *a.high))
    return binary.rhs.get();
  return nullptr;
}

/// The one index variable that an arithmetic expression depends on, or -1.
static int32_t onlyVariable(const program::Expr &expr) {
  int32_t only = -1;
  bool simple = true;
  walk(expr, [&](const program::Expr &part) {
    if (auto *index = std::get_if<program::IndexValue>(&part.node)) {
      simple &= only == -1 || only == index->var;
      only = index->var;
    } else {
      simple &= std::holds_alternative<program::ConstInt>(part.node) ||
                std::holds_alternative<program::Binary>(part.node);
    }
  });
  return simple ? only : -1;
}

/// The value of such an expression where its variable is `at`; nothing where it overflows.
static Bound evaluate(const program::Expr &expr, int64_t at) {
  if (Bound constant = constantIndex(expr))
    return constant;
  if (std::holds_alternative<program::IndexValue>(expr.node))
    return at;
  const auto &binary = std::get<program::Binary>(expr.node);
  Bound a = evaluate(*binary.lhs, at), b = evaluate(*binary.rhs, at);
  if (!a || !b)
    return std::nullopt;
  switch (binary.op) {
  case program::BinaryOp::Add:
    return llvm::checkedAdd(*a, *b);
  case program::BinaryOp::Sub:
    return llvm::checkedSub(*a, *b);
  case program::BinaryOp::Mul:
    return llvm::checkedMul(*a, *b);
  case program::BinaryOp::Div:
    return *b > 0 ? Bound(llvm::divideFloorSigned(*a, *b)) : std::nullopt;
  case program::BinaryOp::Mod:
    if (*b <= 0)
      return std::nullopt;
    return *a % *b < 0 ? *a % *b + *b : *a % *b;
  case program::BinaryOp::Min:
    return std::min(*a, *b);
  case program::BinaryOp::Max:
    return std::max(*a, *b);
  default:
    return std::nullopt;
  }
}

IndexRange IndexRanges::of(const program::Expr &expr) const {
  // Larger axes are indexed plainly; this bounds the work for a hostile program.
  constexpr int64_t mostPoints = 4096;
  IndexRange range = byIntervals(expr);
  int32_t var = onlyVariable(expr);
  if (var < 0 || expr.element != program::Element::I32)
    return range;
  program::Extent extent = extentOf(var);
  if (extent.isRuntime() || extent.fixed <= 0 || extent.fixed > mostPoints)
    return range;
  IndexRange exact;
  for (int64_t at = 0; at < extent.fixed; ++at) {
    Bound value = evaluate(expr, at);
    if (!value)
      return range;
    exact.low = std::min(exact.low.value_or(*value), *value);
    exact.high = std::max(exact.high.value_or(*value), *value);
  }
  return exact;
}

} // namespace heed::mlirgen
