//===- ExpandMath.cpp - mathematical functions as polynomials -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MathFunctions.h"

#include "heed/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#define DEBUG_TYPE "heed-expand-math"

namespace heed {
#define GEN_PASS_DEF_EXPANDMATHPASS
#include "heed/Transforms/Passes.h.inc"
} // namespace heed

using namespace mlir;

namespace {
using Build = Value (*)(OpBuilder &, Location, Value);

/// An op on f32, as what `build` makes, or `buildRough` where it may be approximate.
template <typename Op, Build build, Build buildRough> struct Expand : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return failure();
    bool isRough = arith::bitEnumContainsAll(op.getFastmath(), arith::FastMathFlags::afn);
    rewriter.replaceOp(op, (isRough ? buildRough : build)(rewriter, op.getLoc(), op.getOperand()));
    return success();
  }
};

/// The integer next to an f32, as one instruction that rounds to even itself.
struct JoinRounding : OpRewritePattern<arith::FPToSIOp> {
  using OpRewritePattern<arith::FPToSIOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::FPToSIOp op, PatternRewriter &rewriter) const override {
    auto round = op.getIn().getDefiningOp<math::RoundEvenOp>();
    auto vector = dyn_cast<VectorType>(op.getType());
    if (!round || !getElementTypeOrSelf(op.getIn()).isF32() ||
        !getElementTypeOrSelf(op.getType()).isInteger(32) || (vector && vector.getRank() != 1))
      return failure();
    rewriter.replaceOpWithNewOp<LLVM::LrintOp>(op, op.getType(), round.getOperand());
    return success();
  }
};

struct ExpandMathPass : heed::impl::ExpandMathPassBase<ExpandMathPass> {
  using ExpandMathPassBase::ExpandMathPassBase;

  void runOnOperation() override {
    // Sines, cosines and powers stay calls: they are evaluated once a row, for arguments as large
    // as a position, where a short polynomial isn't accurate.
    auto chosen = [](StringRef name) {
      return name == math::Exp2Op::getOperationName() || name == math::LogOp::getOperationName();
    };
    RewritePatternSet patterns(&getContext());
    patterns.add<Expand<math::ExpOp, heed::buildExp, heed::buildRoughExp>,
                 Expand<math::TanhOp, heed::buildTanh, heed::buildRoughTanh>,
                 Expand<math::ErfOp, heed::buildErf, heed::buildRoughErf>>(&getContext());
    patterns.add<JoinRounding>(&getContext());
    // x ** 2 and its like are products.
    populateMathAlgebraicSimplificationPatterns(patterns);
    populateMathPolynomialApproximationPatterns(patterns, chosen);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
