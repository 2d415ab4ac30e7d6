//===- NarrowResult.cpp - computes only the rows that are asked for -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step's result is a slice of all its rows. The slice is moved up through row-wise
// producers: an op of whose result only one slice is used is replaced by the same op
// on slices of its operands. Going through the function backwards, every use of an
// op's result has been seen before the op itself. An op that is also used whole is
// kept, as it is computed anyway; so are loops, whose rows the caches need, and
// attention, which ends the way up.
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

#define DEBUG_TYPE "attn-narrow-result"

namespace heed::attn {
#define GEN_PASS_DEF_NARROWRESULTPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

namespace {

class Narrowing {
public:
  /// `slice` takes rows along axis 0 of what the function returns.
  explicit Narrowing(tensor::ExtractSliceOp slice)
      : rewriter(slice), first(slice.getMixedOffsets()[0]), count(slice.getMixedSizes()[0]) {
    slices[slice] = 0;
  }

  /// Moves the slices above `op` if nothing else than one of them is used of its result.
  bool moveAbove(Operation *op);

private:
  /// The asked rows of `whole` along `axis`.
  Value sliceOf(Value whole, int64_t axis);
  Value narrowed(Operation *op, int64_t axis);
  Value narrowedProject(ProjectOp op, int64_t axis);
  Value narrowedLinalg(linalg::LinalgOp op, int64_t axis);

  IRRewriter rewriter;
  OpFoldResult first, count;
  /// The slices made so far that are still there, and the axis that each takes rows along.
  DenseMap<Operation *, int64_t> slices;
};

} // namespace

Value Narrowing::sliceOf(Value whole, int64_t axis) {
  auto type = cast<RankedTensorType>(whole.getType());
  Location loc = whole.getLoc();
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = ShapedType::kDynamic;
  // The size along `axis` is not asked for: that would be a use of the whole.
  SmallVector<OpFoldResult> sizes;
  for (int64_t other = 0; other < type.getRank(); ++other)
    sizes.push_back(other == axis ? count : tensor::getMixedSize(rewriter, loc, whole, other));
  if (whole.getDefiningOp<tensor::EmptyOp>())
    return tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
  SmallVector<OpFoldResult> offsets(type.getRank(), rewriter.getIndexAttr(0)),
      strides(type.getRank(), rewriter.getIndexAttr(1));
  offsets[axis] = first;
  auto slice = tensor::ExtractSliceOp::create(rewriter, loc, type.clone(shape), whole, offsets,
                                              sizes, strides);
  slices[slice] = axis;
  return slice;
}

Value Narrowing::narrowedProject(ProjectOp op, int64_t axis) {
  if (!op.getResult() || op.getInto())
    return {};
  int64_t kept = cast<RankedTensorType>(op.getX().getType()).getRank() - op.getContracted();
  if (axis >= kept)
    return {};
  Value x = sliceOf(op.getX(), axis);
  auto narrow = cast<ProjectOp>(rewriter.clone(*op));
  narrow.getXMutable().assign(x);
  return narrow.getResult();
}

Value Narrowing::narrowedLinalg(linalg::LinalgOp op, int64_t axis) {
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
    if (index.getDim() != row.getPosition() || index->getParentOp() != narrow)
      return;
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointAfter(index);
    Value start = getValueOrCreateConstantIndexOp(rewriter, index.getLoc(), first);
    auto shifted = arith::AddIOp::create(rewriter, index.getLoc(), start, index);
    rewriter.replaceAllUsesExcept(index, shifted, shifted);
  });
  return narrow->getResult(0);
}

Value Narrowing::narrowed(Operation *op, int64_t axis) {
  if (auto embed = dyn_cast<EmbedOp>(op)) {
    if (axis != 0 || !embed.getResult() || embed.getInto())
      return {};
    Value ids = sliceOf(embed.getIds(), 0);
    auto narrow = cast<EmbedOp>(rewriter.clone(*op));
    narrow.getIdsMutable().assign(ids);
    return narrow.getResult();
  }
  if (auto project = dyn_cast<ProjectOp>(op))
    return narrowedProject(project, axis);
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return narrowedLinalg(linalgOp, axis);
  return {};
}

bool Narrowing::moveAbove(Operation *op) {
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

namespace {

struct NarrowResultPass : heed::attn::impl::NarrowResultPassBase<NarrowResultPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    auto kind = func->getAttrOfType<StringAttr>("heed.kind");
    if (!kind || kind != "step" || !func.getBody().hasOneBlock())
      return;
    Operation *ret = func.front().getTerminator();
    if (ret->getNumOperands() == 0)
      return;
    auto slice = ret->getOperand(0).getDefiningOp<tensor::ExtractSliceOp>();
    if (!slice || !slice.hasUnitStride() || slice.getType().getRank() < 1 ||
        slice.getSourceType().getRank() != slice.getType().getRank())
      return;
    // The slice takes rows alone.
    for (int64_t axis = 1; axis < slice.getType().getRank(); ++axis)
      if (!isConstantIntValue(slice.getMixedOffsets()[axis], 0) ||
          slice.getSourceType().getDimSize(axis) != slice.getType().getDimSize(axis))
        return;
    SmallVector<Operation *> ops;
    for (Operation &op : func.front().without_terminator())
      ops.push_back(&op);
    Narrowing narrowing(slice);
    for (Operation *op : llvm::reverse(ops))
      if (op != slice && narrowing.moveAbove(op))
        ++numNarrowed;
  }
};

} // namespace
