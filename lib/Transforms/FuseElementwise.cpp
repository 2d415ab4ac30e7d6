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

/// A generic that reads a transposed tensor reads it where it was, unless the innermost axis moved:
/// neighbours then lie apart, and a copy is worth its price.
struct ReadBeforeTranspose : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    SmallVector<Value> inputs = op.getDpsInputs();
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    bool isChanged = false;
    for (auto [input, map] : llvm::zip(inputs, maps)) {
      auto transpose = input.getDefiningOp<linalg::TransposeOp>();
      ArrayRef<int64_t> order;
      if (transpose)
        order = transpose.getPermutation();
      if (order.empty() || order.back() + 1 != static_cast<int64_t>(order.size()) ||
          transpose->getBlock() != op->getBlock())
        continue;
      SmallVector<AffineExpr> places(order.size());
      for (auto [axis, place] : llvm::enumerate(map.getResults()))
        places[order[axis]] = place;
      map = AffineMap::get(map.getNumDims(), 0, places, op.getContext());
      input = transpose.getInput();
      isChanged = true;
    }
    if (!isChanged)
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputsMutable().assign(inputs);
      op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    });
    return success();
  }
};

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
    patterns.add<ReadBeforeTranspose>(&getContext());
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
