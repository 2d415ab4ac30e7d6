//===- Projection.cpp - products of activations and weights -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recognition.h"

#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace heed::attn {

namespace {

/// How the axes of one weight and one activation meet in a projection.
struct ProjectedAxes {
  /// The order in which the weight's axes are wanted: features, then contracted.
  SmallVector<int64_t> weightOrder;
  int64_t contracted = 0;
  /// The order in which the activation's axes are wanted: rows, then contracted.
  SmallVector<int64_t> rowOrder;
  /// The loop of each axis of the product, and where a constant chooses the feature, that.
  SmallVector<std::optional<unsigned>> loops;
  SmallVector<int64_t> chosen;
};

} // namespace

/// Whether the storage's blocks survive this order of axes.
static bool canBePermuted(WeightType type, ArrayRef<int64_t> order) {
  if (llvm::equal(order, llvm::seq<int64_t>(order.size())))
    return true;
  return type.getStorage() <= Storage::BF16 || order.back() == type.getRank() - 1;
}

/// The axes of `weight` and `x` in `product`, or in `why` what hinders a projection.
static std::optional<ProjectedAxes> matchAxes(const Contraction &product, const Factor &weight,
                                              const Factor &x, StringRef &why) {
  ProjectedAxes axes;
  std::optional<SmallVector<unsigned>> rows = x.plainLoops();
  if (!rows) {
    why = "the activation is indexed by more than plain indices";
    return std::nullopt;
  }
  for (unsigned loop = 0; loop < product.loops(); ++loop) {
    bool inX = x.uses(loop), inWeight = weight.uses(loop);
    if (product.isSummed(loop) && !(inX && inWeight)) {
      why = "a summed index isn't one of both the weight and the activation";
      return std::nullopt;
    }
    if (!product.isSummed(loop) && inX == inWeight) {
      why = inX ? "an index of both the weight and the activation isn't summed over"
                : "an index of the result is one of neither the weight nor the activation";
      return std::nullopt;
    }
  }

  SmallVector<int64_t> contracted;
  for (auto [axis, loop] : llvm::enumerate(*rows))
    if (!product.isSummed(loop)) {
      axes.rowOrder.push_back(axis);
      axes.loops.push_back(loop);
      axes.chosen.push_back(0);
    }
  llvm::SmallDenseSet<unsigned> seen;
  for (auto [axis, expr] : llvm::enumerate(weight.map.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    auto choice = dyn_cast<AffineConstantExpr>(expr);
    if ((!loop && !choice) || (loop && !seen.insert(loop.getPosition()).second)) {
      why = "the weight is indexed by more than plain indices and constants";
      return std::nullopt;
    }
    if (loop && product.isSummed(loop.getPosition())) {
      contracted.push_back(axis);
      axes.rowOrder.push_back(*x.axisOf(loop.getPosition()));
      continue;
    }
    axes.weightOrder.push_back(axis);
    axes.loops.push_back(loop ? std::optional<unsigned>(loop.getPosition()) : std::nullopt);
    axes.chosen.push_back(choice ? choice.getValue() : 0);
  }
  if (axes.weightOrder.empty()) {
    why = "the weight has summed axes only";
    return std::nullopt;
  }
  axes.contracted = contracted.size();
  axes.weightOrder.append(contracted);
  return axes;
}

/// `weight` with its axes in this order: the same weight, packed so.
static Value orderedWeight(RewriterBase &rewriter, GetWeightOp weight, ArrayRef<int64_t> order) {
  if (llvm::equal(order, llvm::seq<int64_t>(order.size())))
    return weight;
  SmallVector<int64_t> shape, permuted;
  for (int64_t axis : order) {
    shape.push_back(weight.getType().getShape()[axis]);
    permuted.push_back(weight.getPermuted() ? (*weight.getPermuted())[axis] : axis);
  }
  auto type = WeightType::get(rewriter.getContext(), shape, weight.getType().getStorage());
  return GetWeightOp::create(rewriter, weight.getLoc(), type, weight.getWeightAttr(),
                             weight.getLayer(), rewriter.getDenseI64ArrayAttr(permuted));
}

/// The part of a projection that constant features choose, without those axes.
static Value chosenFeatures(RewriterBase &rewriter, Location loc, Value all,
                            const ProjectedAxes &axes) {
  if (llvm::all_of(axes.loops, [](std::optional<unsigned> loop) { return loop.has_value(); }))
    return all;
  SmallVector<OpFoldResult> offsets, sizes, strides(axes.loops.size(), rewriter.getIndexAttr(1));
  SmallVector<int64_t> shape;
  auto type = cast<RankedTensorType>(all.getType());
  for (auto [axis, loop] : llvm::enumerate(axes.loops)) {
    offsets.push_back(rewriter.getIndexAttr(axes.chosen[axis]));
    sizes.push_back(loop ? extentOf(rewriter, loc, all, axis) : rewriter.getIndexAttr(1));
    if (loop)
      shape.push_back(type.getDimSize(axis));
  }
  return tensor::ExtractSliceOp::create(rewriter, loc,
                                        RankedTensorType::get(shape, type.getElementType()), all,
                                        offsets, sizes, strides);
}

bool recogniseProjection(RewriterBase &rewriter, const Contraction &product) {
  const Factor &weight = product.factors[product.factors[0].isWeight() ? 0 : 1];
  const Factor &x = product.factors[product.factors[0].isWeight() ? 1 : 0];
  auto source = weight.value.getDefiningOp<DequantizeOp>().getWeight().getDefiningOp<GetWeightOp>();
  if (!source)
    return false;

  StringRef why;
  std::optional<ProjectedAxes> axes = matchAxes(product, weight, x, why);
  if (axes && !canBePermuted(source.getType(), axes->weightOrder)) {
    why = "its storage needs the last axis to be summed over";
    axes.reset();
  }
  if (!axes) {
    product.op->emitRemark() << "the product with weight @" << source.getWeight()
                             << " isn't recognised as a projection: " << why;
    return false;
  }

  Location loc = product.op->getLoc();
  rewriter.setInsertionPoint(product.op);
  Value ordered = orderedWeight(rewriter, source, axes->weightOrder);
  Value rows = arrangeAxes(rewriter, loc, x.value, axes->rowOrder);
  auto rowsType = cast<RankedTensorType>(rows.getType());
  ArrayRef<int64_t> weightShape = cast<WeightType>(ordered.getType()).getShape();
  SmallVector<int64_t> shape(rowsType.getShape().drop_back(axes->contracted));
  llvm::append_range(shape, weightShape.drop_back(axes->contracted));
  Value result =
      ProjectOp::create(rewriter, loc, RankedTensorType::get(shape, rewriter.getF32Type()),
                        RoleAttr::get(rewriter.getContext(), Role::Linear), rows, ordered,
                        /*into=*/Value(), rewriter.getI64IntegerAttr(axes->contracted),
                        /*accumulate=*/UnitAttr())
          ->getResult(0);
  result = chosenFeatures(rewriter, loc, result, *axes);

  SmallVector<int64_t> order(product.parallel);
  int64_t axis = 0;
  for (std::optional<unsigned> loop : axes->loops)
    if (loop)
      order[*loop] = axis++;
  result = arrangeAxes(rewriter, loc, result, order);
  rewriter.replaceOp(product.op, scaleTensor(rewriter, loc, result, product.scale));
  return true;
}

} // namespace heed::attn
