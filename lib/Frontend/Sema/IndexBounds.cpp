//===- IndexBounds.cpp - index arithmetic stays inside its axis -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No program may read memory outside a tensor. A plain index can't; arithmetic
// on indices is proved safe, first by intervals (whose ends may be a run-time
// size and a constant), then, where all ranges are known and small, by trying
// every value. What can't be proved is clamped to the axis, on the side that
// lacks the proof; what is always outside is an error.
//
//===----------------------------------------------------------------------===//

#include "FunctionSema.h"

#include <fmt/format.h>

using namespace heed;
using namespace heed::sema;
using namespace heed::program;

namespace {

/// Values tried for one index, and for all of a function.
constexpr int64_t kMostValues = 1 << 16;
constexpr int64_t kMostValuesInAll = 1 << 22;

/// `offset`, or a run-time size plus `offset`.
struct Affine {
  int32_t size = -1;
  int64_t offset = 0;
};
using End = std::optional<Affine>;
struct Interval {
  End lo, hi;
};

End add(const End &a, const End &b, int64_t sign) {
  if (!a || !b || (a->size >= 0 && b->size >= 0 && (sign > 0 || a->size != b->size)) ||
      (sign < 0 && b->size >= 0 && a->size != b->size))
    return std::nullopt;
  Affine result;
  result.size = sign > 0 ? std::max(a->size, b->size) : b->size >= 0 ? -1 : a->size;
  int64_t other = 0;
  if (__builtin_mul_overflow(b->offset, sign, &other) ||
      __builtin_add_overflow(a->offset, other, &result.offset))
    return std::nullopt;
  return result;
}

std::optional<int64_t> constantOf(const Interval &interval) {
  if (interval.lo && interval.hi && interval.lo->size < 0 && interval.hi->size < 0 &&
      interval.lo->offset == interval.hi->offset)
    return interval.lo->offset;
  return std::nullopt;
}

/// The smallest value that an end can have: run-time sizes are at least 1.
int64_t smallest(const Affine &end) {
  if (end.size < 0)
    return end.offset;
  return end.offset == INT64_MAX ? INT64_MAX : end.offset + 1;
}

int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

End scale(const End &end, int64_t factor) {
  Affine result;
  if (!end || end->size >= 0 || __builtin_mul_overflow(end->offset, factor, &result.offset))
    return std::nullopt;
  return result;
}

class IntervalAnalysis {
public:
  IntervalAnalysis(std::function<std::optional<Extent>(int32_t)> extentOf,
                   const std::map<int32_t, int64_t> &loopCounts)
      : extentOf(std::move(extentOf)), loopCounts(loopCounts) {}

  Interval run(const Expr &expr) const {
    if (const auto *constant = std::get_if<ConstInt>(&expr.node))
      return {Affine{-1, constant->value}, Affine{-1, constant->value}};
    if (const auto *index = std::get_if<IndexValue>(&expr.node)) {
      std::optional<Extent> extent = extentOf(index->var);
      if (!extent)
        return {Affine{}, std::nullopt};
      return {Affine{},
              extent->isRuntime() ? Affine{extent->runtime, -1} : Affine{-1, extent->fixed - 1}};
    }
    if (const auto *size = std::get_if<SizeValue>(&expr.node))
      return {Affine{size->size, 0}, Affine{size->size, 0}};
    if (const auto *layer = std::get_if<LayerValue>(&expr.node))
      return {Affine{}, Affine{-1, loopCounts.at(layer->loop) - 1}};
    if (const auto *unary = std::get_if<Unary>(&expr.node)) {
      Interval operand = run(*unary->operand);
      if (unary->op == UnaryOp::Neg)
        return {scale(operand.hi, -1), scale(operand.lo, -1)};
      return {};
    }
    if (const auto *binary = std::get_if<Binary>(&expr.node))
      return runBinary(*binary);
    return {};
  }

private:
  Interval runBinary(const Binary &node) const {
    Interval a = run(*node.lhs), b = run(*node.rhs);
    switch (node.op) {
    case BinaryOp::Add:
      return {add(a.lo, b.lo, 1), add(a.hi, b.hi, 1)};
    case BinaryOp::Sub:
      return {add(a.lo, b.hi, -1), add(a.hi, b.lo, -1)};
    case BinaryOp::Mul: {
      std::optional<int64_t> factor = constantOf(b);
      if (!factor) {
        factor = constantOf(a);
        a = b;
      }
      if (!factor)
        return {};
      return *factor >= 0 ? Interval{scale(a.lo, *factor), scale(a.hi, *factor)}
                          : Interval{scale(a.hi, *factor), scale(a.lo, *factor)};
    }
    case BinaryOp::Div: {
      std::optional<int64_t> divisor = constantOf(b);
      if (!divisor || *divisor <= 0)
        return {};
      Interval result;
      if (a.lo)
        result.lo = Affine{-1, floorDivide(smallest(*a.lo), *divisor)};
      if (a.hi && a.hi->size < 0)
        result.hi = Affine{-1, floorDivide(a.hi->offset, *divisor)};
      else if (a.hi && smallest(*a.hi) >= 0)
        result.hi = a.hi; // dividing a number that isn't negative doesn't enlarge it
      return result;
    }
    case BinaryOp::Mod: {
      if (std::optional<int64_t> divisor = constantOf(b); divisor && *divisor > 0)
        return {Affine{}, Affine{-1, *divisor - 1}};
      if (const auto *size = std::get_if<SizeValue>(&node.rhs->node))
        return {Affine{}, Affine{size->size, -1}};
      return {};
    }
    case BinaryOp::Min: {
      Interval result;
      result.hi = a.hi && a.hi->size < 0 ? a.hi : b.hi ? b.hi : a.hi;
      if (a.lo && b.lo)
        result.lo = Affine{-1, std::min(smallest(*a.lo), smallest(*b.lo))};
      return result;
    }
    case BinaryOp::Max: {
      Interval result;
      if (a.lo && b.lo)
        result.lo = Affine{-1, std::max(smallest(*a.lo), smallest(*b.lo))};
      else if (a.lo || b.lo)
        result.lo = a.lo ? a.lo : b.lo;
      if (a.hi && b.hi && a.hi->size < 0 && b.hi->size < 0)
        result.hi = Affine{-1, std::max(a.hi->offset, b.hi->offset)};
      return result;
    }
    default:
      return {};
    }
  }

  std::function<std::optional<Extent>(int32_t)> extentOf;
  const std::map<int32_t, int64_t> &loopCounts;
};

/// The value of integer arithmetic, or nothing where it isn't that or overflows.
std::optional<int64_t> evaluate(const Expr &expr, const std::map<int32_t, int64_t> &vars) {
  if (const auto *constant = std::get_if<ConstInt>(&expr.node))
    return constant->value;
  if (const auto *index = std::get_if<IndexValue>(&expr.node))
    return vars.at(index->var);
  if (const auto *unary = std::get_if<Unary>(&expr.node)) {
    std::optional<int64_t> value = evaluate(*unary->operand, vars);
    if (!value || *value == INT64_MIN || unary->op == UnaryOp::Not)
      return std::nullopt;
    return unary->op == UnaryOp::Neg || *value < 0 ? -*value : *value;
  }
  const auto *binary = std::get_if<Binary>(&expr.node);
  if (!binary)
    return std::nullopt;
  std::optional<int64_t> a = evaluate(*binary->lhs, vars), b = evaluate(*binary->rhs, vars);
  int64_t result = 0;
  if (!a || !b)
    return std::nullopt;
  switch (binary->op) {
  case BinaryOp::Add:
    return __builtin_add_overflow(*a, *b, &result) ? std::nullopt : std::optional(result);
  case BinaryOp::Sub:
    return __builtin_sub_overflow(*a, *b, &result) ? std::nullopt : std::optional(result);
  case BinaryOp::Mul:
    return __builtin_mul_overflow(*a, *b, &result) ? std::nullopt : std::optional(result);
  case BinaryOp::Div:
  case BinaryOp::Mod:
    if (*b <= 0)
      return std::nullopt;
    return binary->op == BinaryOp::Div ? floorDivide(*a, *b) : *a - floorDivide(*a, *b) * *b;
  case BinaryOp::Min:
    return std::min(*a, *b);
  case BinaryOp::Max:
    return std::max(*a, *b);
  default:
    return std::nullopt;
  }
}

} // namespace

bool FunctionSema::provablyPositive(const Expr &expr) const {
  IntervalAnalysis analysis(
      [this](int32_t var) -> std::optional<Extent> {
        const std::optional<Dim> &known = indices[var].dim;
        return known ? std::optional(known->extent) : std::nullopt;
      },
      loopCounts);
  End lo = analysis.run(expr).lo;
  return lo && smallest(*lo) > 0;
}

ExprPtr FunctionSema::bounded(ExprPtr index, const Dim &dim, const std::string &name) {
  SourceRange range = index->range;
  IntervalAnalysis analysis(
      [this](int32_t var) -> std::optional<Extent> {
        const std::optional<Dim> &known = indices[var].dim;
        return known ? std::optional(known->extent) : std::nullopt;
      },
      loopCounts);
  Interval interval = analysis.run(*index);
  bool runtime = dim.extent.isRuntime();
  bool above = interval.lo && smallest(*interval.lo) >= 0;
  bool below = interval.hi && interval.hi->size == dim.extent.runtime &&
               interval.hi->offset < (runtime ? 0 : dim.extent.fixed);
  below |= runtime && interval.hi && interval.hi->size < 0 && interval.hi->offset <= 0;
  bool neverAbove = interval.hi && interval.hi->size < 0 && interval.hi->offset < 0;
  bool neverBelow = !runtime && interval.lo && smallest(*interval.lo) >= dim.extent.fixed;
  if (neverAbove || neverBelow) {
    const int64_t nearest = neverAbove ? interval.hi->offset : smallest(*interval.lo);
    std::string last = runtime ? fmt::format("`{}` - 1", function.sizes[dim.extent.runtime].name)
                               : fmt::format("{}", dim.extent.fixed - 1);
    report(DiagId::E0306, range,
           fmt::format("the index is outside `{}`, whose axis is {}: it is {}{}, expected 0 to {}",
                       name, spell(dim),
                       constantOf(interval) ? ""
                       : neverAbove         ? "at most "
                                            : "at least ",
                       nearest, last));
    return nullptr;
  }

  // A run-time size is at most its bound.
  if (!below && !runtime && interval.hi && interval.hi->size >= 0) {
    int64_t bound = function.sizes[interval.hi->size].bound, last = 0;
    below = bound > 0 && !__builtin_add_overflow(bound, interval.hi->offset, &last) &&
            last < dim.extent.fixed;
  }
  if (!(above && below) && !runtime) {
    // Try every value.
    std::vector<int32_t> vars = freeIndices(*index);
    int64_t values = 1;
    for (int32_t var : vars) {
      const std::optional<Dim> &known = indices[var].dim;
      if (!known || known->extent.isRuntime() ||
          __builtin_mul_overflow(values, known->extent.fixed, &values) || values > kMostValues)
        values = kMostValues + 1;
      if (values > kMostValues)
        break;
    }
    auto nodes = static_cast<int64_t>(nodeCount(*index, 256));
    if (values <= kMostValues && nodes < 256 &&
        enumerated + values * nodes <= kMostValuesInAll * 8) {
      enumerated += values * nodes;
      std::map<int32_t, int64_t> at;
      for (int32_t var : vars)
        at[var] = 0;
      bool allAbove = true, allBelow = true;
      for (int64_t round = 0; round < values && (allAbove || allBelow); ++round) {
        std::optional<int64_t> value = evaluate(*index, at);
        allAbove &= value && *value >= 0;
        allBelow &= value && *value < dim.extent.fixed;
        for (int32_t var : vars) {
          if (++at[var] < indices[var].dim->extent.fixed)
            break;
          at[var] = 0;
        }
      }
      above |= allAbove;
      below |= allBelow;
    }
  }
  if (!below) {
    ExprPtr last =
        runtime
            ? build.binary(BinaryOp::Sub,
                           ExprBuilder::make(SizeValue{dim.extent.runtime}, Element::I32, range),
                           ExprBuilder::integer(1, range), range)
            : ExprBuilder::integer(dim.extent.fixed - 1, range);
    index = build.binary(BinaryOp::Min, std::move(index), std::move(last), range);
  }
  if (!above)
    index = build.binary(BinaryOp::Max, std::move(index), ExprBuilder::integer(0, range), range);
  return index;
}
