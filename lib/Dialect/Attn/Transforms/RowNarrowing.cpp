//===- RowNarrowing.cpp - computes some rows instead of all ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowNarrowing.h"

#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace heed::attn;

std::optional<int64_t> heed::attn::rowAxisOf(tensor::ExtractSliceOp slice) {
  int64_t rank = slice.getSourceType().getRank();
  if (!slice.hasUnitStride() || rank == 0 || slice.getType().getRank() != rank)
    return std::nullopt;
  std::optional<int64_t> rows;
  for (int64_t axis = 0; axis < rank; ++axis) {
    // A size known when compiling that the slice has too is taken whole; others are rows.
    bool isWhole = isConstantIntValue(slice.getMixedOffsets()[axis], 0) &&
                   !slice.getSourceType().isDynamicDim(axis) &&
                   slice.getSourceType().getDimSize(axis) == slice.getType().getDimSize(axis);
    if (isWhole)
      continue;
    if (rows)
      return std::nullopt;
    rows = axis;
  }
  return rows.value_or(0);
}

RowNarrowing::RowNarrowing(tensor::ExtractSliceOp slice, int64_t axis)
    : rewriter(slice), first(slice.getMixedOffsets()[axis]), count(slice.getMixedSizes()[axis]) {
  slices[slice] = axis;
}

Value RowNarrowing::sliceOf(Value whole, int64_t axis) {
  auto type = cast<RankedTensorType>(whole.getType());
  Location loc = whole.getLoc();
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = ShapedType::kDynamic;
  // The size along `axis` is not asked for: that would be a use of the whole.
  SmallVector<OpFoldResult> sizes;
  for (int64_t other = 0; other < type.getRank(); ++other)
    sizes.push_back(other == axis ? count : extentOf(rewriter, loc, whole, other));
  auto empty = [&] {
    return tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType()).getResult();
  };
  // What all rows share is made anew, wherever the whole of it stands.
  if (whole.getDefiningOp<tensor::EmptyOp>())
    return empty();
  if (auto fill = whole.getDefiningOp<linalg::FillOp>();
      fill && fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>())
    return linalg::FillOp::create(rewriter, loc, fill.getInputs(), ValueRange{empty()})
        ->getResult(0);
  SmallVector<OpFoldResult> offsets(type.getRank(), rewriter.getIndexAttr(0)),
      strides(type.getRank(), rewriter.getIndexAttr(1));
  offsets[axis] = first;
  auto slice = tensor::ExtractSliceOp::create(rewriter, loc, type.clone(shape), whole, offsets,
                                              sizes, strides);
  slices[slice] = axis;
  return slice;
}

void RowNarrowing::shiftRow(Value index) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(index);
  Value start = getValueOrCreateConstantIndexOp(rewriter, index.getLoc(), first);
  auto shifted = arith::AddIOp::create(rewriter, index.getLoc(), start, index);
  rewriter.replaceAllUsesExcept(index, shifted, shifted);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// A copy of `op`, whose result has any number of rows along `axis`, with `operands`.
template <typename Op>
static Op cloneNarrow(RewriterBase &rewriter, Op op, int64_t axis, ValueRange operands) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = ShapedType::kDynamic;
  return cast<Op>(mlir::clone(rewriter, op, TypeRange{type.clone(shape)}, operands));
}

Value RowNarrowing::narrowedEmbed(EmbedOp op, int64_t axis) {
  if (axis != 0 || !op.getResult() || op.getInto())
    return {};
  Value ids = sliceOf(op.getIds(), 0);
  return cloneNarrow(rewriter, op, axis, {ids, op.getTable()}).getResult();
}

Value RowNarrowing::narrowedProject(ProjectOp op, int64_t axis) {
  if (!op.getResult() || op.getInto() || op.getScales() || !op.getJoined().empty() ||
      op.getHeadsFirst())
    return {};
  int64_t kept = cast<RankedTensorType>(op.getX().getType()).getRank() - op.getContracted();
  if (axis >= kept - (op.getPerHead() ? 1 : 0))
    return {};
  SmallVector<Value> operands(op->getOperands());
  operands[0] = sliceOf(op.getX(), axis);
  return cloneNarrow(rewriter, op, axis, operands).getResult();
}

Value RowNarrowing::narrowedLinalg(linalg::LinalgOp op, int64_t axis) {
  if (!op.hasPureTensorSemantics() || op->getNumResults() != 1)
    return {};
  AffineMap resultMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  auto row = dyn_cast<AffineDimExpr>(resultMap.getResult(axis));
  if (!row || op.getIteratorTypesArray()[row.getPosition()] != utils::IteratorType::parallel)
    return {};
  // Each operand is read at the row itself or has nothing to do with it.
  SmallVector<std::pair<unsigned, int64_t>> sliced;
  for (OpOperand &operand : op->getOpOperands())
    for (auto [operandAxis, index] :
         llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
      if (index == row)
        sliced.push_back({operand.getOperandNumber(), operandAxis});
      else if (index.isFunctionOfDim(row.getPosition()))
        return {};
    }
  SmallVector<Value> operands(op->getOperands());
  for (auto [operand, operandAxis] : sliced)
    operands[operand] = sliceOf(operands[operand], operandAxis);
  Operation *narrow = mlir::clone(rewriter, op, operands.back().getType(), operands);
  narrow->walk([&](linalg::IndexOp index) {
    if (index.getDim() == row.getPosition() && index->getParentOp() == narrow)
      shiftRow(index);
  });
  return narrow->getResult(0);
}

Value RowNarrowing::narrowedAttention(AttentionOp op, int64_t axis) {
  int64_t rank = cast<RankedTensorType>(op.getQ().getType()).getRank(), rowAxis = rank - 2;
  if (axis != (op.getRowsFirst() ? rowAxis - 1 : rowAxis))
    return {};
  SmallVector<Value> operands(op->getOperands());
  operands[0] = sliceOf(op.getQ(), rowAxis);
  if (op.getSink())
    operands[3] = sliceOf(op.getSink(), rowAxis);
  AttentionOp narrow = cloneNarrow(rewriter, op, axis, operands);
  // Both regions take i and j last.
  for (Region *region : {&narrow.getScore(), &narrow.getMask()})
    if (!region->empty())
      shiftRow(region->getArgument(region->getNumArguments() - 2));
  return narrow.getResult();
}

Value RowNarrowing::narrowedConcat(tensor::ConcatOp op, int64_t axis) {
  if (axis == static_cast<int64_t>(op.getDim()))
    return {};
  SmallVector<Value> inputs;
  for (Value input : op.getInputs())
    inputs.push_back(sliceOf(input, axis));
  return cloneNarrow(rewriter, op, axis, inputs).getResult();
}

Value RowNarrowing::narrowed(Operation *op, int64_t axis) {
  if (auto embed = dyn_cast<EmbedOp>(op))
    return narrowedEmbed(embed, axis);
  if (auto project = dyn_cast<ProjectOp>(op))
    return narrowedProject(project, axis);
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return narrowedLinalg(linalgOp, axis);
  if (auto attention = dyn_cast<AttentionOp>(op))
    return narrowedAttention(attention, axis);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op))
    return narrowedConcat(concat, axis);
  return {};
}

bool RowNarrowing::moveAbove(Operation *op) {
  if (op->getNumResults() != 1 || op->use_empty())
    return false;
  // Only slices may use the result, all of the same axis; new ops go where the first of them is.
  Operation *place = nullptr;
  std::optional<int64_t> axis;
  for (Operation *user : op->getUsers()) {
    auto slice = slices.find(user);
    if (slice == slices.end() || (axis && *axis != slice->second))
      return false;
    axis = slice->second;
    if (!place || user->isBeforeInBlock(place))
      place = user;
  }
  rewriter.setInsertionPoint(place);
  Value narrow = narrowed(op, *axis);
  if (!narrow)
    return false;
  for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
    slices.erase(user);
    rewriter.replaceOp(user, narrow);
  }
  rewriter.eraseOp(op);
  return true;
}

SmallVector<Value> RowNarrowing::getSources() const {
  SmallVector<Value> sources;
  for (Operation *slice : llvm::make_first_range(slices))
    sources.push_back(cast<tensor::ExtractSliceOp>(slice).getSource());
  return sources;
}
