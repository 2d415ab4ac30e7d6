//===- LowerCache.cpp - cache ops as slices of the cache ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

#define DEBUG_TYPE "attn-lower-cache"

namespace heed::attn {
#define GEN_PASS_DEF_LOWERCACHEPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

namespace {

/// The rows of one layer as a slice of a cache: [1, G, row count, w] at [layer, 0, first row, 0].
struct LayerSlice {
  SmallVector<OpFoldResult> offsets, sizes, strides;

  LayerSlice(OpBuilder &builder, RankedTensorType cache, Value layer, OpFoldResult firstRow,
             OpFoldResult rowCount) {
    int64_t rank = cache.getRank();
    offsets.assign(rank, builder.getIndexAttr(0));
    strides.assign(rank, builder.getIndexAttr(1));
    sizes.push_back(builder.getIndexAttr(1));
    for (int64_t size : cache.getShape().drop_front())
      sizes.push_back(builder.getIndexAttr(size));
    offsets[0] = layer;
    offsets[rank - 2] = firstRow;
    sizes[rank - 2] = rowCount;
  }
};

struct LowerCachePass : heed::attn::impl::LowerCachePassBase<LowerCachePass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](CacheAppendOp op) {
      rewriter.setInsertionPoint(op);
      auto rowsType = op.getRows().getType();
      OpFoldResult count =
          tensor::getMixedSize(rewriter, op.getLoc(), op.getRows(), rowsType.getRank() - 2);
      LayerSlice place(rewriter, op.getCache().getType(), op.getLayer(), op.getPast(), count);
      rewriter.replaceOpWithNewOp<tensor::InsertSliceOp>(op, op.getRows(), op.getCache(),
                                                         place.offsets, place.sizes, place.strides);
      ++numAppends;
    });
    getOperation()->walk([&](CacheReadOp op) {
      rewriter.setInsertionPoint(op);
      LayerSlice place(rewriter, op.getCache().getType(), op.getLayer(), rewriter.getIndexAttr(0),
                       op.getLength());
      rewriter.replaceOpWithNewOp<tensor::ExtractSliceOp>(
          op, op.getResult().getType(), op.getCache(), place.offsets, place.sizes, place.strides);
      ++numReads;
    });
  }
};

} // namespace
