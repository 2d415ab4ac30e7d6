//===- MergeScores.cpp - sums of scores become scores of longer vectors -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A sum of dot products is the dot product of concatenated vectors: `q . k + p . r = [q p] . [k
// r]`. So content and position, scored apart, are one attention, whose keys are one cache.
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Contraction.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

#define DEBUG_TYPE "attn-merge-scores"

namespace heed::attn {
#define GEN_PASS_DEF_MERGESCORESPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"

using namespace mlir;

namespace {

/// `factor * scores`, a term of a sum in a modifier's body.
struct Term {
  BlockArgument argument;
  ScoresOp scores;
  double factor = 1;
};

/// Two terms and their sum.
struct Sum {
  arith::AddFOp add;
  Term first, second;
};

} // namespace

/// The scores that `value` is a constant multiple of, where nothing else reads them.
static std::optional<Term> matchTerm(linalg::GenericOp op, Value value) {
  Term term;
  while (Operation *step = value.getDefiningOp()) {
    if (!value.hasOneUse() || !isa<arith::MulFOp, arith::DivFOp>(step))
      return std::nullopt;
    bool isLeft = !constantWorth(step->getOperand(0));
    std::optional<double> worth = constantWorth(step->getOperand(isLeft ? 1 : 0));
    if (!worth || *worth == 0 || (!isLeft && isa<arith::DivFOp>(step)))
      return std::nullopt;
    term.factor = isa<arith::MulFOp>(step) ? term.factor * *worth : term.factor / *worth;
    value = step->getOperand(isLeft ? 0 : 1);
  }
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || !argument.hasOneUse() || argument.getOwner() != op.getBody() ||
      argument.getArgNumber() >= static_cast<unsigned>(op.getNumDpsInputs()))
    return std::nullopt;
  OpOperand *input = op.getDpsInputOperand(argument.getArgNumber());
  term.argument = argument;
  term.scores = input->get().getDefiningOp<ScoresOp>();
  if (!term.scores || !input->get().hasOneUse() || !op.getMatchingIndexingMap(input).isIdentity() ||
      term.scores->getBlock() != op->getBlock())
    return std::nullopt;
  return term;
}

/// A sum of two scores in the body of the elementwise `op`.
static std::optional<Sum> matchSum(linalg::GenericOp op) {
  if (!isElementwise(op))
    return std::nullopt;
  for (auto add : op.getBody()->getOps<arith::AddFOp>()) {
    std::optional<Term> first = matchTerm(op, add.getLhs()), second = matchTerm(op, add.getRhs());
    if (!first || !second)
      continue;
    auto hasWidth = [](Term &term) {
      return !ShapedType::isDynamic(term.scores.getQ().getType().getShape().back()) &&
             !ShapedType::isDynamic(term.scores.getK().getType().getShape().back());
    };
    if (hasWidth(*first) && hasWidth(*second))
      return Sum{add, *first, *second};
  }
  return std::nullopt;
}

/// `keys` with its batch and heads as long as `leading`: shared ones are repeated.
static Value repeatShared(RewriterBase &rewriter, Location loc, Value keys, Value like) {
  auto type = cast<RankedTensorType>(keys.getType()),
       wanted = cast<RankedTensorType>(like.getType());
  int64_t rank = type.getRank();
  SmallVector<AffineExpr> from;
  SmallVector<OpFoldResult> sizes;
  bool isRepeated = false;
  for (int64_t axis = 0; axis < rank; ++axis) {
    AffineExpr loop = rewriter.getAffineDimExpr(axis);
    bool isShared = axis < rank - 2 && type.getDimSize(axis) != wanted.getDimSize(axis);
    if (isShared && type.getDimSize(axis) == 1)
      loop = rewriter.getAffineConstantExpr(0);
    else if (isShared)
      loop = loop.floorDiv(wanted.getDimSize(axis) / type.getDimSize(axis));
    from.push_back(loop);
    sizes.push_back(extentOf(rewriter, loc, isShared ? like : keys, axis));
    isRepeated |= isShared;
  }
  if (!isRepeated)
    return keys;
  Value empty = emptyTensor(rewriter, loc, sizes);
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  AffineMap maps[] = {AffineMap::get(rank, 0, from, rewriter.getContext()),
                      rewriter.getMultiDimIdentityMap(rank)};
  return linalg::GenericOp::create(rewriter, loc, TypeRange{empty.getType()}, ValueRange{keys},
                                   ValueRange{empty}, maps, loops,
                                   [](OpBuilder &body, Location at, ValueRange args) {
                                     linalg::YieldOp::create(body, at, args[0]);
                                   })
      ->getResult(0);
}

/// Whether the batch and heads of one of the keys can be repeated to those of the other.
static bool canShare(RankedTensorType few, RankedTensorType many) {
  for (int64_t axis = 0; axis < few.getRank() - 2; ++axis) {
    int64_t shared = few.getDimSize(axis), all = many.getDimSize(axis);
    bool isKnown = !ShapedType::isDynamic(shared) && !ShapedType::isDynamic(all) && shared > 0;
    if (shared != all && shared != 1 && !(isKnown && all % shared == 0))
      return false;
  }
  return true;
}

static Value concatenate(RewriterBase &rewriter, Location loc, Value first, Value second) {
  int64_t last = cast<RankedTensorType>(first.getType()).getRank() - 1;
  return tensor::ConcatOp::create(rewriter, loc, last, ValueRange{first, second});
}

/// Makes weighings of `part`, the components of `whole` from `offset` on, read these there, so that
/// keys which are values too are kept once.
static void readFromWhole(RewriterBase &rewriter, Value part, Value whole, int64_t offset) {
  auto type = cast<RankedTensorType>(part.getType());
  int64_t rank = type.getRank();
  DominanceInfo dominance;
  for (OpOperand &use : llvm::make_early_inc_range(part.getUses())) {
    auto weigh = dyn_cast<WeighOp>(use.getOwner());
    if (!weigh || use.get() != weigh.getValues() || !dominance.dominates(whole, weigh))
      continue;
    rewriter.setInsertionPoint(weigh);
    SmallVector<OpFoldResult> offsets(rank, rewriter.getIndexAttr(0)), sizes,
        strides(rank, rewriter.getIndexAttr(1));
    offsets.back() = rewriter.getIndexAttr(offset);
    for (int64_t axis = 0; axis < rank; ++axis)
      sizes.push_back(extentOf(rewriter, part.getLoc(), part, axis));
    Value slice = tensor::ExtractSliceOp::create(rewriter, part.getLoc(), type, whole, offsets,
                                                 sizes, strides);
    rewriter.modifyOpInPlace(weigh, [&] { weigh.getValuesMutable().assign(slice); });
  }
}

/// The scores of the sum, in front of `op`. Nothing where their keys don't go together.
static ScoresOp mergedScores(RewriterBase &rewriter, linalg::GenericOp op, Sum sum) {
  ScoresOp first = sum.first.scores, second = sum.second.scores;
  Value firstKeys = first.getK(), secondKeys = second.getK();
  RankedTensorType ofFirst = first.getK().getType(), ofSecond = second.getK().getType();
  bool firstIsShared = canShare(ofFirst, ofSecond);
  if (!firstIsShared && !canShare(ofSecond, ofFirst))
    return {};
  rewriter.setInsertionPoint(op);
  double scale = sum.first.factor * first.getScale().convertToDouble();
  double ofOther = sum.second.factor * second.getScale().convertToDouble();
  if (scale == 0)
    return {};
  if (firstIsShared)
    firstKeys = repeatShared(rewriter, firstKeys.getLoc(), firstKeys, secondKeys);
  else
    secondKeys = repeatShared(rewriter, secondKeys.getLoc(), secondKeys, firstKeys);
  Value other = scaleTensor(rewriter, second.getQ().getLoc(), second.getQ(), ofOther / scale);
  Value q = concatenate(rewriter, first.getQ().getLoc(), first.getQ(), other);
  Value k = concatenate(rewriter, first.getK().getLoc(), firstKeys, secondKeys);
  int64_t width = ofFirst.getShape().back();
  readFromWhole(rewriter, firstKeys, k, 0);
  readFromWhole(rewriter, secondKeys, k, width);
  rewriter.setInsertionPoint(op);
  return ScoresOp::create(rewriter, first.getLoc(), first.getResult().getType(), q, k,
                          rewriter.getF64FloatAttr(scale));
}

/// `op` with the sum's terms replaced by `merged`.
static linalg::GenericOp readMerged(RewriterBase &rewriter, linalg::GenericOp op, Sum sum,
                                    Value merged) {
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  SmallVector<BlockArgument> kept;
  for (OpOperand *input : op.getDpsInputOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(input);
    if (argument == sum.first.argument || argument == sum.second.argument)
      continue;
    inputs.push_back(input->get());
    maps.push_back(op.getMatchingIndexingMap(input));
    kept.push_back(argument);
  }
  inputs.push_back(merged);
  maps.push_back(rewriter.getMultiDimIdentityMap(op.getNumLoops()));
  maps.push_back(op.getMatchingIndexingMap(op.getDpsInitOperand(0)));
  return linalg::GenericOp::create(
      rewriter, op.getLoc(), op.getResultTypes(), inputs, op.getDpsInits(), maps,
      op.getIteratorTypesArray(), [&](OpBuilder &body, Location, ValueRange args) {
        IRMapping mapping;
        for (auto [old, argument] : llvm::zip_equal(kept, args.take_front(kept.size())))
          mapping.map(old, argument);
        mapping.map(op.getRegionOutputArgs()[0], args.back());
        mapping.map(sum.add.getResult(), args[kept.size()]);
        llvm::SmallPtrSet<Operation *, 4> dropped{sum.add};
        for (const Term &term : {sum.first, sum.second})
          for (Operation *step = *term.argument.user_begin(); step != sum.add;
               step = *step->getResult(0).user_begin())
            dropped.insert(step);
        for (Operation &inner : *op.getBody())
          if (!dropped.contains(&inner))
            body.clone(inner, mapping);
      });
}

/// What `op` multiplies its one input, scores, by, where it does nothing else.
static std::optional<double> matchScaling(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1)
    return std::nullopt;
  std::optional<Term> term = matchTerm(op, op.getBody()->getTerminator()->getOperand(0));
  return term ? std::optional(term->factor) : std::nullopt;
}

namespace {

struct MergeScoresPass : impl::MergeScoresPassBase<MergeScoresPass> {
  void runOnOperation() override {
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::GenericOp op : ops)
      while (std::optional<Sum> sum = matchSum(op)) {
        ScoresOp merged = mergedScores(rewriter, op, *sum);
        if (!merged)
          break;
        linalg::GenericOp rebuilt = readMerged(rewriter, op, *sum, merged.getResult());
        rewriter.replaceOp(op, rebuilt.getResults());
        rewriter.eraseOp(sum->first.scores);
        rewriter.eraseOp(sum->second.scores);
        ++numMerged;
        op = rebuilt;
        if (std::optional<double> factor = matchScaling(op)) {
          merged.setScale(APFloat(merged.getScale().convertToDouble() * *factor));
          rewriter.replaceOp(op, merged.getResult());
          break;
        }
      }
  }
};

} // namespace
} // namespace heed::attn
