//===- Projection.cpp - products of activations and weights -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recognition.h"

#include "heed/Dialect/Attn/Transforms/TensorShapes.h"
#include "heed/Runtime/Artifact.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace heed::attn {

namespace {

/// How the result reads one feature axis of the weight: a range of it, as one axis or, row-major,
/// as several.
struct Feature {
  int64_t offset = 0;
  int64_t length = 1;
  /// The loops and how long they are, outermost first; none where a constant chooses one feature.
  SmallVector<unsigned> loops;
  SmallVector<int64_t> extents;
};

/// How the axes of one weight and one activation meet in a projection.
struct ProjectedAxes {
  /// The order in which the weight's axes are wanted: heads, features, then contracted.
  SmallVector<int64_t> weightOrder;
  int64_t contracted = 0;
  /// The order in which the activation's axes are wanted: rows, heads, then contracted.
  SmallVector<int64_t> rowOrder;
  /// Whether each head has a matrix of its own; its loop is then the last of the rows'.
  bool perHead = false;
  /// The loops of the rows, then what becomes of each feature axis.
  SmallVector<unsigned> rows;
  SmallVector<Feature> features;
};

} // namespace

/// Whether the runtime can lay the weight out as a matrix with its axes in this order, the last
/// `contracted` being the columns: blocks must survive it and make up whole rows.
static bool canBeLaidOut(WeightType type, ArrayRef<int64_t> order, int64_t contracted) {
  bool isInOrder = llvm::equal(order, llvm::seq<int64_t>(order.size()));
  if (!isInOrder && order.size() > HEED_MAX_RANK)
    return false;
  int64_t block = type.getBlockElements();
  if (block == 1)
    return true;
  int64_t columns = 1;
  for (int64_t axis : order.take_back(contracted))
    columns *= type.getShape()[axis];
  return columns % block == 0 &&
         (isInOrder || (order.back() == type.getRank() - 1 && type.getShape().back() % block == 0));
}

/// Adds `expr`, a sum of loops times constants and a constant, to `strides` and `offset`.
static bool collectTerms(AffineExpr expr, SmallVectorImpl<std::pair<int64_t, unsigned>> &strides,
                         int64_t &offset) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    offset += constant.getValue();
    return true;
  }
  if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
    strides.push_back({1, loop.getPosition()});
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (binary.getKind() == AffineExprKind::Add)
    return collectTerms(binary.getLHS(), strides, offset) &&
           collectTerms(binary.getRHS(), strides, offset);
  auto loop = dyn_cast<AffineDimExpr>(binary.getLHS());
  auto stride = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (binary.getKind() != AffineExprKind::Mul || !loop || !stride)
    return false;
  strides.push_back({stride.getValue(), loop.getPosition()});
  return true;
}

/// How `expr` reads an axis of `size` features, where it reads each element of a range once:
/// `W[h * dk + k]` is heads of dk features, `W[d + k]` the features from d on.
static std::optional<Feature> matchFeature(const Contraction &product, AffineExpr expr,
                                           int64_t size) {
  Feature feature;
  if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
    feature.length = product.extents[loop.getPosition()];
    feature.loops.push_back(loop.getPosition());
    feature.extents.push_back(feature.length);
  } else {
    SmallVector<std::pair<int64_t, unsigned>> strides;
    if (!collectTerms(expr, strides, feature.offset))
      return std::nullopt;
    llvm::sort(strides);
    for (auto [stride, loop] : strides) {
      int64_t extent = product.extents[loop];
      if (stride != feature.length || ShapedType::isDynamic(extent) ||
          llvm::MulOverflow(feature.length, extent, feature.length))
        return std::nullopt;
      feature.loops.insert(feature.loops.begin(), loop);
      feature.extents.insert(feature.extents.begin(), extent);
    }
  }
  if (feature.offset < 0 || feature.length < 1 || feature.length > size ||
      feature.offset > size - feature.length)
    return std::nullopt;
  return feature;
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
  std::optional<unsigned> head;
  for (unsigned loop = 0; loop < product.loops(); ++loop) {
    bool inX = x.uses(loop), inWeight = weight.uses(loop);
    if (product.isSummed(loop) && !(inX && inWeight)) {
      why = "a summed index isn't one of both the weight and the activation";
      return std::nullopt;
    }
    if (!product.isSummed(loop) && !inX && !inWeight) {
      why = "an index of the result is one of neither the weight nor the activation";
      return std::nullopt;
    }
    if (!product.isSummed(loop) && inX && inWeight) {
      if (head || !weight.axisOf(loop)) {
        why = "more than one plain index of both the weight and the activation isn't summed over";
        return std::nullopt;
      }
      head = loop;
    }
  }

  SmallVector<int64_t> contracted;
  for (auto [axis, loop] : llvm::enumerate(*rows))
    if (!product.isSummed(loop) && head != loop) {
      axes.rowOrder.push_back(axis);
      axes.rows.push_back(loop);
    }
  if (head) {
    axes.perHead = true;
    axes.rowOrder.push_back(*x.axisOf(*head));
    axes.rows.push_back(*head);
    axes.weightOrder.push_back(*weight.axisOf(*head));
  }
  ArrayRef<int64_t> sizes = cast<RankedTensorType>(weight.value.getType()).getShape();
  llvm::SmallDenseSet<unsigned> seen;
  for (auto [axis, expr] : llvm::enumerate(weight.map.getResults())) {
    if (head && static_cast<int64_t>(axis) == axes.weightOrder.front())
      continue;
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (loop && product.isSummed(loop.getPosition()) && seen.insert(loop.getPosition()).second) {
      contracted.push_back(axis);
      axes.rowOrder.push_back(*x.axisOf(loop.getPosition()));
      continue;
    }
    std::optional<Feature> feature = matchFeature(product, expr, sizes[axis]);
    if (!feature || !llvm::all_of(feature->loops, [&](unsigned of) {
          return !product.isSummed(of) && head != of && seen.insert(of).second;
        })) {
      why = "an axis of the weight is indexed by more than one range of features or one summed "
            "index";
      return std::nullopt;
    }
    axes.weightOrder.push_back(axis);
    axes.features.push_back(*feature);
  }
  if (axes.features.empty()) {
    why = head ? "the weight has heads and summed axes only" : "the weight has summed axes only";
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

/// The features of a projection that the formula reads, each of its loops an axis.
static Value chosenFeatures(RewriterBase &rewriter, Location loc, Value all,
                            const ProjectedAxes &axes) {
  auto type = cast<RankedTensorType>(all.getType());
  int64_t rows = axes.rows.size();
  SmallVector<OpFoldResult> offsets(rows, rewriter.getIndexAttr(0)), sizes, expandedSizes;
  for (int64_t axis = 0; axis < rows; ++axis)
    sizes.push_back(extentOf(rewriter, loc, all, axis));
  expandedSizes = sizes;
  SmallVector<int64_t> sliced(type.getShape().take_front(rows)), expanded(sliced);
  SmallVector<ReassociationIndices> groups;
  for (int64_t axis = 0; axis < rows; ++axis)
    groups.push_back({axis});
  bool isSliced = false;
  for (auto [place, feature] : llvm::enumerate(axes.features)) {
    isSliced |= feature.length != type.getDimSize(rows + place) || feature.loops.empty();
    offsets.push_back(rewriter.getIndexAttr(feature.offset));
    sizes.push_back(rewriter.getIndexAttr(feature.length));
    if (feature.loops.empty())
      continue;
    sliced.push_back(feature.length);
    groups.emplace_back();
    for (int64_t extent : feature.extents) {
      groups.back().push_back(expanded.size());
      expanded.push_back(extent);
      expandedSizes.push_back(rewriter.getIndexAttr(extent));
    }
  }
  Type element = type.getElementType();
  Value result = all;
  if (isSliced) {
    SmallVector<OpFoldResult> strides(sizes.size(), rewriter.getIndexAttr(1));
    result = tensor::ExtractSliceOp::create(rewriter, loc, RankedTensorType::get(sliced, element),
                                            all, offsets, sizes, strides);
  }
  if (expanded.size() != sliced.size())
    result = tensor::ExpandShapeOp::create(rewriter, loc, RankedTensorType::get(expanded, element),
                                           result, groups, expandedSizes);
  return result;
}

bool recogniseProjection(RewriterBase &rewriter, const Contraction &product) {
  const Factor &weight = product.factors[product.factors[0].isWeight() ? 0 : 1];
  const Factor &x = product.factors[product.factors[0].isWeight() ? 1 : 0];
  auto source = weight.value.getDefiningOp<DequantizeOp>().getWeight().getDefiningOp<GetWeightOp>();
  if (!source)
    return false;

  StringRef why;
  std::optional<ProjectedAxes> axes = matchAxes(product, weight, x, why);
  if (axes && !canBeLaidOut(source.getType(), axes->weightOrder, axes->contracted)) {
    why = "its storage's blocks don't make up rows of summed indices";
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
  llvm::append_range(shape,
                     weightShape.drop_back(axes->contracted).drop_front(axes->perHead ? 1 : 0));
  Value result =
      ProjectOp::create(rewriter, loc, RankedTensorType::get(shape, rewriter.getF32Type()),
                        Role::Linear, rows, ordered, axes->contracted, axes->perHead)
          .getResult();
  result = chosenFeatures(rewriter, loc, result, *axes);

  SmallVector<int64_t> order(product.parallel);
  int64_t axis = 0;
  for (unsigned loop : axes->rows)
    order[loop] = axis++;
  for (const Feature &feature : axes->features)
    for (unsigned loop : feature.loops)
      order[loop] = axis++;
  result = arrangeAxes(rewriter, loc, result, order);
  rewriter.replaceOp(product.op, scaleTensor(rewriter, loc, result, product.scale));
  return true;
}

} // namespace heed::attn
