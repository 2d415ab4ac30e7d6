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

LogicalResult CacheAppendOp::verify() {
  // C3 is the trait AllTypesMatch.
  return expectCacheOf(*this, "rows", getRows().getType(), getCache().getType());
}

LogicalResult CacheAppendOp::reifyResultShapes(OpBuilder &builder,
                                               ReifiedRankedShapedTypeDims &shapes) {
  return reifyAsOperand(builder, *this, getCache(), shapes);
}

LogicalResult CacheReadOp::verify() {
  RankedTensorType result = getResult().getType();
  if (failed(expectCacheOf(*this, "result", result, getCache().getType())))
    return failure();
  int64_t rows = result.getDimSize(result.getRank() - 2);
  if (!ShapedType::isDynamic(rows)) // C3
    return emitOpError() << "result has " << rows << " rows, expected ?: as many as 'length' says";
  return success();
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
