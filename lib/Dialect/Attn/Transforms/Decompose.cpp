//===- Decompose.cpp - attention's steps as plain loops -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

#include <limits>

#define DEBUG_TYPE "attn-decompose"

namespace heed::attn {
#define GEN_PASS_DEF_DECOMPOSEPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"

using namespace mlir;

using BodyBuilder = function_ref<Value(OpBuilder &, Location, ValueRange)>;

/// A linalg.generic into `into`, all of whose loops but the last are parallel; so is the last
/// unless `sumsLast`. The body yields what `build` makes of its arguments.
static Value buildLoops(RewriterBase &rewriter, Location loc, ValueRange inputs, Value into,
                        ArrayRef<AffineMap> maps, bool sumsLast, BodyBuilder build) {
  SmallVector<utils::IteratorType> kinds(maps.front().getNumDims(), utils::IteratorType::parallel);
  if (sumsLast)
    kinds.back() = utils::IteratorType::reduction;
  return linalg::GenericOp::create(rewriter, loc, TypeRange{into.getType()}, inputs,
                                   ValueRange{into}, maps, kinds,
                                   [&](OpBuilder &body, Location at, ValueRange args) {
                                     linalg::YieldOp::create(body, at, build(body, at, args));
                                   })
      ->getResult(0);
}

static SmallVector<OpFoldResult> extentsOf(RewriterBase &rewriter, Location loc, Value tensor) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t axis = 0, rank = cast<RankedTensorType>(tensor.getType()).getRank(); axis < rank;
       ++axis)
    sizes.push_back(extentOf(rewriter, loc, tensor, axis));
  return sizes;
}

static Value minusInfinity(OpBuilder &builder, Location loc) {
  return floatConstant(builder, loc, -std::numeric_limits<double>::infinity());
}

/// `scale * sum[last] leading * grouped` as loops `[batch, head,] row, column, summed`, where
/// `grouped` is indexed `[batch, head / group, column, summed]`, or with its last two axes
/// exchanged.
static Value sumOfProducts(RewriterBase &rewriter, Location loc, Value leading, Value grouped,
                           ArrayRef<OpFoldResult> sizes, bool exchanged, double scale) {
  auto leadingType = cast<RankedTensorType>(leading.getType());
  int64_t rank = leadingType.getRank();
  unsigned row = rank - 2, column = row + 1, summed = row + 2;
  auto dim = [&](unsigned loop) { return rewriter.getAffineDimExpr(loop); };
  SmallVector<AffineExpr> of, by, result;
  for (unsigned axis = 0; axis < row; ++axis) { // the batch, and last the heads
    int64_t size = leadingType.getDimSize(axis);
    int64_t groups = cast<RankedTensorType>(grouped.getType()).getDimSize(axis);
    of.push_back(dim(axis));
    result.push_back(dim(axis));
    by.push_back(size == groups ? dim(axis)
                 : groups == 1  ? rewriter.getAffineConstantExpr(0)
                                : dim(axis).floorDiv(size / groups));
  }
  of.append({dim(row), dim(summed)});
  by.append({dim(exchanged ? summed : column), dim(exchanged ? column : summed)});
  result.append({dim(row), dim(column)});
  SmallVector<AffineMap> maps;
  for (ArrayRef<AffineExpr> exprs : {ArrayRef(of), ArrayRef(by), ArrayRef(result)})
    maps.push_back(AffineMap::get(rank + 1, 0, exprs, rewriter.getContext()));

  Value into = filledTensor(rewriter, loc, sizes, floatConstant(rewriter, loc, 0));
  Value factor = scale == 1 ? Value() : floatConstant(rewriter, loc, scale);
  return buildLoops(rewriter, loc, {leading, grouped}, into, maps, /*sumsLast=*/true,
                    [&](OpBuilder &body, Location at, ValueRange args) -> Value {
                      Value product = arith::MulFOp::create(body, at, args[0], args[1]);
                      if (factor)
                        product = arith::MulFOp::create(body, at, product, factor);
                      return arith::AddFOp::create(body, at, args[2], product);
                    });
}

static void decompose(RewriterBase &rewriter, ScoresOp op) {
  int64_t rank = op.getQ().getType().getRank();
  SmallVector<OpFoldResult> sizes = extentsOf(rewriter, op.getLoc(), op.getQ());
  sizes.back() = extentOf(rewriter, op.getLoc(), op.getK(), rank - 2);
  rewriter.replaceOp(op, sumOfProducts(rewriter, op.getLoc(), op.getQ(), op.getK(), sizes,
                                       /*exchanged=*/false, op.getScale().convertToDouble()));
}

static void decompose(RewriterBase &rewriter, WeighOp op) {
  int64_t rank = op.getPattern().getType().getRank();
  SmallVector<OpFoldResult> sizes = extentsOf(rewriter, op.getLoc(), op.getPattern());
  sizes.back() = extentOf(rewriter, op.getLoc(), op.getValues(), rank - 1);
  rewriter.replaceOp(op, sumOfProducts(rewriter, op.getLoc(), op.getPattern(), op.getValues(),
                                       sizes, /*exchanged=*/true, /*scale=*/1));
}

static void decompose(RewriterBase &rewriter, MaskOp op) {
  Location loc = op.getLoc();
  int64_t rank = op.getScores().getType().getRank();
  Value into = emptyTensor(rewriter, loc, extentsOf(rewriter, loc, op.getScores()));
  Value hidden = minusInfinity(rewriter, loc);
  AffineMap identity = rewriter.getMultiDimIdentityMap(rank);
  Value masked =
      buildLoops(rewriter, loc, op.getScores(), into, {identity, identity}, /*sumsLast=*/false,
                 [&](OpBuilder &body, Location at, ValueRange args) -> Value {
                   Block &predicate = op.getPredicate().front();
                   IRMapping mapping;
                   for (auto [axis, index] : llvm::enumerate(predicate.getArguments()))
                     mapping.map(index, linalg::IndexOp::create(body, at, axis).getResult());
                   for (Operation &inner : predicate.without_terminator())
                     body.clone(inner, mapping);
                   Value visible =
                       mapping.lookupOrDefault(predicate.getTerminator()->getOperand(0));
                   return arith::SelectOp::create(body, at, visible, args[0], hidden);
                 });
  rewriter.replaceOp(op, masked);
}

static void decompose(RewriterBase &rewriter, SoftmaxOp op) {
  Location loc = op.getLoc();
  int64_t rank = op.getScores().getType().getRank();
  auto dimension = static_cast<int64_t>(op.getDimension());
  SmallVector<OpFoldResult> sizes = extentsOf(rewriter, loc, op.getScores());
  SmallVector<OpFoldResult> rowSizes(sizes);
  rowSizes.erase(rowSizes.begin() + dimension);

  // The softmax's axis is the last loop, whatever place it has in the scores.
  SmallVector<AffineExpr> element, row;
  for (int64_t axis = 0; axis < rank; ++axis) {
    element.push_back(rewriter.getAffineDimExpr(axis == dimension  ? rank - 1
                                                : axis > dimension ? axis - 1
                                                                   : axis));
    if (axis != rank - 1)
      row.push_back(rewriter.getAffineDimExpr(axis));
  }
  AffineMap elements = AffineMap::get(rank, 0, element, rewriter.getContext());
  AffineMap rows = AffineMap::get(rank, 0, row, rewriter.getContext());
  Value zero = floatConstant(rewriter, loc, 0), lowest = minusInfinity(rewriter, loc);

  // A sink is one more score of its row: the maximum starts as it, and the sum as its power.
  Value least = op.getSink() ? Value(op.getSink()) : filledTensor(rewriter, loc, rowSizes, lowest);
  Value maximum = buildLoops(rewriter, loc, op.getScores(), least, {elements, rows},
                             /*sumsLast=*/true, [](OpBuilder &body, Location at, ValueRange args) {
                               return arith::MaximumFOp::create(body, at, args[0], args[1]);
                             });
  // In a row with nothing visible, -inf minus -inf would be NaN.
  auto powerBelow = [&](OpBuilder &body, Location at, ValueRange args) -> Value {
    Value below = arith::SubFOp::create(body, at, args[0], args[1]);
    Value power = math::ExpOp::create(body, at, below);
    Value isEmpty = arith::CmpFOp::create(body, at, arith::CmpFPredicate::OEQ, args[1], lowest);
    return arith::SelectOp::create(body, at, isEmpty, zero, power);
  };
  Value powers =
      buildLoops(rewriter, loc, {op.getScores(), maximum}, emptyTensor(rewriter, loc, sizes),
                 {elements, rows, elements}, /*sumsLast=*/false, powerBelow);
  AffineMap everyRow = rewriter.getMultiDimIdentityMap(rank - 1);
  Value start =
      op.getSink()
          ? buildLoops(rewriter, loc, {op.getSink(), maximum}, emptyTensor(rewriter, loc, rowSizes),
                       {everyRow, everyRow, everyRow}, /*sumsLast=*/false, powerBelow)
          : filledTensor(rewriter, loc, rowSizes, zero);
  Value sum = buildLoops(rewriter, loc, powers, start, {elements, rows}, /*sumsLast=*/true,
                         [](OpBuilder &body, Location at, ValueRange args) {
                           return arith::AddFOp::create(body, at, args[1], args[0]);
                         });
  Value pattern = buildLoops(
      rewriter, loc, {powers, sum}, emptyTensor(rewriter, loc, sizes), {elements, rows, elements},
      /*sumsLast=*/false, [&](OpBuilder &body, Location at, ValueRange args) -> Value {
        Value share = arith::DivFOp::create(body, at, args[0], args[1]);
        Value isEmpty = arith::CmpFOp::create(body, at, arith::CmpFPredicate::OEQ, args[1], zero);
        return arith::SelectOp::create(body, at, isEmpty, zero, share);
      });
  rewriter.replaceOp(op, pattern);
}

namespace {

struct DecomposePass : impl::DecomposePassBase<DecomposePass> {
  void runOnOperation() override {
    SmallVector<Operation *> steps;
    getOperation().walk([&](Operation *op) {
      if (isa<ScoresOp, MaskOp, SoftmaxOp, WeighOp>(op))
        steps.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : steps) {
      rewriter.setInsertionPoint(op);
      if (auto scores = dyn_cast<ScoresOp>(op))
        decompose(rewriter, scores);
      else if (auto mask = dyn_cast<MaskOp>(op))
        decompose(rewriter, mask);
      else if (auto softmax = dyn_cast<SoftmaxOp>(op))
        decompose(rewriter, softmax);
      else
        decompose(rewriter, cast<WeighOp>(op));
      ++numDecomposed;
    }
  }
};

} // namespace
} // namespace heed::attn
