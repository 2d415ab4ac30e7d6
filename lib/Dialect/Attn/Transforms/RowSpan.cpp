//===- RowSpan.cpp - where a tile's rows certainly lie --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowSpan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace heed::attn;

bool heed::attn::isMultipleOf(OpFoldResult value, int64_t factor) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return *constant % factor == 0;
  auto isMultiple = [&](Value part) { return isMultipleOf(part, factor); };
  if (auto argument = dyn_cast<BlockArgument>(cast<Value>(value))) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    return loop && argument == loop.getInductionVar() && isMultiple(loop.getLowerBound()) &&
           isMultiple(loop.getStep());
  }
  Operation *op = cast<Value>(value).getDefiningOp();
  if (isa<arith::MulIOp>(op))
    return llvm::any_of(op->getOperands(), isMultiple);
  // x - x mod c
  if (isa<arith::SubIOp>(op))
    if (Operation *rest = op->getOperand(1).getDefiningOp();
        rest && isa<arith::RemUIOp, arith::RemSIOp>(rest) &&
        rest->getOperand(0) == op->getOperand(0) && isMultiple(rest->getOperand(1)))
      return true;
  if (isa<arith::AddIOp, arith::SubIOp, arith::MinSIOp, arith::MinUIOp, arith::MaxSIOp,
          arith::MaxUIOp>(op))
    return llvm::all_of(op->getOperands(), isMultiple);
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return isMultiple(select.getTrueValue()) && isMultiple(select.getFalseValue());
  return false;
}

/// The least number that `size` provably doesn't exceed.
static std::optional<int64_t> boundOf(OpFoldResult size) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return constant;
  Operation *op = cast<Value>(size).getDefiningOp();
  std::optional<int64_t> least;
  if (isa_and_nonnull<arith::MinSIOp, arith::MinUIOp>(op))
    for (Value operand : op->getOperands())
      if (std::optional<int64_t> bound = boundOf(operand))
        least = std::min(least.value_or(*bound), *bound);
  return least;
}

/// Whether `first` is `start`, or the larger of it and something else.
static bool isAtLeast(Value first, Value start) {
  if (first == start)
    return true;
  Operation *op = first.getDefiningOp();
  return isa_and_nonnull<arith::MaxSIOp, arith::MaxUIOp>(op) &&
         llvm::is_contained(op->getOperands(), start);
}

std::optional<RowSpan> heed::attn::spanOf(OpFoldResult first, OpFoldResult count) {
  if (std::optional<int64_t> bound = boundOf(count); bound && *bound > 0)
    return RowSpan{first, *bound};
  // min(start + length, …) - first, where first is start or max(start, …)
  auto row = dyn_cast<Value>(first);
  auto size = dyn_cast<Value>(count);
  auto difference = size ? size.getDefiningOp<arith::SubIOp>() : arith::SubIOp();
  if (!row || !difference || difference.getRhs() != row)
    return std::nullopt;
  SmallVector<Value> ends{difference.getLhs()};
  if (Operation *least = ends[0].getDefiningOp();
      isa_and_nonnull<arith::MinSIOp, arith::MinUIOp>(least))
    ends.assign(least->operand_begin(), least->operand_end());
  for (Value end : ends)
    if (auto sum = end.getDefiningOp<arith::AddIOp>())
      for (auto [start, length] :
           {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
        if (std::optional<int64_t> constant = getConstantIntValue(length);
            constant && *constant > 0 && isAtLeast(row, start))
          return RowSpan{start, *constant};
  return std::nullopt;
}
