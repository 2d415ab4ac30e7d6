//===- StepOps.cpp - the steps of one attention -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"
#include "Sinks.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace heed::attn;

//===----------------------------------------------------------------------===//
// ScoresOp
//===----------------------------------------------------------------------===//

LogicalResult ScoresOp::verify() {
  RankedTensorType q = getQ().getType(), k = getK().getType(), result = getResult().getType();
  if (failed(expectSameRank(*this, "q", q, "k", k)) ||
      failed(expectSameRank(*this, "q", q, "result", result))) // C1
    return failure();
  if (!mayBeEqual(q.getShape().back(), k.getShape().back())) // C2
    return emitOpError() << "k has vectors of " << k.getShape().back() << " components, expected "
                         << q.getShape().back() << " as q has";
  if (failed(expectGroupedHeads(*this, "q", q, "k", k))) // C3
    return failure();
  SmallVector<int64_t> expected(q.getShape().drop_back());
  expected.push_back(k.getDimSize(k.getRank() - 2));
  return expectShape(*this, "result", result, expected); // C4
}

LogicalResult ScoresOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  int64_t rows = getResult().getType().getRank() - 2;
  SmallVector<AxisOf> origins;
  for (int64_t axis = 0; axis <= rows; ++axis)
    origins.push_back({getQ(), axis});
  origins.push_back({getK(), rows});
  shapes.push_back(reifySizes(builder, getResult(), origins));
  return success();
}

//===----------------------------------------------------------------------===//
// MaskOp
//===----------------------------------------------------------------------===//

LogicalResult MaskOp::verifyRegions() {
  Block &predicate = getPredicate().front();
  int64_t rank = getScores().getType().getRank();
  auto isIndex = [](Type type) { return type.isIndex(); };
  if (predicate.getNumArguments() != rank ||
      !llvm::all_of(predicate.getArgumentTypes(), isIndex)) // C1
    return emitOpError() << "predicate takes (" << predicate.getArgumentTypes() << "), expected "
                         << rank << " of type index, one for each axis of the scores";
  TypeRange yielded = predicate.getTerminator()->getOperandTypes();
  if (yielded.size() != 1 || !yielded.front().isSignlessInteger(1)) // C2
    return emitOpError() << "predicate yields (" << yielded << "), expected one i1";
  for (Operation *user : getResult().getUsers())
    if (isa<linalg::LinalgOp, ScoresOp, WeighOp, ProjectOp>(user)) // C3
      return emitOpError() << "masked scores are read by '" << user->getName()
                           << "', expected attn.mask or attn.softmax only: a mask comes after "
                              "every modifier";
  return success();
}

/// A predicate that is true whatever the indices are hides nothing.
OpFoldResult MaskOp::fold(FoldAdaptor) {
  if (getPredicate().empty() || getPredicate().front().empty())
    return {};
  auto yield = dyn_cast<YieldOp>(getPredicate().front().back());
  if (yield && yield.getNumOperands() == 1 && matchPattern(yield.getOperand(0), m_One()))
    return getScores();
  return {};
}

LogicalResult MaskOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyAsOperand(builder, *this, getScores(), shapes);
}

void MaskOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  static constexpr StringRef kNames[] = {"b", "h", "i", "j"};
  ArrayRef<StringRef> names = kNames;
  Block::BlockArgListType arguments = region.getArguments();
  if (arguments.size() > names.size())
    return;
  // Without a batch the axis b is absent, without heads h too.
  for (auto [argument, name] : llvm::zip(arguments, names.take_back(arguments.size())))
    setName(argument, name);
}

//===----------------------------------------------------------------------===//
// SoftmaxOp
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxOp::verify() {
  int64_t dimension = getDimension(), rank = getScores().getType().getRank();
  if (dimension < 0 || dimension >= rank) // C1
    return emitOpError() << "normalises dimension " << dimension << ", expected one below " << rank
                         << ", the rank of the scores";
  if (!getSink())
    return success();
  SmallVector<int64_t> rows(getScores().getType().getShape());
  rows.erase(rows.begin() + dimension);
  return expectShape(*this, "sink", getSink().getType(), rows); // C2
}

LogicalResult SoftmaxOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  return reifyAsOperand(builder, *this, getScores(), shapes);
}

void SoftmaxOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropSinkWithoutWeight<SoftmaxOp>>(context);
}

//===----------------------------------------------------------------------===//
// WeighOp
//===----------------------------------------------------------------------===//

LogicalResult WeighOp::verify() {
  RankedTensorType pattern = getPattern().getType(), values = getValues().getType();
  RankedTensorType result = getResult().getType();
  if (failed(expectSameRank(*this, "pattern", pattern, "values", values)) ||
      failed(expectSameRank(*this, "pattern", pattern, "result", result))) // C1
    return failure();
  int64_t rows = pattern.getRank() - 2;
  if (!mayBeEqual(pattern.getShape().back(), values.getDimSize(rows))) // C2
    return emitOpError() << "values have " << values.getDimSize(rows) << " rows, expected "
                         << pattern.getShape().back() << ", the last size of the pattern";
  if (failed(expectGroupedHeads(*this, "pattern", pattern, "values", values))) // C3
    return failure();
  SmallVector<int64_t> expected(pattern.getShape().drop_back());
  expected.push_back(values.getShape().back());
  if (failed(expectShape(*this, "result", result, expected))) // C4
    return failure();
  Operation *above = getPattern().getDefiningOp();
  if (isa_and_present<ScoresOp, MaskOp>(above)) // C5
    return emitOpError() << "pattern is given by '" << above->getName()
                         << "', expected normalised scores: values are weighed after the softmax";
  return success();
}

LogicalResult WeighOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  int64_t rows = getResult().getType().getRank() - 2;
  SmallVector<AxisOf> origins;
  for (int64_t axis = 0; axis <= rows; ++axis)
    origins.push_back({getPattern(), axis});
  origins.push_back({getValues(), rows + 1});
  shapes.push_back(reifySizes(builder, getResult(), origins));
  return success();
}
