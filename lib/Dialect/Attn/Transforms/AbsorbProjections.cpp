//===- AbsorbProjections.cpp - attention reads latents as they are -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Keys K[h, j, k] = sum[r] Wuk[h, k, r] * C[j, r] that are computed from a short latent row C[j, :]
// need not be computed:
//
//   sum[k] Q[h, i, k] * K[h, j, k] = sum[r] (sum[k] Wuk[h, k, r] * Q[h, i, k]) * C[j, r]
//
// and values V[h, j, v] = sum[r] Wuv[h, v, r] * C[j, r] can wait until they are weighed:
//
//   sum[j] A[h, i, j] * V[h, j, v] = sum[r] Wuv[h, v, r] * (sum[j] A[h, i, j] * C[j, r])
//
// Then the latents are all that a later call reads of earlier rows, and all that is cached.
// docs/Rationale/latent-attention.md weighs what that costs.
//
//===----------------------------------------------------------------------===//

#include "StepFunction.h"

#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"

#define DEBUG_TYPE "attn-absorb-projections"

namespace heed::attn {
#define GEN_PASS_DEF_ABSORBPROJECTIONSPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"

using namespace mlir;

namespace {

/// Multiply-adds that a core does while it loads one number from memory.
constexpr int64_t kProductsPerLoad = 16;

/// Keys or values of one attention that a projection computes from latents.
struct Expansion {
  /// The attn.scores' k or the attn.weigh's values.
  OpOperand *reader;
  ProjectOp project;
  GetWeightOp weight;
  int64_t heads, width; ///< of what is read

  bool isKeys() const { return isa<ScoresOp>(reader->getOwner()); }
};

} // namespace

/// The projection `x[j, r] -> [j, h, k]` that `operand` reads as `[h, j, k]`, where each of as many
/// query heads has a matrix of its own that can be applied to queries or to weighed values instead.
static std::optional<Expansion> matchExpansion(OpOperand &operand) {
  auto transpose = operand.get().getDefiningOp<linalg::TransposeOp>();
  if (!transpose || transpose.getPermutation() != ArrayRef<int64_t>{1, 0, 2})
    return std::nullopt;
  auto project = transpose.getInput().getDefiningOp<ProjectOp>();
  if (!project || project.getInto() || project.getPerHead() || project.getContracted() != 1 ||
      cast<RankedTensorType>(project.getX().getType()).getRank() != 2 ||
      project.getWeight().getType().getRank() != 3)
    return std::nullopt;
  auto weight = project.getWeight().getDefiningOp<GetWeightOp>();
  if (!weight)
    return std::nullopt;
  ArrayRef<int64_t> shape = weight.getType().getShape();
  Expansion found{&operand, project, weight, shape[0], shape[1]};
  // Keys' components become the contracted axis, along which blocks would have to lie.
  if (found.isKeys() && weight.getType().getBlockElements() > 1)
    return std::nullopt;
  Value ofQueries = operand.getOwner()->getOperand(0); // queries or their pattern
  if (cast<RankedTensorType>(ofQueries.getType()).getDimSize(0) != found.heads)
    return std::nullopt;
  return found;
}

/// What one key costs a decoding step, in numbers loaded: its `numbers`, or the products of all
/// heads where these take longer.
static int64_t costOfKey(int64_t numbers, int64_t products) {
  return std::max(numbers, products / kProductsPerLoad);
}

/// Whether a step is at least twice as fast on latents of `rank` numbers as on what `expansions`
/// compute from them.
static bool isCheaper(ArrayRef<Expansion> expansions, int64_t rank) {
  int64_t numbers = 0, products = 0, absorbedProducts = 0;
  for (const Expansion &expansion : expansions) {
    numbers += expansion.heads * expansion.width;
    products += expansion.heads * expansion.width;
    absorbedProducts += expansion.heads * rank;
  }
  return 2 * costOfKey(rank, absorbedProducts) <= costOfKey(numbers, products);
}

/// The attn.scores that `pattern` is made from, by modifiers, a mask and a softmax.
static SmallVector<ScoresOp> scoresBehind(Value pattern) {
  SmallVector<ScoresOp> found;
  llvm::SetVector<Value> above;
  above.insert(pattern);
  for (size_t next = 0; next < above.size(); ++next) {
    Operation *op = above[next].getDefiningOp();
    if (auto scores = dyn_cast_or_null<ScoresOp>(op))
      found.push_back(scores);
    else if (isa_and_nonnull<SoftmaxOp, MaskOp>(op))
      above.insert(op->getOperand(0));
    else if (auto modifier = dyn_cast_or_null<linalg::GenericOp>(op))
      above.insert_range(modifier.getDpsInputs());
  }
  return found;
}

/// Leaves those expansions of one latent value whose attentions read one head of keys and of
/// values alike once they are absorbed: an attention has as many heads of one as of the other.
static void keepWholeAttentions(func::FuncOp func, SmallVector<Expansion> &expansions) {
  auto hasOneHead = [&](OpOperand &operand) {
    return llvm::any_of(expansions, [&](const Expansion &e) { return e.reader == &operand; }) ||
           cast<RankedTensorType>(operand.get().getType()).getDimSize(0) == 1;
  };
  llvm::SmallPtrSet<Operation *, 8> whole;
  func.walk([&](WeighOp weigh) {
    SmallVector<ScoresOp> scores = scoresBehind(weigh.getPattern());
    if (!hasOneHead(weigh.getValuesMutable()) ||
        !llvm::all_of(scores, [&](ScoresOp op) { return hasOneHead(op.getKMutable()); }))
      return;
    whole.insert(weigh);
    whole.insert(scores.begin(), scores.end());
  });
  llvm::erase_if(expansions,
                 [&](const Expansion &e) { return !whole.contains(e.reader->getOwner()); });
}

/// `[a, b, c]` as `[b, a, c]`.
static Value swapLeading(RewriterBase &rewriter, Location loc, Value tensor) {
  auto transpose = tensor.getDefiningOp<linalg::TransposeOp>();
  if (transpose && transpose.getPermutation() == ArrayRef<int64_t>{1, 0, 2})
    return transpose.getInput();
  return arrangeAxes(rewriter, loc, tensor, {1, 0, 2});
}

/// `x[h, i, c]` times each head's matrix of `weight`, `[h, f, c]`, as `[h, i, f]`.
static Value projectHeads(RewriterBase &rewriter, Location loc, Value x, Value weight, Role role) {
  Value rows = swapLeading(rewriter, loc, x);
  SmallVector<int64_t> shape(cast<RankedTensorType>(rows.getType()).getShape());
  shape.back() = cast<WeightType>(weight.getType()).getShape()[1];
  auto type = RankedTensorType::get(shape, rewriter.getF32Type());
  auto project = ProjectOp::create(rewriter, loc, type, role, rows, weight, /*contracted=*/1,
                                   /*perHead=*/true);
  return arrangeAxes(rewriter, loc, project.getResult(), {1, 0, 2});
}

/// The weight with its last two axes exchanged.
static Value transposed(RewriterBase &rewriter, GetWeightOp weight) {
  SmallVector<int64_t> order{0, 1, 2}, shape(weight.getType().getShape());
  if (auto permuted = weight.getPermuted())
    order.assign(permuted->begin(), permuted->end());
  std::swap(order[1], order[2]);
  std::swap(shape[1], shape[2]);
  auto type = WeightType::get(rewriter.getContext(), shape, weight.getType().getStorage());
  return GetWeightOp::create(rewriter, weight.getLoc(), type, weight.getWeightAttr(),
                             weight.getLayer(), rewriter.getDenseI64ArrayAttr(order));
}

/// Latents `[j, r]` as keys or values of one head, `[1, j, r]`.
static Value asOneHead(RewriterBase &rewriter, Value latents) {
  auto type = cast<RankedTensorType>(latents.getType());
  rewriter.setInsertionPointAfterValue(latents);
  Location loc = latents.getLoc();
  SmallVector<OpFoldResult> sizes{rewriter.getIndexAttr(1), extentOf(rewriter, loc, latents, 0),
                                  rewriter.getIndexAttr(type.getDimSize(1))};
  auto oneHead =
      RankedTensorType::get({1, type.getDimSize(0), type.getDimSize(1)}, type.getElementType());
  return tensor::ExpandShapeOp::create(rewriter, loc, oneHead, latents,
                                       SmallVector<ReassociationIndices>{{0, 1}, {2}}, sizes);
}

/// Makes the reader of `expansion` read `latents`, `[1, j, r]`.
static void absorb(RewriterBase &rewriter, Expansion expansion, Value latents) {
  Operation *reader = expansion.reader->getOwner();
  Location loc = reader->getLoc();
  rewriter.setInsertionPoint(reader);
  if (auto scores = dyn_cast<ScoresOp>(reader)) {
    Value weight = transposed(rewriter, expansion.weight);
    Value q = projectHeads(rewriter, scores.getQ().getLoc(), scores.getQ(), weight, Role::Query);
    rewriter.modifyOpInPlace(scores, [&] {
      scores.getQMutable().assign(q);
      scores.getKMutable().assign(latents);
    });
    return;
  }
  auto weigh = cast<WeighOp>(reader);
  SmallVector<int64_t> shape(weigh.getResult().getType().getShape());
  shape.back() = cast<RankedTensorType>(latents.getType()).getDimSize(2);
  Value weighed =
      WeighOp::create(rewriter, loc, RankedTensorType::get(shape, rewriter.getF32Type()),
                      weigh.getPattern(), latents);
  rewriter.replaceOp(
      weigh, projectHeads(rewriter, loc, weighed, expansion.weight.getResult(), Role::Output));
}

/// Whether a cache can be derived for `func`: without one, each row is used once only, and keys
/// that are computed once serve all of them.
static bool keepsCache(func::FuncOp func) {
  if (!RowAnalysis::appliesTo(func))
    return false;
  OwningOpRef<func::FuncOp> draft = func.clone();
  separateDestinations(*draft);
  return RowAnalysis(*draft).getRefusals().empty();
}

namespace {

struct AbsorbProjectionsPass : impl::AbsorbProjectionsPassBase<AbsorbProjectionsPass> {
  void runOnOperation() override {
    llvm::MapVector<Value, SmallVector<Expansion>> byLatents;
    getOperation().walk([&](Operation *op) {
      OpOperand *operand = isa<ScoresOp, WeighOp>(op) ? &op->getOpOperand(1) : nullptr;
      if (!operand || cast<RankedTensorType>(operand->get().getType()).getRank() != 3)
        return;
      if (std::optional<Expansion> found = matchExpansion(*operand))
        byLatents[found->project.getX()].push_back(*found);
    });
    byLatents.remove_if([&](auto &entry) {
      keepWholeAttentions(getOperation(), entry.second);
      int64_t rank = cast<RankedTensorType>(entry.first.getType()).getDimSize(1);
      return entry.second.empty() || ShapedType::isDynamic(rank) || !isCheaper(entry.second, rank);
    });
    if (byLatents.empty() || !keepsCache(getOperation()))
      return;

    IRRewriter rewriter(&getContext());
    for (auto &[latents, expansions] : byLatents) {
      Value oneHead = asOneHead(rewriter, latents);
      for (const Expansion &expansion : expansions)
        absorb(rewriter, expansion, oneHead);
      numAbsorbed += expansions.size();
    }
    // Transposes around what moved undo each other, and nothing reads keys and values any more.
    RewritePatternSet patterns(&getContext());
    linalg::TransposeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace heed::attn
