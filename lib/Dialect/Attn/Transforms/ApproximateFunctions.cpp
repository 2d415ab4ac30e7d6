//===- ApproximateFunctions.cpp - which functions may be approximate -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A bfloat16 has eight binary digits, and a row in eight bits no more. Where a
// function's value is rounded to them before anything else is done with it, digits
// behind the thirteenth are computed for nothing.
//
// Products, quotients and signs keep a relative error as it is. A sum doesn't: where
// its terms cancel, their errors stay. Only a constant may be added, and only to
// what it can't cancel, or to a function between -1 and 1, as in a GELU: its error
// there is that of the constant, less than a sixteenth of what rounding 1 costs.
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

#define DEBUG_TYPE "attn-approximate-functions"

namespace heed::attn {
#define GEN_PASS_DEF_APPROXIMATEFUNCTIONSPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

namespace {

/// Which values, scalars of a region or tensors, are rounded wherever they are read.
class Roundings {
public:
  bool coverAll(Value value) {
    auto known = covered.find(value);
    if (known != covered.end())
      return known->second;
    bool all = llvm::all_of(value.getUses(), [&](OpOperand &use) { return cover(use); });
    covered[value] = all;
    return all;
  }

  /// Whether a reader rounds what it makes of the value, whose relative error it keeps.
  bool cover(OpOperand &use) {
    Operation *reader = use.getOwner();
    if (auto truncate = dyn_cast<arith::TruncFOp>(reader))
      return truncate.getType().isBF16();
    if (isa<arith::MulFOp, arith::DivFOp, arith::NegFOp>(reader))
      return coverAll(reader->getResult(0));
    if (isa<linalg::YieldOp, YieldOp>(reader))
      return coverElements(reader->getParentOp(), use.getOperandNumber());
    if (auto generic = dyn_cast<linalg::GenericOp>(reader))
      return coverAll(generic.getMatchingBlockArgument(&use));
    if (auto quantize = dyn_cast<QuantizeOp>(reader))
      return &use == &quantize.getXMutable();
    return isa<tensor::DimOp>(reader);
  }

private:
  /// The same of what a region yields for each element of a result.
  bool coverElements(Operation *op, unsigned result) {
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      return generic.hasPureTensorSemantics() && coverAll(generic.getResult(result));
    auto project = dyn_cast<ProjectOp>(op);
    return project && project.getResult() && !project.getAccumulate() &&
           coverAll(project.getResult());
  }

  DenseMap<Value, bool> covered;
};

struct ApproximateFunctionsPass
    : heed::attn::impl::ApproximateFunctionsPassBase<ApproximateFunctionsPass> {
  using ApproximateFunctionsPassBase::ApproximateFunctionsPassBase;

  void runOnOperation() override {
    Roundings roundings;
    getOperation().walk([&](Operation *op) {
      if (!isa<math::ExpOp, math::TanhOp, math::ErfOp>(op) || !op->getResult(0).getType().isF32())
        return;
      bool covered = llvm::all_of(op->getUses(), [&](OpOperand &use) {
        return isSumWithConstant(use) ? roundings.coverAll(use.getOwner()->getResult(0))
                                      : roundings.cover(use);
      });
      if (!covered)
        return;
      auto flags = cast<arith::ArithFastMathInterface>(op).getFastMathFlagsAttr().getValue();
      op->setAttr("fastmath", arith::FastMathFlagsAttr::get(op->getContext(),
                                                            flags | arith::FastMathFlags::afn));
      ++numApproximate;
    });
  }

private:
  /// Whether a function's value is added to a constant, or either taken from the other, so that
  /// the sum's error is a small part of the larger one's.
  static bool isSumWithConstant(OpOperand &use) {
    Operation *sum = use.getOwner();
    FloatAttr constant;
    if (!isa<arith::AddFOp, arith::SubFOp>(sum) ||
        !matchPattern(sum->getOperand(1 - use.getOperandNumber()), m_Constant(&constant)))
      return false;
    if (isa<math::ExpOp>(use.get().getDefiningOp()))
      return isa<arith::AddFOp>(sum) && constant.getValueAsDouble() >= 0;
    return true;
  }
};

} // namespace
