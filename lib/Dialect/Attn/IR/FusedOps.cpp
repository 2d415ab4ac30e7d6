//===- FusedOps.cpp - one attention as one op, and one tile of it -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"
#include "Sinks.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace heed::attn;

//===----------------------------------------------------------------------===//
// The regions, which both ops have
//===----------------------------------------------------------------------===//

/// Both regions are given `indices` indices.
static LogicalResult expectScoreAndMask(Operation *op, Region &score, Region &mask,
                                        unsigned indices) {
  Builder builder(op->getContext());
  Type f32 = builder.getF32Type();
  SmallVector<Type> ofMask(indices, builder.getIndexType()), ofScore(ofMask);
  ofScore.insert(ofScore.begin(), f32);
  if (failed(expectRegion(op, "score", score, ofScore, f32)))
    return failure();
  return expectRegion(op, "mask", mask, ofMask, builder.getI1Type());
}

/// %s for the score, and the indices as formulas spell them: h, i and j, with a batch b before
/// them.
static void nameArguments(Region &region, bool isScore, OpAsmSetValueNameFn setName) {
  static constexpr StringRef kNames[] = {"b", "h", "i", "j"};
  Block::BlockArgListType indices = region.getArguments();
  if (isScore && !indices.empty()) {
    setName(indices.front(), "s");
    indices = indices.drop_front();
  }
  if (indices.size() > std::size(kNames))
    return;
  for (auto [argument, name] : llvm::zip(indices, ArrayRef(kNames).take_back(indices.size())))
    setName(argument, name);
}

/// What the region yields; null where it is absent.
static Value yielded(Region &region) {
  return region.empty() ? Value() : region.front().getTerminator()->getOperand(0);
}

static void clear(RewriterBase &rewriter, Region &region) {
  for (Block &block : llvm::make_early_inc_range(region))
    rewriter.eraseBlock(&block);
}

namespace {

/// Drops a score region that yields its score, and a mask region that yields true.
template <typename Op> struct DropRegionsWithoutEffect : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Value score = yielded(op.getScore()), visible = yielded(op.getMask());
    bool sameScore = score && score == op.getScore().getArgument(0);
    bool showsAll = visible && matchPattern(visible, m_One());
    if (!sameScore && !showsAll)
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      if (sameScore)
        clear(rewriter, op.getScore());
      if (showsAll)
        clear(rewriter, op.getMask());
    });
    return success();
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// AttentionOp
//===----------------------------------------------------------------------===//

LogicalResult AttentionOp::verify() {
  RankedTensorType q = getQ().getType(), k = getK().getType(), v = getV().getType();
  if (failed(expectSameRank(*this, "q", q, "k", k)) ||
      failed(expectSameRank(*this, "q", q, "v", v))) // C1
    return failure();
  int64_t rows = q.getRank() - 2;
  if (getBf16() && !q.isDynamicDim(rows + 1) && q.getShape().back() % 2 != 0) // C7
    return emitOpError() << "multiplies vectors of " << q.getShape().back()
                         << " components in pairs, expected an even number of them";
  if (!mayBeEqual(q.getShape().back(), k.getShape().back())) // C2
    return emitOpError() << "k has vectors of " << k.getShape().back() << " components, expected "
                         << q.getShape().back() << " as q has";
  if (!llvm::all_of_zip(k.getShape().drop_back(), v.getShape().drop_back(), mayBeEqual)) // C2
    return emitOpError() << "v has heads and rows " << shapeText(v.getShape().drop_back())
                         << ", expected " << shapeText(k.getShape().drop_back()) << " as k has";
  if (failed(expectGroupedHeads(*this, "q", q, "k", k))) // C3
    return failure();
  SmallVector<int64_t> expected(q.getShape().drop_back());
  if (getSink() && failed(expectShape(*this, "sink", getSink().getType(), expected))) // C6
    return failure();
  expected.push_back(v.getShape().back());
  if (getRowsFirst()) {
    if (rows == 0) // C4
      return emitOpError() << "has rows_first without heads, expected rank 3 or 4";
    std::swap(expected[rows - 1], expected[rows]);
  }
  return expectShape(*this, "result", getResult().getType(), expected); // C4
}

LogicalResult AttentionOp::verifyRegions() {
  unsigned indices = std::max<unsigned>(3, getQ().getType().getRank());
  return expectScoreAndMask(*this, getScore(), getMask(), indices); // C5
}

LogicalResult AttentionOp::reifyResultShapes(OpBuilder &builder,
                                             ReifiedRankedShapedTypeDims &shapes) {
  int64_t rows = getResult().getType().getRank() - 2;
  SmallVector<AxisOf> origins;
  for (int64_t axis = 0; axis <= rows; ++axis)
    origins.push_back({getQ(), axis});
  origins.push_back({getV(), rows + 1});
  if (getRowsFirst())
    std::swap(origins[rows - 1], origins[rows]);
  shapes.push_back(reifySizes(builder, getResult(), origins));
  return success();
}

void AttentionOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  nameArguments(region, &region == &getScore(), setName);
}

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropRegionsWithoutEffect<AttentionOp>, DropSinkWithoutWeight<AttentionOp>>(context);
}

//===----------------------------------------------------------------------===//
// OnlineAttentionOp
//===----------------------------------------------------------------------===//

LogicalResult OnlineAttentionOp::verify() {
  auto q = cast<ShapedType>(getQ().getType()), k = cast<ShapedType>(getK().getType());
  auto v = cast<ShapedType>(getV().getType());
  if (q.getRank() != 2 || k.getRank() != 2 || v.getRank() != 2) // C1
    return emitOpError() << "q, k and v have ranks " << q.getRank() << ", " << k.getRank()
                         << " and " << v.getRank() << ", expected 2 each";
  int64_t depth = q.getDimSize(0), lanes = q.getDimSize(1);
  if (getLanesFirst())
    std::swap(depth, lanes);
  if (isPaired()) {
    bool isWhole = ShapedType::isDynamic(lanes) || lanes % 2 == 0;
    if (getLanesFirst() || !isWhole) // C1
      return emitOpError() << "q is of type " << q
                           << ", expected pairs of bf16, without lanes_first";
    depth = ShapedType::isDynamic(depth) ? depth : 2 * depth;
    lanes = ShapedType::isDynamic(lanes) ? lanes : lanes / 2;
  }
  for (auto [name, type] : {std::pair("k", k), std::pair("v", v)})
    if (type.getElementType() != q.getElementType()) // C1
      return emitOpError() << name << " is of type " << type << ", expected elements as in q, "
                           << q.getElementType();
  int64_t keys = k.getDimSize(0), valueRows = keys;
  int64_t width = v.getDimSize(1), valueColumns = width;
  if (isPaired()) {
    valueRows = ShapedType::isDynamic(keys) ? keys : llvm::divideCeil(keys, 2);
    width = ShapedType::isDynamic(width) ? width : width / 2;
    valueColumns = ShapedType::isDynamic(width) ? width : 2 * width;
  }
  if (ShapedType::isDynamic(lanes)) // C1
    return emitOpError() << "q has ? lanes, expected a constant number of them";
  if (failed(expectShape(*this, "k", k, {keys, depth})) ||
      failed(expectShape(*this, "v", v, {valueRows, valueColumns})) ||
      failed(expectShape(*this, "acc", getAcc().getType(),
                         getLanesFirst() ? ArrayRef{lanes, width} : ArrayRef{width, lanes})) ||
      failed(expectShape(*this, "max", getMax().getType(), {lanes})) ||
      failed(expectShape(*this, "sum", getSum().getType(), {lanes})) ||
      failed(expectShape(*this, "heads", getHeads().getType(), {lanes})) ||
      failed(expectShape(*this, "rows", getRows().getType(), {lanes}))) // C1
    return failure();

  Type made[] = {getAcc().getType(), getMax().getType(), getSum().getType()};
  if (failed(expectResultsLike(*this, made, "acc, max and sum"))) // C3
    return failure();

  int64_t tile = getKeyTile();
  if (tile <= 0) // C4
    return emitOpError() << "has key_tile " << tile << ", expected a positive number";
  if (!ShapedType::isDynamic(keys) && keys > tile) // C4
    return emitOpError() << "has key_tile " << tile << ", expected at least the " << keys
                         << " rows of k";
  return success();
}

LogicalResult OnlineAttentionOp::verifyRegions() {
  return expectScoreAndMask(*this, getScore(), getMask(), 3); // C2
}

void OnlineAttentionOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  nameArguments(region, &region == &getScore(), setName);
}

void OnlineAttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                                    MLIRContext *context) {
  patterns.add<DropRegionsWithoutEffect<OnlineAttentionOp>>(context);
}
