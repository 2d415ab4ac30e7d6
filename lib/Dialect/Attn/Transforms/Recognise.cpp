//===- Recognise.cpp - finds the steps of a transformer in its formulas -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "Recognition.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#define DEBUG_TYPE "attn-recognise"

namespace heed::attn {
#define GEN_PASS_DEF_RECOGNISEPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"

using namespace mlir;

namespace {

struct RecognisePass : impl::RecognisePassBase<RecognisePass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());

    // What reads a weight is certain from the weight alone.
    for (linalg::GenericOp op : collect<linalg::GenericOp>())
      numEmbeddings += recogniseEmbeddings(rewriter, op);
    for (linalg::GenericOp op : collect<linalg::GenericOp>()) {
      std::optional<Contraction> product = Contraction::match(op);
      if (product && product->factors.size() == 2 &&
          product->factors[0].isWeight() != product->factors[1].isWeight())
        numProjections += recogniseProjection(rewriter, *product);
    }
    // Scores and weighing are what a softmax has on either side.
    for (SoftmaxOp softmax : collect<SoftmaxOp>()) {
      numScores += recogniseScores(rewriter, softmax);
      numWeighings += recogniseWeighing(rewriter, softmax);
    }

    // Equal projections become one before they are given roles, since one that is query, key
    // and value at once has none of these.
    if (failed(simplify()))
      return signalPassFailure();
    DominanceInfo dominance(getOperation());
    eliminateCommonSubExpressions(rewriter, dominance, getOperation());
    markRoles(getOperation());
  }

private:
  template <typename Op> SmallVector<Op> collect() {
    SmallVector<Op> found;
    getOperation().walk([&](Op op) { found.push_back(op); });
    return found;
  }

  /// Drops what no one reads, copies, and transposes that undo each other.
  LogicalResult simplify() {
    RewritePatternSet patterns(&getContext());
    linalg::TransposeOp::getCanonicalizationPatterns(patterns, &getContext());
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    GreedyRewriteConfig config;
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    return applyPatternsGreedily(getOperation(), std::move(patterns), config);
  }
};

} // namespace
} // namespace heed::attn
