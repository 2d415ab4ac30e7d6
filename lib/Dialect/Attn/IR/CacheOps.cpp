//===- CacheOps.cpp - the keys and values of earlier rows -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

using namespace mlir;
using namespace heed::attn;

/// Checks a cache `[layers, G, capacity, w]` against the rows `[G, n, w]` that it holds for one
/// layer; `G` is absent without heads. Constraints C1 and C2 of both ops.
static LogicalResult expectCacheOf(Operation *op, StringRef nameOfRows, RankedTensorType rows,
                                   RankedTensorType cache) {
  if (rows.getRank() != 2 && rows.getRank() != 3) // C1
    return op->emitOpError() << nameOfRows << " has rank " << rows.getRank()
                             << ", expected 2, or 3 with heads";
  if (cache.getRank() != rows.getRank() + 1) // C1
    return op->emitOpError() << "cache has rank " << cache.getRank() << ", expected "
                             << rows.getRank() + 1 << ", one more than " << nameOfRows << " has";
  SmallVector<int64_t> expected(rows.getShape());
  expected[rows.getRank() - 2] = ShapedType::kDynamic;     // the capacity is the caller's
  expected.insert(expected.begin(), ShapedType::kDynamic); // and so are the layers
  return expectShape(op, "cache", cache, expected);        // C2
}

/// Checks that there are scales `[layers, G, capacity, 1]` exactly where the cache is of i8.
/// Constraints C3 of appending and C4 of reading.
static LogicalResult expectScalesOf(Operation *op, RankedTensorType cache, Value scales) {
  bool needed = cache.getElementType().isInteger(8);
  if (needed && !scales)
    return op->emitOpError() << "cache " << cache
                             << " is without scales, expected those of its rows";
  if (!needed && scales)
    return op->emitOpError() << "cache " << cache << " has scales, expected them with i8 alone";
  if (!needed)
    return success();
  auto type = cast<RankedTensorType>(scales.getType());
  SmallVector<int64_t> expected(cache.getShape());
  expected.back() = 1;
  return expectShape(op, "scales", type, expected);
}

LogicalResult CacheAppendOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                              CacheAppendOp::Adaptor operands,
                                              SmallVectorImpl<Type> &types) {
  types.push_back(operands.getCache().getType());
  if (Value scales = operands.getScales())
    types.push_back(scales.getType());
  return success();
}

LogicalResult CacheAppendOp::verify() {
  if (failed(expectCacheOf(*this, "rows", getRows().getType(), getCache().getType())))
    return failure();
  return expectScalesOf(*this, getCache().getType(), getScales());
}

LogicalResult CacheAppendOp::reifyResultShapes(OpBuilder &builder,
                                               ReifiedRankedShapedTypeDims &shapes) {
  if (failed(reifyAsOperand(builder, *this, getCache(), shapes)))
    return failure();
  if (!getScales())
    return success();
  SmallVector<AxisOf> origins;
  for (int64_t axis = 0; axis < getCache().getType().getRank(); ++axis)
    origins.push_back({getScales(), axis});
  shapes.push_back(reifySizes(builder, getNewScales(), origins));
  return success();
}

LogicalResult CacheReadOp::verify() {
  RankedTensorType result = getResult().getType();
  if (failed(expectCacheOf(*this, "result", result, getCache().getType())))
    return failure();
  int64_t rows = result.getDimSize(result.getRank() - 2);
  if (!ShapedType::isDynamic(rows)) // C3
    return emitOpError() << "result has " << rows << " rows, expected ?: as many as 'length' says";
  return expectScalesOf(*this, getCache().getType(), getScales());
}

LogicalResult CacheReadOp::reifyResultShapes(OpBuilder &builder,
                                             ReifiedRankedShapedTypeDims &shapes) {
  // The rows are the length, whatever is given here for them; heads and width are the cache's.
  int64_t rank = getResult().getType().getRank();
  SmallVector<AxisOf> origins;
  for (int64_t axis = 0; axis < rank; ++axis)
    origins.push_back({getCache(), axis + 1});
  SmallVector<OpFoldResult> sizes = reifySizes(builder, getResult(), origins);
  sizes[rank - 2] = getLength();
  shapes.push_back(std::move(sizes));
  return success();
}
