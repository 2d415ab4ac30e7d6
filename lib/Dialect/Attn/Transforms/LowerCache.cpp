//===- LowerCache.cpp - cache ops as slices of the cache ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A cache of f32 that isn't a ring is read where it lies, as one slice. Any other
// is read slice by slice: those of a tile of attention become rows of the cache,
// and whatever reads more gets a copy.
//
//===----------------------------------------------------------------------===//

#include "CacheElements.h"
#include "RowSpan.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

#define DEBUG_TYPE "attn-lower-cache"

namespace heed::attn {
#define GEN_PASS_DEF_LOWERCACHEPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

/// The number of rows that a ring holds; nothing for a cache that holds a whole context.
static std::optional<int64_t> ringOf(RankedTensorType cache) {
  int64_t capacity = cache.getDimSize(cache.getRank() - 2);
  return ShapedType::isDynamic(capacity) ? std::nullopt : std::optional(capacity);
}

//===----------------------------------------------------------------------===//
// Appending
//===----------------------------------------------------------------------===//

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

} // namespace

/// `rows`, of the cache's element type, stored from row `past` of `layer` on.
static Value insertRows(OpBuilder &builder, Location loc, Value rows, Value cache, Value layer,
                        Value past) {
  auto type = cast<RankedTensorType>(cache.getType());
  auto rowsType = cast<RankedTensorType>(rows.getType());
  int64_t rowAxis = rowsType.getRank() - 2;
  OpFoldResult count = tensor::getMixedSize(builder, loc, rows, rowAxis);
  auto insert = [&](Value part, Value into, OpFoldResult first, OpFoldResult partCount) {
    LayerSlice place(builder, type, layer, first, partCount);
    return tensor::InsertSliceOp::create(builder, loc, part, into, place.offsets, place.sizes,
                                         place.strides);
  };
  std::optional<int64_t> ring = ringOf(type);
  if (!ring)
    return insert(rows, cache, past, count);

  Value capacity = arith::ConstantIndexOp::create(builder, loc, *ring);
  Value first = arith::RemUIOp::create(builder, loc, past, capacity);
  Value all = getValueOrCreateConstantIndexOp(builder, loc, count);
  Value head = arith::MinUIOp::create(builder, loc, all,
                                      arith::SubIOp::create(builder, loc, capacity, first));
  Value rest = arith::SubIOp::create(builder, loc, all, head);
  auto partOf = [&](OpFoldResult begin, Value partCount) -> Value {
    SmallVector<OpFoldResult> offsets(rowsType.getRank(), builder.getIndexAttr(0)),
        sizes = tensor::getMixedSizes(builder, loc, rows),
        strides(rowsType.getRank(), builder.getIndexAttr(1));
    offsets[rowAxis] = begin;
    sizes[rowAxis] = partCount;
    return tensor::ExtractSliceOp::create(builder, loc, rows, offsets, sizes, strides);
  };
  Value before = insert(partOf(builder.getIndexAttr(0), head), cache, first, head);
  return insert(partOf(head, rest), before, builder.getIndexAttr(0), rest);
}

static void lower(RewriterBase &rewriter, CacheAppendOp op) {
  Location loc = op.getLoc();
  RankedTensorType type = op.getCache().getType();
  StoredRows stored = buildStoredRows(rewriter, loc, op.getRows(), type.getElementType());
  SmallVector<Value> results{
      insertRows(rewriter, loc, stored.rows, op.getCache(), op.getLayer(), op.getPast())};
  if (stored.scales)
    results.push_back(
        insertRows(rewriter, loc, stored.scales, op.getScales(), op.getLayer(), op.getPast()));
  rewriter.replaceOp(op, results);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// Reads parts of one layer of a cache.
class LayerReader {
public:
  LayerReader(OpBuilder &builder, CacheReadOp op)
      : builder(builder), op(op), loc(op.getLoc()), type(op.getCache().getType()),
        rank(op.getResult().getType().getRank()), ring(ringOf(type)) {}

  /// The part of `op`'s result at these offsets, of these sizes, as a tensor of type `result`.
  Value read(ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
             RankedTensorType result) {
    bool inOnePiece = isInOnePiece(offsets, sizes);
    if (inOnePiece && type.getElementType().isF32())
      return slice(op.getCache(), offsets, sizes, result);
    Value into = scratch(offsets, sizes, result);
    return inOnePiece ? widen(offsets, sizes, result, into) : gather(offsets, result, into);
  }

private:
  /// Whether the rows lie behind one another: always without a ring, and in a ring where a piece
  /// of it that starts at a multiple of its length holds them.
  bool isInOnePiece(ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
    if (!ring)
      return true;
    std::optional<RowSpan> span = spanOf(offsets[rank - 2], sizes[rank - 2]);
    return span && *ring % span->length == 0 && isMultipleOf(span->start, span->length);
  }

  /// `row` mod capacity.
  Value place(OpBuilder &b, Value row) {
    if (!ring)
      return row;
    return arith::RemUIOp::create(b, loc, row, arith::ConstantIndexOp::create(b, loc, *ring));
  }

  /// Rows of `cache` (or of its scales) as they are stored, in one piece.
  Value slice(Value cache, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
              RankedTensorType result) {
    SmallVector<OpFoldResult> at{op.getLayer()}, extents{builder.getIndexAttr(1)},
        strides(rank + 1, builder.getIndexAttr(1));
    at.append(offsets.begin(), offsets.end());
    extents.append(sizes.begin(), sizes.end());
    if (ring)
      at[rank - 1] = place(builder, getValueOrCreateConstantIndexOp(builder, loc, at[rank - 1]));
    return tensor::ExtractSliceOp::create(builder, loc, result, cache, at, extents, strides);
  }

  /// Where f32 rows are put: as many as there are at most, so that one buffer serves every tile of
  /// a loop.
  Value scratch(ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                RankedTensorType result) {
    llvm::SmallBitVector dropped = droppedOf(sizes, result);
    SmallVector<OpFoldResult> own, most; // without the axes that the result drops
    for (int64_t axis = 0; axis < rank; ++axis) {
      if (dropped.test(axis))
        continue;
      own.push_back(sizes[axis]);
      std::optional<RowSpan> span = spanOf(offsets[axis], sizes[axis]);
      most.push_back(span ? builder.getIndexAttr(span->length) : sizes[axis]);
    }
    Value whole = tensor::EmptyOp::create(builder, loc, most, builder.getF32Type());
    if (whole.getType() == result)
      return whole;
    SmallVector<OpFoldResult> zeros(own.size(), builder.getIndexAttr(0)),
        ones(own.size(), builder.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(builder, loc, result, whole, zeros, own, ones);
  }

  /// Axes of size 1 that the result is without: heads, of which a tile reads one.
  llvm::SmallBitVector droppedOf(ArrayRef<OpFoldResult> sizes, RankedTensorType result) {
    llvm::SmallBitVector dropped(rank);
    for (int64_t axis = 0, excess = rank - result.getRank(); axis < rank && excess > 0; ++axis)
      if (isConstantIntValue(sizes[axis], 1)) {
        dropped.set(axis);
        --excess;
      }
    return dropped;
  }

  Value widen(ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes, RankedTensorType result,
              Value into) {
    SmallVector<Value> inputs{
        slice(op.getCache(), offsets, sizes, result.clone(type.getElementType()))};
    int64_t axes = result.getRank();
    AffineMap identity = builder.getMultiDimIdentityMap(axes);
    SmallVector<AffineMap> maps{identity};
    if (op.getScales()) {
      SmallVector<OpFoldResult> rowOffsets(offsets), rowSizes(sizes);
      rowOffsets.back() = builder.getIndexAttr(0);
      rowSizes.back() = builder.getIndexAttr(1);
      SmallVector<int64_t> shape(result.getShape());
      shape.back() = 1;
      inputs.push_back(slice(op.getScales(), rowOffsets, rowSizes, result.clone(shape)));
      SmallVector<AffineExpr> row(identity.getResults());
      row.back() = builder.getAffineConstantExpr(0);
      maps.push_back(AffineMap::get(axes, 0, row, builder.getContext()));
    }
    maps.push_back(identity);
    return map(inputs, maps, into, [&](OpBuilder &b, ValueRange args) {
      return buildWidened(b, loc, args[0], op.getScales() ? args[1] : Value());
    });
  }

  /// Row by row, each where it lies in the ring.
  Value gather(ArrayRef<OpFoldResult> offsets, RankedTensorType result, Value into) {
    int64_t axes = result.getRank();
    return map({}, {builder.getMultiDimIdentityMap(axes)}, into, [&](OpBuilder &b, ValueRange) {
      SmallVector<Value> at{op.getLayer()};
      for (int64_t axis = 0; axis < rank; ++axis) {
        Value index = getValueOrCreateConstantIndexOp(b, loc, offsets[axis]);
        if (int64_t own = axis - (rank - axes); own >= 0)
          index = arith::AddIOp::create(b, loc, index, linalg::IndexOp::create(b, loc, own));
        at.push_back(axis == rank - 2 ? place(b, index) : index);
      }
      Value stored = tensor::ExtractOp::create(b, loc, op.getCache(), at), scale;
      if (op.getScales()) {
        at.back() = arith::ConstantIndexOp::create(b, loc, 0);
        scale = tensor::ExtractOp::create(b, loc, op.getScales(), at);
      }
      return buildWidened(b, loc, stored, scale);
    });
  }

  Value map(ValueRange inputs, ArrayRef<AffineMap> maps, Value into,
            function_ref<Value(OpBuilder &, ValueRange)> body) {
    SmallVector<utils::IteratorType> parallel(maps[0].getNumDims(), utils::IteratorType::parallel);
    return linalg::GenericOp::create(builder, loc, into.getType(), inputs, into, maps, parallel,
                                     [&](OpBuilder &inside, Location at, ValueRange args) {
                                       linalg::YieldOp::create(inside, at, body(inside, args));
                                     })
        .getResult(0);
  }

  OpBuilder &builder;
  CacheReadOp op;
  Location loc;
  RankedTensorType type;
  int64_t rank; ///< of the rows read
  std::optional<int64_t> ring;
};

} // namespace

static void lower(RewriterBase &rewriter, CacheReadOp op) {
  RankedTensorType type = op.getResult().getType();
  bool isDirect = !ringOf(op.getCache().getType()) && !op.getScales() &&
                  op.getCache().getType().getElementType().isF32();
  for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
    if (auto dim = dyn_cast<tensor::DimOp>(user))
      if (dim.getConstantIndex() == type.getRank() - 2) {
        rewriter.replaceOp(dim, op.getLength());
        continue;
      }
    auto slice = dyn_cast<tensor::ExtractSliceOp>(user);
    // Of leading axes alone does a reader drop one.
    if (isDirect || !slice || !slice.hasUnitStride() ||
        type.getRank() - slice.getType().getRank() > type.getRank() - 2)
      continue;
    rewriter.setInsertionPoint(slice);
    rewriter.replaceOp(slice,
                       LayerReader(rewriter, op)
                           .read(slice.getMixedOffsets(), slice.getMixedSizes(), slice.getType()));
  }
  if (op->use_empty())
    return rewriter.eraseOp(op);
  rewriter.setInsertionPoint(op);
  SmallVector<OpFoldResult> offsets(type.getRank(), rewriter.getIndexAttr(0)), sizes;
  for (int64_t size : type.getShape())
    sizes.push_back(rewriter.getIndexAttr(size));
  sizes[type.getRank() - 2] = op.getLength();
  rewriter.replaceOp(op, LayerReader(rewriter, op).read(offsets, sizes, type));
}

namespace {

struct LowerCachePass : heed::attn::impl::LowerCachePassBase<LowerCachePass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<CacheAppendOp> appends;
    SmallVector<CacheReadOp> reads;
    getOperation()->walk([&](CacheAppendOp op) { appends.push_back(op); });
    getOperation()->walk([&](CacheReadOp op) { reads.push_back(op); });
    for (CacheReadOp op : reads)
      lower(rewriter, op);
    for (CacheAppendOp op : appends) {
      rewriter.setInsertionPoint(op);
      lower(rewriter, op);
    }
    numReads += reads.size();
    numAppends += appends.size();
  }
};

} // namespace
