//===- FuseElementwise.cpp - joins elementwise ops with their only reader -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#define DEBUG_TYPE "heed-fuse-elementwise"

namespace heed {
#define GEN_PASS_DEF_FUSEELEMENTWISEPASS
#include "heed/Transforms/Passes.h.inc"
} // namespace heed

using namespace mlir;

/// Whether an element costs so much that it's cheaper to store it than to compute it where it is
/// read again and again.
static bool isCostly(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        return isa<math::SinOp, math::CosOp, math::PowFOp, math::TanhOp, math::ErfOp>(inner)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether the consumer reads each element of the operand at most once.
static bool readsOnce(OpOperand &operand) {
  auto consumer = dyn_cast<linalg::LinalgOp>(operand.getOwner());
  return consumer &&
         consumer.getMatchingIndexingMap(&operand).getNumResults() == consumer.getNumLoops();
}

namespace {
struct FuseElementwisePass : heed::impl::FuseElementwisePassBase<FuseElementwisePass> {
  using FuseElementwisePassBase::FuseElementwisePassBase;

  void runOnOperation() override {
    auto worthwhile = [this](OpOperand *operand) {
      Operation *producer = operand->get().getDefiningOp();
      if (!producer || !producer->hasOneUse() ||
          producer->getBlock() != operand->getOwner()->getBlock())
        return false;
      if (isCostly(producer) && !readsOnce(*operand))
        return false;
      ++numFused;
      return true;
    };
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, worthwhile);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
