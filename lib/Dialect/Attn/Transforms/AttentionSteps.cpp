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
/// scores are `leading[head, row, width] * grouped[head, key, width]`, summed over width;
/// weighing is `leading[head, row, key] * grouped[head, key, width]`, summed over key.
struct Step {
  const Contraction &product;
  /// Queries or the pattern; keys or values.
  Factor leading, grouped;
  unsigned row = 0, key = 0, width = 0;
  std::optional<unsigned> head = std::nullopt;
  /// The axis of `grouped` that its head indexes; absent where all heads share one.
  std::optional<int64_t> groupedHead = std::nullopt;
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

/// Fills in head and row of `step`, whose factors, key and width are known. Where it can't,
/// returns why.
static StringRef matchHeadAndRow(Step &step) {
  const Contraction &product = step.product;
  std::optional<SmallVector<unsigned>> loops = step.leading.plainLoops();
  if (!loops)
    return "queries and patterns are indexed by plain indices";
  std::optional<int64_t> key = step.grouped.axisOf(step.key),
                         width = step.grouped.axisOf(step.width);
  if (!key || !width)
    return "rows and components of keys and values are indexed by plain indices";

  SmallVector<unsigned> shared, own;
  for (unsigned loop : *loops)
    if (loop != step.key && loop != step.width)
      (step.grouped.uses(loop) ? shared : own).push_back(loop);
  if (own.size() + shared.size() + 1 != product.parallel)
    return "an index of the result is one of neither factor";
  if (shared.size() + own.size() > 2 || shared.size() > 1 || own.empty())
    return "expected rows, or heads and rows";
  step.row = own.back();
  if (own.size() + shared.size() == 2)
    step.head = shared.empty() ? own.front() : shared.front();

  auto type = cast<RankedTensorType>(step.grouped.value.getType());
  for (auto [axis, expr] : llvm::enumerate(step.grouped.map.getResults())) {
    if (static_cast<int64_t>(axis) == *key || static_cast<int64_t>(axis) == *width)
      continue;
    if (!step.head || step.groupedHead ||
        !isHeadIndex(product, expr, type.getDimSize(axis), *step.head))
      return "a head of keys or values is the query's head, or that divided by the group's size";
    step.groupedHead = axis;
  }
  return {};
}

/// `step.grouped` as `[heads, key, width]`, or `[key, width]` without heads. Keys or values that
/// all heads share are one head.
static Value arrangeGrouped(RewriterBase &rewriter, Location loc, const Step &step) {
  SmallVector<int64_t> order;
  if (step.groupedHead)
    order.push_back(*step.groupedHead);
  order.push_back(*step.grouped.axisOf(step.key));
  order.push_back(*step.grouped.axisOf(step.width));
  Value arranged = arrangeAxes(rewriter, loc, step.grouped.value, order);
  if (!step.head || step.groupedHead)
    return arranged;
  auto type = cast<RankedTensorType>(arranged.getType());
  SmallVector<OpFoldResult> sizes{rewriter.getIndexAttr(1)};
  for (int64_t axis = 0; axis < 2; ++axis)
    sizes.push_back(extentOf(rewriter, loc, arranged, axis));
  auto oneHead =
      RankedTensorType::get({1, type.getDimSize(0), type.getDimSize(1)}, type.getElementType());
  SmallVector<ReassociationIndices> groups{{0, 1}, {2}};
  return tensor::ExpandShapeOp::create(rewriter, loc, oneHead, arranged, groups, sizes);
}

/// `step.leading` as `[head, row, last]`, or `[row, last]` without heads.
static Value arrangeLeading(RewriterBase &rewriter, Location loc, const Step &step, unsigned last) {
  SmallVector<int64_t> order;
  if (step.head)
    order.push_back(*step.leading.axisOf(*step.head));
  order.push_back(*step.leading.axisOf(step.row));
  order.push_back(*step.leading.axisOf(last));
  return arrangeAxes(rewriter, loc, step.leading.value, order);
}

/// The loops of the result `[head, row, last]`.
static SmallVector<unsigned> resultLoops(const Step &step, unsigned last) {
  SmallVector<unsigned> loops;
  if (step.head)
    loops.push_back(*step.head);
  loops.append({step.row, last});
  return loops;
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
  if (StringRef why = matchHeadAndRow(step); !why.empty())
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
  if (StringRef why = matchHeadAndRow(step); !why.empty())
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
