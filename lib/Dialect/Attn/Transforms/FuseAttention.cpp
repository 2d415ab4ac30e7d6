//===- FuseAttention.cpp - scores, modifiers, mask, softmax and weighing as one op -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Contraction.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"

#define DEBUG_TYPE "attn-fuse-attention"

namespace heed::attn {
#define GEN_PASS_DEF_FUSEATTENTIONPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"

using namespace mlir;

namespace {

/// An elementwise op on scores, and which of its inputs they are.
struct Modifier {
  linalg::GenericOp op;
  OpOperand *score = nullptr;
};

/// The steps of one attention, from its weighing up.
struct Steps {
  WeighOp weigh;
  SoftmaxOp softmax;
  /// Both from the softmax up.
  SmallVector<MaskOp> masks;
  SmallVector<Modifier> modifiers;
  ScoresOp scores;
};

} // namespace

/// Whether `value` is attn.scores, or elementwise of it.
static bool comesFromScores(Value value) {
  llvm::SetVector<Value> above;
  above.insert(value);
  for (size_t next = 0; next < above.size(); ++next) {
    if (above[next].getDefiningOp<ScoresOp>())
      return true;
    auto op = above[next].getDefiningOp<linalg::GenericOp>();
    if (op && isElementwise(op))
      above.insert_range(op.getDpsInputs());
  }
  return false;
}

/// Finds the steps that end in `weigh`, or says in `why` what keeps them apart.
static std::optional<Steps> matchSteps(WeighOp weigh, std::string &why) {
  Steps steps;
  steps.weigh = weigh;
  steps.softmax = weigh.getPattern().getDefiningOp<SoftmaxOp>();
  if (!steps.softmax) {
    why = "its pattern isn't a softmax over the values' rows";
    return std::nullopt;
  }
  int64_t rank = weigh.getPattern().getType().getRank();
  if (static_cast<int64_t>(steps.softmax.getDimension()) != rank - 1) {
    why = "its softmax isn't over the values' rows";
    return std::nullopt;
  }
  if (!weigh.getPattern().hasOneUse()) {
    why = "its pattern is read elsewhere too";
    return std::nullopt;
  }
  Value above = steps.softmax.getScores();
  for (; auto mask = above.getDefiningOp<MaskOp>(); above = mask.getScores()) {
    if (!above.hasOneUse()) {
      why = "its masked scores are read elsewhere too";
      return std::nullopt;
    }
    steps.masks.push_back(mask);
  }
  while (true) {
    if (!above.hasOneUse()) {
      why = "its scores are read elsewhere too";
      return std::nullopt;
    }
    if ((steps.scores = above.getDefiningOp<ScoresOp>())) {
      RankedTensorType q = steps.scores.getQ().getType(), k = steps.scores.getK().getType(),
                       v = weigh.getValues().getType();
      if (k.getShape().drop_back(2) != v.getShape().drop_back(2)) {
        why = "its values have other heads than its keys";
        return std::nullopt;
      }
      if (hasStaticTiles(q, q) && hasStaticTiles(q, k) && hasStaticTiles(q, v))
        return steps;
      why = "its heads or their width are known at run time only";
      return std::nullopt;
    }
    auto op = above.getDefiningOp<linalg::GenericOp>();
    SmallVector<OpOperand *> inputs;
    if (op && isElementwise(op))
      for (OpOperand *input : op.getDpsInputOperands())
        if (comesFromScores(input->get()))
          inputs.push_back(input);
    if (inputs.size() != 1 || !op.getMatchingIndexingMap(inputs.front()).isIdentity()) {
      why = "its softmax isn't of modified attn.scores";
      return std::nullopt;
    }
    steps.modifiers.push_back({op, inputs.front()});
    above = inputs.front()->get();
  }
}

namespace {

/// Builds modifiers at one score: `indices` are its own, the row's and the key's last.
class ModifierBuilder {
public:
  ModifierBuilder(OpBuilder &builder, ArrayRef<Value> indices)
      : builder(builder), indices(indices) {}

  /// What a modifier's body makes of `score`.
  Value modify(const Modifier &modifier, Value score) {
    return inlineBody(modifier.op, indices, modifier.score, score);
  }

private:
  /// The element of `op` at these indices. Other tensors are read element by element, but for those
  /// that have an element for each row and key: as large as the scores, they are computed in place
  /// too.
  Value inlineBody(linalg::GenericOp op, ArrayRef<Value> place, OpOperand *scoreInput = nullptr,
                   Value score = {}) {
    Location loc = op.getLoc();
    IRMapping mapping;
    for (OpOperand *input : op.getDpsInputOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(input);
      if (input == scoreInput) {
        mapping.map(argument, score);
      } else if (!isa<ShapedType>(input->get().getType())) {
        mapping.map(argument, input->get());
      } else if (!argument.use_empty()) {
        SmallVector<Value> at;
        for (AffineExpr expr : op.getMatchingIndexingMap(input).getResults())
          at.push_back(affine::expandAffineExpr(builder, loc, expr, place, {}));
        auto made = input->get().getDefiningOp<linalg::GenericOp>();
        bool isLarge = llvm::all_of(indices.take_back(2),
                                    [&](Value index) { return llvm::is_contained(at, index); });
        mapping.map(argument,
                    made && isLarge && isElementwise(made)
                        ? inlineBody(made, at)
                        : Value(tensor::ExtractOp::create(builder, loc, input->get(), at)));
      }
    }
    for (Operation &inner : op.getBody()->without_terminator()) {
      if (auto index = dyn_cast<linalg::IndexOp>(inner))
        mapping.map(index.getResult(), place[index.getDim()]);
      else
        builder.clone(inner, mapping);
    }
    return mapping.lookupOrDefault(op.getBody()->getTerminator()->getOperand(0));
  }

  OpBuilder &builder;
  ArrayRef<Value> indices;
};

} // namespace

/// The types of the indices that a region is given: h, i and j, with a batch b before them.
static SmallVector<Type> indexTypes(OpBuilder &builder, int64_t rank) {
  return SmallVector<Type>(std::max<int64_t>(rank, 3), builder.getIndexType());
}

/// Gives `fused` its score region: every modifier, the one nearest to the scores first.
static void buildScore(OpBuilder &builder, AttentionOp fused, const Steps &steps, int64_t rank) {
  if (steps.modifiers.empty())
    return;
  OpBuilder::InsertionGuard guard(builder);
  Location loc = fused.getLoc();
  SmallVector<Type> types = indexTypes(builder, rank);
  types.insert(types.begin(), builder.getF32Type());
  Block *block =
      builder.createBlock(&fused.getScore(), {}, types, SmallVector<Location>(types.size(), loc));
  SmallVector<Value> indices(block->getArguments().take_back(rank));
  Value score = block->getArgument(0);
  for (const Modifier &modifier : llvm::reverse(steps.modifiers))
    score = ModifierBuilder(builder, indices).modify(modifier, score);
  YieldOp::create(builder, loc, score);
}

/// Gives `fused` its mask region: visible is what every mask shows.
static void buildMask(OpBuilder &builder, AttentionOp fused, const Steps &steps, int64_t rank) {
  if (steps.masks.empty())
    return;
  OpBuilder::InsertionGuard guard(builder);
  Location loc = fused.getLoc();
  SmallVector<Type> types = indexTypes(builder, rank);
  Block *block =
      builder.createBlock(&fused.getMask(), {}, types, SmallVector<Location>(types.size(), loc));
  ValueRange indices = block->getArguments().take_back(rank);
  Value visible;
  for (MaskOp mask : llvm::reverse(steps.masks)) {
    IRMapping mapping;
    Block &predicate = mask.getPredicate().front();
    mapping.map(predicate.getArguments(), indices);
    for (Operation &inner : predicate.without_terminator())
      builder.clone(inner, mapping);
    Value shown = mapping.lookupOrDefault(predicate.getTerminator()->getOperand(0));
    visible = visible ? arith::AndIOp::create(builder, loc, visible, shown) : shown;
  }
  YieldOp::create(builder, loc, visible);
}

/// The transpose `[b, h, i, v]` to `[b, i, h, v]` that alone reads `weigh`, if one does.
static linalg::TransposeOp rowsFirstAfter(WeighOp weigh) {
  if (!weigh.getResult().hasOneUse())
    return {};
  auto transpose = dyn_cast<linalg::TransposeOp>(*weigh.getResult().user_begin());
  if (!transpose || transpose.getInput() != weigh.getResult())
    return {};
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq(weigh.getPattern().getType().getRank()));
  if (order.size() < 3)
    return {};
  std::swap(order[order.size() - 3], order[order.size() - 2]);
  if (transpose.getPermutation() != ArrayRef(order))
    return {};
  return transpose;
}

static void fuse(RewriterBase &rewriter, const Steps &steps) {
  WeighOp weigh = steps.weigh;
  SoftmaxOp softmax = steps.softmax;
  ScoresOp scores = steps.scores;
  linalg::TransposeOp transpose = rowsFirstAfter(weigh);
  Operation *replaced = transpose ? transpose.getOperation() : weigh.getOperation();
  rewriter.setInsertionPoint(replaced);
  auto fused =
      AttentionOp::create(rewriter, weigh.getLoc(), replaced->getResult(0).getType(), scores.getQ(),
                          scores.getK(), weigh.getValues(), softmax.getSink(),
                          scores.getScaleAttr(), transpose ? rewriter.getUnitAttr() : UnitAttr(),
                          /*bf16=*/UnitAttr());
  int64_t rank = weigh.getPattern().getType().getRank();
  buildScore(rewriter, fused, steps, rank);
  buildMask(rewriter, fused, steps, rank);

  rewriter.replaceOp(replaced, fused.getResult());
  if (transpose)
    rewriter.eraseOp(weigh);
  rewriter.eraseOp(softmax);
  for (MaskOp mask : steps.masks)
    rewriter.eraseOp(mask);
  for (const Modifier &modifier : steps.modifiers)
    rewriter.eraseOp(modifier.op);
  rewriter.eraseOp(scores);
}

namespace {

struct FuseAttentionPass : impl::FuseAttentionPassBase<FuseAttentionPass> {
  void runOnOperation() override {
    SmallVector<WeighOp> weighings;
    getOperation().walk([&](WeighOp weigh) { weighings.push_back(weigh); });
    IRRewriter rewriter(&getContext());
    for (WeighOp weigh : weighings) {
      std::string why;
      if (std::optional<Steps> steps = matchSteps(weigh, why)) {
        fuse(rewriter, *steps);
        ++numFused;
      } else {
        weigh.emitRemark() << "this attention isn't fused: " << why;
      }
    }
  }
};

} // namespace
} // namespace heed::attn
