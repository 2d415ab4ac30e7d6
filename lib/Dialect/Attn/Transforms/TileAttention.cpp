//===- TileAttention.cpp - attn.attention becomes tiles of attn.online_attention -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A task is a tile of query rows times the query heads that share a key head. Its
// lanes are these rows and heads: lane l is row l floordiv heads, head l mod heads
// of the tile, so that each key that is loaded serves a whole group of heads. Lanes
// that the tile doesn't fill repeat its last row and are dropped at the end.
//
// A task goes over the keys that its rows may see, in tiles (KeyTiles.h).
//
//===----------------------------------------------------------------------===//

#include "KeyTiles.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

#include <cmath>
#include <numbers>

#define DEBUG_TYPE "attn-tile-attention"

namespace heed::attn {
#define GEN_PASS_DEF_TILEATTENTIONPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

namespace {

class AttentionTiling {
public:
  AttentionTiling(AttentionOp op, int64_t lanes, int64_t keyTile)
      : op(op), loc(op.getLoc()), lanes(lanes), keyTile(keyTile),
        hasHeads(op.getQ().getType().getRank() == 3), qType(op.getQ().getType()),
        vType(op.getV().getType()) {
    int64_t heads = hasHeads ? qType.getDimSize(0) : 1;
    keyHeads = hasHeads ? op.getK().getType().getDimSize(0) : 1;
    group = heads / keyHeads;
    // A tile has as many heads of the group as fit, all of them in most models.
    tileHeads = std::min(group, lanes);
    while (group % tileHeads != 0)
      --tileHeads;
    tileRows = lanes / tileHeads;
  }

  int64_t rowsOfTile() const { return tileRows; }

  /// The whole attention, written to `into`.
  Value build(OpBuilder &builder, Value into) {
    rows = tensor::DimOp::create(builder, loc, op.getQ(), hasHeads ? 1 : 0);
    keys = tensor::DimOp::create(builder, loc, op.getK(), hasHeads ? 1 : 0);
    Value tiles = arith::CeilDivUIOp::create(builder, loc, rows, index(builder, tileRows));
    // Later tiles see more keys under a causal mask: start with the longest, so that threads end
    // at about the same time.
    auto forall = scf::ForallOp::create(
        builder, loc,
        ArrayRef<OpFoldResult>{tiles, builder.getIndexAttr(keyHeads),
                               builder.getIndexAttr(group / tileHeads)},
        ValueRange{into}, std::nullopt, [&](OpBuilder &body, Location, ValueRange args) {
          Value last = arith::SubIOp::create(body, loc, tiles, index(body, 1));
          Value tile = arith::SubIOp::create(body, loc, last, args[0]);
          buildTask(body, tile, args[1], args[2], args[3]);
        });
    return forall.getResult(0);
  }

private:
  Value index(OpBuilder &builder, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value add(OpBuilder &b, Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value sub(OpBuilder &b, Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value mul(OpBuilder &b, Value x, int64_t y) {
    return arith::MulIOp::create(b, loc, x, index(b, y));
  }

  /// A tensor of static `shape`, each element computed from its indices.
  Value tabulate(OpBuilder &builder, ArrayRef<OpFoldResult> shape, Type element,
                 function_ref<Value(OpBuilder &, ValueRange)> compute) {
    Value empty = tensor::EmptyOp::create(builder, loc, shape, element);
    int64_t rank = shape.size();
    SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
    AffineMap identity = builder.getMultiDimIdentityMap(rank);
    return linalg::GenericOp::create(builder, loc, empty.getType(), ValueRange{}, ValueRange{empty},
                                     ArrayRef<AffineMap>{identity}, parallel,
                                     [&](OpBuilder &body, Location, ValueRange) {
                                       SmallVector<Value> indices;
                                       for (int64_t axis = 0; axis < rank; ++axis)
                                         indices.push_back(
                                             linalg::IndexOp::create(body, loc, axis));
                                       linalg::YieldOp::create(body, loc, compute(body, indices));
                                     })
        .getResult(0);
  }
  Value filled(OpBuilder &builder, ArrayRef<int64_t> shape, float value) {
    Value empty = tensor::EmptyOp::create(builder, loc, shape, builder.getF32Type());
    Value scalar = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
    return linalg::FillOp::create(builder, loc, scalar, empty).getResult(0);
  }
  /// Indices [head,] row, column of a tensor of heads.
  SmallVector<Value> place(Value head, Value row, Value column) {
    return hasHeads ? SmallVector<Value>{head, row, column} : SmallVector<Value>{row, column};
  }

  void buildTask(OpBuilder &builder, Value tile, Value keyHead, Value part, Value into) {
    Value firstRow = mul(builder, tile, tileRows);
    Value firstHead = add(builder, mul(builder, keyHead, group), mul(builder, part, tileHeads));
    Value count = arith::MinUIOp::create(builder, loc, sub(builder, rows, firstRow),
                                         index(builder, tileRows));
    Value lastRow = sub(builder, add(builder, firstRow, count), index(builder, 1));

    auto rowOf = [&](OpBuilder &b, Value lane) {
      Value row = arith::DivUIOp::create(b, loc, lane, index(b, tileHeads));
      return Value(arith::MinUIOp::create(b, loc, add(b, firstRow, row), lastRow));
    };
    auto headOf = [&](OpBuilder &b, Value lane) {
      return add(b, firstHead, arith::RemUIOp::create(b, loc, lane, index(b, tileHeads)));
    };
    SmallVector<OpFoldResult> laneShape{builder.getIndexAttr(lanes)};
    Value rowTable = tabulate(builder, laneShape, builder.getIndexType(),
                              [&](OpBuilder &b, ValueRange at) { return rowOf(b, at[0]); });
    Value headTable = tabulate(builder, laneShape, builder.getIndexType(),
                               [&](OpBuilder &b, ValueRange at) { return headOf(b, at[0]); });
    int64_t depth = qType.getShape().back(), width = vType.getShape().back();
    Value q = tabulate(builder, {builder.getIndexAttr(depth), builder.getIndexAttr(lanes)},
                       builder.getF32Type(), [&](OpBuilder &b, ValueRange at) {
                         return Value(tensor::ExtractOp::create(
                             b, loc, op.getQ(), place(headOf(b, at[1]), rowOf(b, at[1]), at[0])));
                       });

    SmallVector<Value> state{filled(builder, {width, lanes}, 0),
                             filled(builder, {lanes}, -INFINITY), filled(builder, {lanes}, 0)};
    if (Value sink = op.getSink()) {
      // The running softmax starts as if it had seen one key: the sink, whose value is zero.
      state[1] =
          tabulate(builder, laneShape, builder.getF32Type(), [&](OpBuilder &b, ValueRange at) {
            SmallVector<Value> place{rowOf(b, at[0])};
            if (hasHeads)
              place.insert(place.begin(), headOf(b, at[0]));
            Value logit = tensor::ExtractOp::create(b, loc, sink, place);
            Value log2e =
                arith::ConstantOp::create(b, loc, b.getF32FloatAttr(std::numbers::log2e_v<float>));
            return Value(arith::MulFOp::create(b, loc, logit, log2e));
          });
      state[2] = filled(builder, {lanes}, 1);
    }
    Value lastHead = add(builder, firstHead, index(builder, tileHeads - 1));
    if (tileHeads == 1)
      lastHead = firstHead; // a point
    KeyTilesTask task{
        op.getMask(), {firstHead, lastHead}, {firstRow, lastRow}, keys, keyTile, headTable,
        rowTable};
    state = foldKeyTiles(
        builder, loc, task, state,
        [&](OpBuilder &body, Value first, Value found, bool masked, ValueRange carried) {
          return foldTile(body, q, headTable, rowTable, keyHead, first, found, masked, carried);
        });
    store(builder, state, count, firstRow, firstHead, width, into);
  }

  /// Folds keys first … first+count-1 into the state.
  SmallVector<Value> foldTile(OpBuilder &builder, Value q, Value heads, Value rowTable,
                              Value keyHead, Value first, Value count, bool masked,
                              ValueRange state) {
    Value k = slice(builder, op.getK(), keyHead, first, count);
    Value v = slice(builder, op.getV(), keyHead, first, count);
    auto fold = OnlineAttentionOp::create(builder, loc, state.getTypes(), q, k, v, heads, rowTable,
                                          first, state[0], state[1], state[2], op.getScaleAttr(),
                                          builder.getI64IntegerAttr(keyTile));
    IRMapping mapping;
    op.getScore().cloneInto(&fold.getScore(), mapping);
    if (masked)
      op.getMask().cloneInto(&fold.getMask(), mapping);
    return SmallVector<Value>(fold.getResults());
  }

  /// Rows start … start+count-1 of one key head, as [count, last axis].
  Value slice(OpBuilder &builder, Value tensor, Value keyHead, Value start, Value count) {
    auto type = cast<RankedTensorType>(tensor.getType());
    int64_t last = type.getShape().back();
    OpFoldResult one = builder.getIndexAttr(1), zero = builder.getIndexAttr(0);
    SmallVector<OpFoldResult> offsets{start, zero}, sizes{count, builder.getIndexAttr(last)};
    if (hasHeads) {
      offsets.insert(offsets.begin(), keyHead);
      sizes.insert(sizes.begin(), one);
    }
    SmallVector<OpFoldResult> strides(offsets.size(), one);
    auto result = RankedTensorType::get({ShapedType::kDynamic, last}, type.getElementType());
    return tensor::ExtractSliceOp::create(builder, loc, result, tensor, offsets, sizes, strides);
  }

  /// acc / sum of the lanes that are in use, put into their rows and heads of the result.
  void store(OpBuilder &builder, ValueRange state, Value count, Value firstRow, Value firstHead,
             int64_t width, Value into) {
    SmallVector<OpFoldResult> sizes{builder.getIndexAttr(width)}, offsets{builder.getIndexAttr(0)};
    int64_t rowAxis = 0;
    auto prepend = [&](OpFoldResult size, OpFoldResult offset) {
      sizes.insert(sizes.begin(), size);
      offsets.insert(offsets.begin(), offset);
    };
    prepend(count, firstRow);
    if (hasHeads && op.getRowsFirst()) {
      sizes.insert(sizes.begin() + 1, builder.getIndexAttr(tileHeads));
      offsets.insert(offsets.begin() + 1, firstHead);
    } else if (hasHeads) {
      prepend(builder.getIndexAttr(tileHeads), firstHead);
      rowAxis = 1;
    }
    Value result = tabulate(builder, sizes, builder.getF32Type(), [&](OpBuilder &b, ValueRange at) {
      Value lane = mul(b, at[rowAxis], tileHeads);
      if (hasHeads)
        lane = add(b, lane, at[1 - rowAxis]);
      Value value = tensor::ExtractOp::create(b, loc, state[0], ValueRange{at.back(), lane});
      Value sum = tensor::ExtractOp::create(b, loc, state[2], ValueRange{lane});
      // A row that saw nothing has the sum 0 and yields zeros.
      Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
      Value seen = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, sum, zero);
      Value quotient = arith::DivFOp::create(b, loc, value, sum);
      return Value(arith::SelectOp::create(b, loc, seen, quotient, zero));
    });
    auto terminator = scf::InParallelOp::create(builder, loc);
    OpBuilder inParallel = OpBuilder::atBlockEnd(terminator.getBody());
    SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
    tensor::ParallelInsertSliceOp::create(inParallel, loc, result, into, offsets, sizes, strides);
  }

  AttentionOp op;
  Location loc;
  int64_t lanes, keyTile;
  bool hasHeads;
  RankedTensorType qType, vType;
  int64_t keyHeads = 1, group = 1, tileHeads = 1, tileRows = 1;
  Value rows, keys;
};

struct TileAttentionPass : heed::attn::impl::TileAttentionPassBase<TileAttentionPass> {
  using TileAttentionPassBase::TileAttentionPassBase;

  void runOnOperation() override {
    if (lanes <= 0 || lanes % 16 != 0 || keyTile <= 0) {
      getOperation()->emitError(
          "expected lanes to be a multiple of 16 and key-tile to be positive, "
          "found lanes=")
          << lanes << " and key-tile=" << keyTile;
      return signalPassFailure();
    }
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) { ops.push_back(op); });
    for (AttentionOp op : ops) {
      for (Value operand : {op.getQ(), op.getK(), op.getV()}) {
        auto type = cast<RankedTensorType>(operand.getType());
        if (type.isDynamicDim(type.getRank() - 1) ||
            (type.getRank() == 3 && type.isDynamicDim(0))) {
          op.emitOpError("can't be tiled: expected heads and their width to be static, found ")
              << type;
          return signalPassFailure();
        }
      }
      tile(op);
      ++numAttentions;
    }
  }

  void tile(AttentionOp op) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    RankedTensorType type = op.getResult().getType();
    SmallVector<OpFoldResult> sizes;
    int64_t rowAxis = type.getRank() == 3 && !op.getRowsFirst() ? 1 : 0;
    Value rows = tensor::DimOp::create(builder, loc, op.getQ(), type.getRank() - 2);
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      sizes.push_back(axis == rowAxis && type.isDynamicDim(axis)
                          ? OpFoldResult(rows)
                          : OpFoldResult(builder.getIndexAttr(type.getDimSize(axis))));
    Value into = tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());

    AttentionTiling wide(op, lanes, keyTile);
    if (lanes % 32 != 0) {
      op.getResult().replaceAllUsesWith(wide.build(builder, into));
      op.erase();
      return;
    }
    // One row (decoding) fills few lanes: use half as many. The choice is made when the model runs.
    AttentionTiling narrow(op, lanes / 2, keyTile);
    Value few =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule, rows,
                              arith::ConstantIndexOp::create(builder, loc, narrow.rowsOfTile()));
    auto branch = scf::IfOp::create(
        builder, loc, few,
        [&](OpBuilder &then, Location) {
          scf::YieldOp::create(then, loc, narrow.build(then, into));
        },
        [&](OpBuilder &other, Location) {
          scf::YieldOp::create(other, loc, wide.build(other, into));
        });
    op.getResult().replaceAllUsesWith(branch.getResult(0));
    op.erase();
  }
};

} // namespace
