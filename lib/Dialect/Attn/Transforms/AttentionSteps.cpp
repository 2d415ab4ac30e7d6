//===- AttentionSteps.cpp - scores above a softmax, weighing below it -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recognition.h"

#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace heed::attn {

namespace {

/// One product of attention, told apart by which loop is what:
/// scores are `leading[batch, head, row, width] * grouped[batch, head, key, width]`, summed over
/// width; weighing is `leading[batch, head, row, key] * grouped[batch, head, key, width]`, summed
/// over key.
struct Step {
  const Contraction &product;
  /// Queries or the pattern; keys or values.
  Factor leading, grouped;
  unsigned row = 0, key = 0, width = 0;
  /// Where there is one loop beside rows, it is the head's.
  std::optional<unsigned> batch = std::nullopt, head = std::nullopt;
  /// The axis of `grouped` that batch or head indexes; absent where all of them share one.
  std::optional<int64_t> groupedBatch = std::nullopt, groupedHead = std::nullopt;
};

} // namespace

static bool isProductOfActivations(const Contraction &product) {
  return product.factors.size() == 2 && !product.factors[0].isWeight() &&
         !product.factors[1].isWeight();
}

/// Whether `expr` indexes `heads` heads of keys or values by the query head `head`: by itself,
/// or each by a group of equal size.
static bool isHeadIndex(const Contraction &product, AffineExpr expr, int64_t heads, unsigned head) {
  if (auto plain = dyn_cast<AffineDimExpr>(expr))
    return plain.getPosition() == head;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue() == 0 && heads == 1;
  auto group = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!group || group.getKind() != AffineExprKind::FloorDiv)
    return false;
  auto dim = dyn_cast<AffineDimExpr>(group.getLHS());
  auto size = dyn_cast<AffineConstantExpr>(group.getRHS());
  return dim && size && dim.getPosition() == head && !ShapedType::isDynamic(heads) &&
         product.extents[head] == heads * size.getValue();
}

/// Whether an axis of `grouped` is indexed by `head` divided by a group's size.
static bool isGrouped(const Factor &grouped, unsigned head) {
  return llvm::any_of(grouped.map.getResults(), [&](AffineExpr expr) {
    return !isa<AffineDimExpr>(expr) && expr.isFunctionOfDim(head);
  });
}

/// Tells batch and heads apart: `outer` and `inner` are the loops beside the rows, in the order
/// of the scores' axes. Either would be right, but a kernel needs to know how many heads there
/// are, and keys that are loaded serve all heads that share them.
static void chooseHead(Step &step, unsigned outer, unsigned inner) {
  const Contraction &product = step.product;
  auto isHead = [&](unsigned loop, unsigned other) {
    if (isGrouped(step.grouped, loop) || isGrouped(step.grouped, other))
      return isGrouped(step.grouped, loop);
    bool isDynamic = ShapedType::isDynamic(product.extents[loop]);
    if (isDynamic != ShapedType::isDynamic(product.extents[other]))
      return !isDynamic;
    return !step.grouped.uses(loop) && step.grouped.uses(other);
  };
  bool outerIsHead = isHead(outer, inner);
  step.head = outerIsHead ? outer : inner;
  step.batch = outerIsHead ? inner : outer;
}

/// Notes which axis of `grouped` each of batch and head indexes. False where an axis is indexed
/// by anything else.
static bool matchGroupedAxes(Step &step, int64_t key, int64_t width) {
  auto type = cast<RankedTensorType>(step.grouped.value.getType());
  for (auto [axis, expr] : llvm::enumerate(step.grouped.map.getResults())) {
    auto place = static_cast<int64_t>(axis);
    if (place == key || place == width)
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (step.batch && !step.groupedBatch && dim && dim.getPosition() == *step.batch)
      step.groupedBatch = place;
    else if (step.head && !step.groupedHead &&
             isHeadIndex(step.product, expr, type.getDimSize(axis), *step.head))
      step.groupedHead = place;
    else
      return false;
  }
  return true;
}

/// Fills in batch, head and row of `step`, whose factors, key and width are known. `loops` are
/// those of the leading factor in the order of the scores' axes. Where it can't, returns why.
static StringRef matchLoops(Step &step, ArrayRef<unsigned> loops) {
  const Contraction &product = step.product;
  std::optional<int64_t> key = step.grouped.axisOf(step.key),
                         width = step.grouped.axisOf(step.width);
  if (!key || !width)
    return "rows and components of keys and values are indexed by plain indices";

  // The rows are what keys and values don't have; of several such loops, the last one whose
  // number is known at run time only.
  SmallVector<unsigned> others, own;
  for (unsigned loop : loops)
    if (loop != step.key && loop != step.width) {
      others.push_back(loop);
      if (!step.grouped.uses(loop))
        own.push_back(loop);
    }
  if (others.size() + 1 != product.parallel)
    return "an index of the result is one of neither factor";
  if (others.size() > 3 || own.empty())
    return "expected rows, heads and rows, or a batch, heads and rows";
  auto dynamic = llvm::find_if(llvm::reverse(own), [&](unsigned loop) {
    return ShapedType::isDynamic(product.extents[loop]);
  });
  step.row = dynamic != own.rend() ? *dynamic : own.back();
  llvm::erase(others, step.row);
  if (others.size() == 2)
    chooseHead(step, others[0], others[1]);
  else if (others.size() == 1)
    step.head = others.front();
  if (step.batch && ShapedType::isDynamic(product.extents[*step.head]))
    return "how many heads there are is known at run time only, and so is the batch";
  if (!matchGroupedAxes(step, *key, *width))
    return "a head of keys or values is the query's head, or that divided by the group's size";
  return {};
}

/// `step.grouped` as `[batch, heads, key, width]`, without batch or heads where there are none.
/// Keys or values that a whole batch or all heads share are a batch or one head of 1.
static Value arrangeGrouped(RewriterBase &rewriter, Location loc, const Step &step) {
  SmallVector<int64_t> order;
  for (std::optional<int64_t> axis : {step.groupedBatch, step.groupedHead})
    if (axis)
      order.push_back(*axis);
  order.push_back(*step.grouped.axisOf(step.key));
  order.push_back(*step.grouped.axisOf(step.width));
  Value arranged = arrangeAxes(rewriter, loc, step.grouped.value, order);
  auto type = cast<RankedTensorType>(arranged.getType());

  // Axes of size 1 join the axis behind them.
  SmallVector<OpFoldResult> sizes;
  SmallVector<int64_t> shape;
  SmallVector<ReassociationIndices> groups(1);
  auto addAxis = [&](bool isPresent) {
    groups.back().push_back(shape.size());
    int64_t axis = groups.size() - 1;
    shape.push_back(isPresent ? type.getDimSize(axis) : 1);
    sizes.push_back(isPresent ? extentOf(rewriter, loc, arranged, axis)
                              : OpFoldResult(rewriter.getIndexAttr(1)));
    if (isPresent)
      groups.emplace_back();
  };
  if (step.batch)
    addAxis(step.groupedBatch.has_value());
  if (step.head)
    addAxis(step.groupedHead.has_value());
  addAxis(true);
  addAxis(true);
  groups.pop_back();
  if (shape.size() == static_cast<size_t>(type.getRank()))
    return arranged;
  return tensor::ExpandShapeOp::create(
      rewriter, loc, RankedTensorType::get(shape, type.getElementType()), arranged, groups, sizes);
}

/// The loops of the result `[batch, head, row, last]`.
static SmallVector<unsigned> resultLoops(const Step &step, unsigned last) {
  SmallVector<unsigned> loops;
  for (std::optional<unsigned> loop : {step.batch, step.head})
    if (loop)
      loops.push_back(*loop);
  loops.append({step.row, last});
  return loops;
}

/// `step.leading` as `[batch, head, row, last]`, without batch or heads where there are none.
static Value arrangeLeading(RewriterBase &rewriter, Location loc, const Step &step, unsigned last) {
  SmallVector<int64_t> order;
  for (unsigned loop : resultLoops(step, last))
    order.push_back(*step.leading.axisOf(loop));
  return arrangeAxes(rewriter, loc, step.leading.value, order);
}

static RankedTensorType resultType(RewriterBase &rewriter, const Step &step,
                                   ArrayRef<unsigned> loops) {
  SmallVector<int64_t> shape;
  for (unsigned loop : loops)
    shape.push_back(step.product.extents[loop]);
  return RankedTensorType::get(shape, rewriter.getF32Type());
}

/// Replaces the product by `scale * result`, whose axes are these loops.
static void replaceProduct(RewriterBase &rewriter, const Contraction &product, Value result,
                           ArrayRef<unsigned> loops, double scale) {
  SmallVector<int64_t> order(loops.size());
  for (auto [axis, loop] : llvm::enumerate(loops))
    order[loop] = axis;
  Location loc = product.op->getLoc();
  Value arranged = arrangeAxes(rewriter, loc, result, order);
  rewriter.replaceOp(product.op, scaleTensor(rewriter, loc, arranged, scale));
}

static bool leave(const Contraction &product, StringRef step, StringRef why) {
  product.op->emitRemark() << "this product isn't recognised as attention's " << step << ": "
                           << why;
  return false;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// The products of two activations that `tensor` comes from, seen through masks and modifiers,
/// each with its axis that is the tensor's `axis`.
static SmallVector<std::pair<Contraction, unsigned>> productsAbove(Value tensor, unsigned axis) {
  SmallVector<std::pair<Contraction, unsigned>> found;
  llvm::SetVector<std::pair<Value, unsigned>> above;
  above.insert({tensor, axis});
  for (size_t next = 0; next < above.size(); ++next) {
    auto [value, at] = above[next];
    if (auto mask = value.getDefiningOp<MaskOp>()) {
      above.insert({mask.getScores(), at});
    } else if (auto transpose = value.getDefiningOp<linalg::TransposeOp>()) {
      above.insert({transpose.getInput(), transpose.getPermutation()[at]});
    } else if (auto op = value.getDefiningOp<linalg::GenericOp>()) {
      if (std::optional<Contraction> product = Contraction::match(op)) {
        if (isProductOfActivations(*product))
          found.push_back({*product, at});
      } else if (isElementwise(op)) {
        // A modifier reads the score at its own indices, in whatever order.
        for (OpOperand *input : op.getDpsInputOperands()) {
          AffineMap map = op.getMatchingIndexingMap(input);
          for (unsigned place = 0; map.isPermutation() && place < map.getNumResults(); ++place)
            if (map.getDimPosition(place) == at)
              above.insert({input->get(), place});
        }
      }
    }
  }
  return found;
}

/// Replaces `product`, whose result's axis `key` is the softmax's, by attn.scores.
static bool recogniseScore(RewriterBase &rewriter, const Contraction &product, unsigned key) {
  if (product.loops() != product.parallel + 1)
    return leave(product, "scores", "queries and keys meet in more than one summed index");
  bool firstIsKeys = product.factors[0].uses(key);
  Step step{product, product.factors[firstIsKeys ? 1 : 0], product.factors[firstIsKeys ? 0 : 1]};
  step.key = key;
  step.width = product.parallel;
  if (step.leading.uses(key) || !step.leading.uses(step.width))
    return leave(product, "scores",
                 "expected queries without the softmax's index, and keys with it");
  std::optional<SmallVector<unsigned>> leading = step.leading.plainLoops();
  if (!leading)
    return leave(product, "scores", "queries are indexed by plain indices");
  llvm::sort(*leading); // the loops are the scores' axes
  if (StringRef why = matchLoops(step, *leading); !why.empty())
    return leave(product, "scores", why);

  Location loc = product.op->getLoc();
  rewriter.setInsertionPoint(product.op);
  Value q = arrangeLeading(rewriter, loc, step, step.width);
  Value k = arrangeGrouped(rewriter, loc, step);
  SmallVector<unsigned> loops = resultLoops(step, key);
  Value scores = ScoresOp::create(rewriter, loc, resultType(rewriter, step, loops), q, k,
                                  rewriter.getF64FloatAttr(product.scale));
  replaceProduct(rewriter, product, scores, loops, /*scale=*/1);
  return true;
}

unsigned recogniseScores(RewriterBase &rewriter, SoftmaxOp softmax) {
  unsigned found = 0;
  for (auto &[product, key] : productsAbove(softmax.getScores(), softmax.getDimension()))
    found += recogniseScore(rewriter, product, key);
  return found;
}

//===----------------------------------------------------------------------===//
// Weighing
//===----------------------------------------------------------------------===//

/// Replaces `product`, whose factor number `pattern` is a softmax over its axis `dimension`,
/// by attn.weigh.
static bool recogniseWeigh(RewriterBase &rewriter, const Contraction &product, unsigned pattern,
                           int64_t dimension) {
  if (product.loops() != product.parallel + 1)
    return leave(product, "weighing", "pattern and values meet in more than one summed index");
  Step step{product, product.factors[pattern], product.factors[1 - pattern]};
  step.key = product.parallel;
  if (step.leading.axisOf(step.key) != std::optional<int64_t>(dimension))
    return leave(product, "weighing", "the sum isn't over the softmax's index");
  SmallVector<unsigned> widths;
  for (unsigned loop = 0; loop < product.parallel; ++loop)
    if (step.grouped.uses(loop) && !step.leading.uses(loop))
      widths.push_back(loop);
  if (widths.size() != 1)
    return leave(product, "weighing", "expected values with one axis of components");
  step.width = widths.front();
  std::optional<SmallVector<unsigned>> leading = step.leading.plainLoops();
  if (!leading)
    return leave(product, "weighing", "patterns are indexed by plain indices");
  if (StringRef why = matchLoops(step, *leading); !why.empty())
    return leave(product, "weighing", why);

  Location loc = product.op->getLoc();
  rewriter.setInsertionPoint(product.op);
  Value arranged = arrangeLeading(rewriter, loc, step, step.key);
  Value values = arrangeGrouped(rewriter, loc, step);
  SmallVector<unsigned> loops = resultLoops(step, step.width);
  Value weighed =
      WeighOp::create(rewriter, loc, resultType(rewriter, step, loops), arranged, values);
  replaceProduct(rewriter, product, weighed, loops, product.scale);
  return true;
}

unsigned recogniseWeighing(RewriterBase &rewriter, SoftmaxOp softmax) {
  llvm::SetVector<Operation *> users(softmax.getResult().user_begin(),
                                     softmax.getResult().user_end());
  unsigned found = 0;
  for (Operation *user : users) {
    auto op = dyn_cast<linalg::GenericOp>(user);
    std::optional<Contraction> product = op ? Contraction::match(op) : std::nullopt;
    if (!product || !isProductOfActivations(*product))
      continue;
    unsigned pattern = product->factors[0].value == softmax.getResult() ? 0 : 1;
    if (product->factors[pattern].value != softmax.getResult())
      continue;
    found += recogniseWeigh(rewriter, *product, pattern, softmax.getDimension());
  }
  return found;
}

} // namespace heed::attn
