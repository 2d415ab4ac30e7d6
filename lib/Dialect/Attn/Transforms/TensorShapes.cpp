//===- TensorShapes.cpp - extents and layouts of tensors in a pass -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace heed::attn {

namespace {
/// An axis of a tensor; `tensor` is null where there is none.
struct Axis {
  Value tensor;
  int64_t axis = 0;
};
} // namespace

/// An axis of an operand that is as long as `of`, for the ops whose shapes follow their operands'.
/// A loop over layers keeps its tensors' shapes, as `+=` in a formula does.
static Axis originOf(Axis of) {
  int64_t axis = of.axis;
  if (auto argument = dyn_cast<BlockArgument>(of.tensor)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop || argument == loop.getInductionVar())
      return {};
    return {loop.getTiedLoopInit(argument)->get(), axis};
  }
  Operation *op = of.tensor.getDefiningOp();
  unsigned number = cast<OpResult>(of.tensor).getResultNumber();
  return TypeSwitch<Operation *, Axis>(op)
      .Case([&](DestinationStyleOpInterface made) {
        return Axis{made.getDpsInitOperand(number)->get(), axis};
      })
      .Case([&](scf::ForOp loop) { return Axis{loop.getInitArgs()[number], axis}; })
      .Case([&](scf::IfOp choice) {
        // Both ways give the same shape; what was there before them can tell it.
        for (Axis at{choice.thenYield().getOperand(number), axis}; at.tensor; at = originOf(at))
          if (!choice->isAncestor(at.tensor.getParentBlock()->getParentOp()))
            return at;
        return Axis{};
      })
      .Case([&](MaskOp mask) { return Axis{mask.getScores(), axis}; })
      .Case([&](SoftmaxOp softmax) { return Axis{softmax.getScores(), axis}; })
      .Case([&](ScoresOp scores) {
        int64_t rank = scores.getResult().getType().getRank();
        return axis == rank - 1 ? Axis{scores.getK(), rank - 2} : Axis{scores.getQ(), axis};
      })
      .Case([&](WeighOp weigh) {
        bool isWidth = axis == weigh.getResult().getType().getRank() - 1;
        return Axis{isWidth ? weigh.getValues() : weigh.getPattern(), axis};
      })
      .Case([&](ProjectOp project) { return Axis{project.getX(), axis}; })
      .Case([&](EmbedOp embed) { return Axis{embed.getIds(), axis}; })
      .Case([&](AttentionOp attention) {
        int64_t rows = cast<RankedTensorType>(attention.getResult().getType()).getRank() - 2;
        if (axis > rows)
          return Axis{attention.getV(), axis};
        if (attention.getRowsFirst() && axis >= rows - 1)
          axis = axis == rows ? rows - 1 : rows;
        return Axis{attention.getQ(), axis};
      })
      .Default([](Operation *) { return Axis{}; });
}

/// The size of this axis, where the op that makes the tensor is given it.
static std::optional<OpFoldResult> givenSize(Axis of) {
  if (auto empty = of.tensor.getDefiningOp<tensor::EmptyOp>())
    return OpFoldResult(empty.getDynamicSize(of.axis));
  if (auto expand = of.tensor.getDefiningOp<tensor::ExpandShapeOp>())
    return expand.getMixedOutputShape()[of.axis];
  auto slice = of.tensor.getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice)
    return std::nullopt;
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  int64_t axis = 0;
  for (auto [place, size] : llvm::enumerate(slice.getMixedSizes()))
    if (!dropped.test(place) && axis++ == of.axis)
      return size;
  return std::nullopt;
}

/// A `tensor.dim` of this axis that `builder` may use, where there is one.
static Value dimInScope(OpBuilder &builder, Axis of) {
  for (Operation *user : of.tensor.getUsers()) {
    auto dim = dyn_cast<tensor::DimOp>(user);
    if (!dim || dim.getConstantIndex() != std::optional<int64_t>(of.axis))
      continue;
    Block *block = builder.getInsertionBlock();
    if (dim->getBlock() == block) {
      if (builder.getInsertionPoint() == block->end() ||
          dim->isBeforeInBlock(&*builder.getInsertionPoint()))
        return dim;
      continue;
    }
    Operation *ancestor = dim->getBlock()->findAncestorOpInBlock(*block->getParentOp());
    if (ancestor && dim->isBeforeInBlock(ancestor))
      return dim;
  }
  return {};
}

OpFoldResult extentOf(OpBuilder &builder, Location loc, Value tensor, int64_t axis) {
  for (Axis at{tensor, axis};;) {
    auto type = cast<RankedTensorType>(at.tensor.getType());
    if (!type.isDynamicDim(at.axis))
      return builder.getIndexAttr(type.getDimSize(at.axis));
    if (std::optional<OpFoldResult> size = givenSize(at))
      return *size;
    if (Value dim = dimInScope(builder, at))
      return dim;
    Axis origin = originOf(at);
    if (!origin.tensor) {
      Value dim = tensor::DimOp::create(builder, loc, at.tensor, at.axis);
      return dim;
    }
    at = origin;
  }
}

Value emptyTensor(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes) {
  return tensor::EmptyOp::create(builder, loc, sizes, builder.getF32Type());
}

Value filledTensor(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Value value) {
  Value empty = emptyTensor(builder, loc, sizes);
  return linalg::FillOp::create(builder, loc, ValueRange{value}, ValueRange{empty})->getResult(0);
}

Value floatConstant(OpBuilder &builder, Location loc, double value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
}

Value arrangeAxes(OpBuilder &builder, Location loc, Value tensor, ArrayRef<int64_t> order) {
  if (llvm::equal(order, llvm::seq<int64_t>(order.size())))
    return tensor;
  SmallVector<OpFoldResult> sizes;
  for (int64_t axis : order)
    sizes.push_back(extentOf(builder, loc, tensor, axis));
  Type element = getElementTypeOrSelf(tensor.getType());
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, element);
  return linalg::TransposeOp::create(builder, loc, tensor, empty, order)->getResult(0);
}

Value roundToBf16(OpBuilder &builder, Location loc, Value tensor) {
  Type bf16 = builder.getBF16Type();
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  Value into =
      tensor::EmptyOp::create(builder, loc, tensor::getMixedSizes(builder, loc, tensor), bf16);
  SmallVector<AffineMap> maps(2, builder.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, TypeRange{into.getType()}, ValueRange{tensor},
                                   ValueRange{into}, maps, loops,
                                   [&](OpBuilder &body, Location, ValueRange elements) {
                                     Value narrow =
                                         arith::TruncFOp::create(body, loc, bf16, elements[0]);
                                     linalg::YieldOp::create(body, loc, narrow);
                                   })
      .getResult(0);
}

bool hasStaticTiles(RankedTensorType q, RankedTensorType tensor) {
  int64_t rank = q.getRank();
  if (tensor.getRank() != rank || tensor.isDynamicDim(rank - 1))
    return false;
  if (rank == 2)
    return true;
  if (rank == 3 && q.isDynamicDim(0))
    return tensor.isDynamicDim(0) || tensor.getDimSize(0) == 1;
  return !tensor.isDynamicDim(rank - 3);
}

Value scaleTensor(OpBuilder &builder, Location loc, Value tensor, double factor) {
  if (factor == 1)
    return tensor;
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  SmallVector<OpFoldResult> sizes;
  for (int64_t axis = 0; axis < rank; ++axis)
    sizes.push_back(extentOf(builder, loc, tensor, axis));
  Value empty = emptyTensor(builder, loc, sizes);
  Value scale = floatConstant(builder, loc, factor);
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, TypeRange{empty.getType()}, ValueRange{tensor}, ValueRange{empty},
             ArrayRef<AffineMap>{identity, identity}, loops,
             [&](OpBuilder &body, Location at, ValueRange args) {
               Value product = arith::MulFOp::create(body, at, args[0], scale);
               linalg::YieldOp::create(body, at, product);
             })
      ->getResult(0);
}

} // namespace heed::attn
