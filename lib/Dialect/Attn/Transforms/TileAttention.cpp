//===- TileAttention.cpp - attention becomes tiles of online attention ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A task is a tile of query rows times the query heads that share a key head.
// Its lanes are these rows and heads: lane l is row l floordiv heads, head l
// mod heads of the tile, so that each key that is loaded serves a whole group
// of heads. Lanes that the tile doesn't fill repeat its last row and are
// dropped at the end.
//
// A task goes over the keys that its rows may see, in tiles (KeyTiles.h).
//
// A lone row, as decoding has it, is a task for each key head and each so many
// keys: its lanes are the heads of the group. Their running softmaxes are joined
// by tasks that follow.
//
// Each element of a batch has tasks of its own, in which its index is a value
// like any other from outside: `length[b]` is read once, and bounds the keys.
//
//===----------------------------------------------------------------------===//

#include "KeyTiles.h"
#include "RoundedKeys.h"
#include "RunningSoftmax.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
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

/// Keys of a task where they are divided, about: enough to be worth a task.
constexpr int64_t kKeysOfPart = 256;
/// Heads of a group up to which a lone row has a form of its own; more of them fill a vector's
/// lanes well.
constexpr int64_t kMostHeadsOfLoneRow = 8;

class AttentionTiling {
public:
  AttentionTiling(AttentionOp op, int64_t lanes, int64_t keyTile)
      : op(op), loc(op.getLoc()), lanes(lanes),
        keyTile(llvm::alignTo(keyTile, op.getBf16() ? 2 : 1)), qType(op.getQ().getType()),
        vType(op.getV().getType()) {
    // Heads whose number isn't known are a batch.
    rowAxis = qType.getRank() - 2;
    hasHeads = rowAxis > 0 && !qType.isDynamicDim(rowAxis - 1);
    hasBatch = rowAxis > (hasHeads ? 1 : 0);
    int64_t heads = hasHeads ? qType.getDimSize(rowAxis - 1) : 1;
    keyHeads = hasHeads ? op.getK().getType().getDimSize(rowAxis - 1) : 1;
    group = heads / keyHeads;
    // A tile has as many heads of the group as fit, all of them in most models;
    // else the group is cut into as few parts as it can be, of which the last
    // may have fewer.
    parts = llvm::divideCeil(group, lanes);
    tileHeads = llvm::divideCeil(group, parts);
    tileRows = lanes / tileHeads;
  }

  int64_t rowsOfTile() const { return tileRows; }
  /// Whether there is a form for a lone row: vectors run along components there.
  bool hasLoneRow() const {
    return group <= kMostHeadsOfLoneRow && qType.getShape().back() % 16 == 0 &&
           vType.getShape().back() % 16 == 0;
  }

  /// The whole attention, written to `into`, where there is one row.
  Value buildLoneRow(OpBuilder &builder, Value into, const RoundedKeys *) {
    lanesFirst = true;
    lanes = tileHeads = group;
    parts = tileRows = 1;
    keysOfPart = keyTile * std::max<int64_t>(1, kKeysOfPart / keyTile);
    rows = index(builder, 1);
    keys = tensor::DimOp::create(builder, loc, op.getK(), rowAxis);
    Value keyParts = arith::CeilDivUIOp::create(builder, loc, keys, index(builder, keysOfPart));
    OpFoldResult batches = builder.getIndexAttr(1);
    if (hasBatch)
      batches = tensor::getMixedSize(builder, loc, op.getQ(), 0);
    SmallVector<OpFoldResult> tasks{builder.getIndexAttr(keyHeads), keyParts};
    if (hasBatch)
      tasks.insert(tasks.begin(), batches);

    // The running softmax of each part: [batch, key head, part, lane, …].
    SmallVector<OpFoldResult> shape{batches, builder.getIndexAttr(keyHeads), keyParts,
                                    builder.getIndexAttr(lanes)};
    SmallVector<OpFoldResult> accShape = shape;
    accShape.push_back(builder.getIndexAttr(vType.getShape().back()));
    SmallVector<Value> partial;
    for (ArrayRef<OpFoldResult> ofPart : {ArrayRef(accShape), ArrayRef(shape), ArrayRef(shape)})
      partial.push_back(tensor::EmptyOp::create(builder, loc, ofPart, builder.getF32Type()));
    auto folded = scf::ForallOp::create(
        builder, loc, tasks, partial, std::nullopt,
        [&](OpBuilder &body, Location, ValueRange args) {
          ValueRange into = args.take_back(3), task = args.drop_back(3);
          enterTask(body, index(body, 0), task.drop_front(hasBatch)[0], index(body, 0),
                    hasBatch ? task[0] : Value());
          keyPart = task.back();
          SmallVector<Value> state = foldKeys(body);
          auto terminator = scf::InParallelOp::create(body, loc);
          OpBuilder inParallel = OpBuilder::atBlockEnd(terminator.getBody());
          for (auto [value, target] : llvm::zip_equal(state, into)) {
            PartSlice slice(body, *this, keyPart, body.getIndexAttr(1), value.getType());
            tensor::ParallelInsertSliceOp::create(inParallel, loc, value, target, slice.offsets,
                                                  slice.sizes, slice.strides);
          }
        });
    auto joined = scf::ForallOp::create(
        builder, loc, ArrayRef(tasks).drop_back(), into, std::nullopt,
        [&](OpBuilder &body, Location, ValueRange args) {
          enterTask(body, index(body, 0), args.drop_front(hasBatch)[0], index(body, 0),
                    hasBatch ? args[0] : Value());
          SmallVector<Value> ofParts;
          for (Value result : folded.getResults()) {
            auto type = cast<RankedTensorType>(result.getType());
            auto wanted =
                RankedTensorType::get(type.getShape().drop_front(2), type.getElementType());
            PartSlice slice(body, *this, body.getIndexAttr(0), keyParts,
                            wanted.clone(wanted.getShape().drop_front()));
            ofParts.push_back(tensor::ExtractSliceOp::create(
                body, loc, wanted, result, slice.offsets, slice.sizes, slice.strides));
          }
          RunningSoftmax all = joinParts(body, loc, {ofParts[0], ofParts[1], ofParts[2]});
          store(body, {all.acc, all.max, all.sum}, args.back());
        });
    return joined.getResult(0);
  }

  /// Room for the keys and values that some row may see, rounded: none where there is a lone row,
  /// which reads them as they are. What batches may see differs, so there all.
  RoundedKeys roomForRounded(OpBuilder &builder) {
    rows = tensor::DimOp::create(builder, loc, op.getQ(), rowAxis);
    keys = tensor::DimOp::create(builder, loc, op.getK(), rowAxis);
    KeySpan span{index(builder, 0), keys};
    if (!hasBatch) {
      Interval heads{index(builder, 0), index(builder, keyHeads * group - 1)};
      Interval all{index(builder, 0), sub(builder, rows, index(builder, 1))};
      span = keysOfTiles(builder, loc, {op.getMask(), heads, all, keys, keyTile, {}, {}, {}, {}});
    }
    Value isLone =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, rows, index(builder, 1));
    Value end = arith::SelectOp::create(builder, loc, isLone, span.begin, span.end);
    return RoundedKeys(builder, loc, op.getK(), op.getV(), hasBatch, span.begin, end, keys,
                       keyTile);
  }

  /// The whole attention, written to `into`. `ofTasks` are multiplied in pairs where given.
  Value build(OpBuilder &builder, Value into, const RoundedKeys *ofTasks) {
    rounded = ofTasks;
    rows = tensor::DimOp::create(builder, loc, op.getQ(), rowAxis);
    keys = tensor::DimOp::create(builder, loc, op.getK(), rowAxis);
    Value tiles = arith::CeilDivUIOp::create(builder, loc, rows, index(builder, tileRows));
    SmallVector<OpFoldResult> tasks{builder.getIndexAttr(keyHeads), builder.getIndexAttr(parts),
                                    tiles};
    if (hasBatch)
      tasks.insert(tasks.begin(), tensor::getMixedSize(builder, loc, op.getQ(), 0));
    // Tasks that follow one another read the same keys and values, which stay in the second-level
    // cache. Later tiles see more keys under a causal mask: start with the longest, so that threads
    // end at about the same time.
    auto forall = scf::ForallOp::create(
        builder, loc, tasks, ValueRange{into}, std::nullopt,
        [&](OpBuilder &body, Location, ValueRange args) {
          Value last = arith::SubIOp::create(body, loc, tiles, index(body, 1));
          ValueRange task = args.drop_front(hasBatch);
          Value tile = arith::SubIOp::create(body, loc, last, task[2]);
          enterTask(body, tile, task[0], task[1], hasBatch ? args.front() : Value());
          store(body, foldKeys(body), args.back());
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

  /// A tensor of `shape`, each element computed from its indices.
  Value tabulate(OpBuilder &builder, ArrayRef<OpFoldResult> shape, Type element,
                 function_ref<Value(OpBuilder &, ValueRange)> compute) {
    Value empty = tensor::EmptyOp::create(builder, loc, shape, element);
    int64_t rank = shape.size();
    SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
    return linalg::GenericOp::create(builder, loc, empty.getType(), ValueRange{}, ValueRange{empty},
                                     builder.getMultiDimIdentityMap(rank), parallel,
                                     [&](OpBuilder &body, Location, ValueRange) {
                                       SmallVector<Value> indices;
                                       for (int64_t axis = 0; axis < rank; ++axis)
                                         indices.push_back(
                                             linalg::IndexOp::create(body, loc, axis));
                                       linalg::YieldOp::create(body, loc, compute(body, indices));
                                     })
        .getResult(0);
  }
  Value tabulate(OpBuilder &builder, ArrayRef<int64_t> shape, Type element,
                 function_ref<Value(OpBuilder &, ValueRange)> compute) {
    return tabulate(builder, getAsIndexOpFoldResult(builder.getContext(), shape), element, compute);
  }
  Value filled(OpBuilder &builder, ArrayRef<int64_t> shape, Value value) {
    Value empty = tensor::EmptyOp::create(builder, loc, shape, builder.getF32Type());
    return linalg::FillOp::create(builder, loc, value, empty).getResult(0);
  }
  /// Indices [batch, head,] row … of a tensor of heads.
  SmallVector<Value> place(Value head, ValueRange row) {
    SmallVector<Value> indices;
    if (hasBatch)
      indices.push_back(batch);
    if (hasHeads)
      indices.push_back(head);
    llvm::append_range(indices, row);
    return indices;
  }

  /// `from`, a score or mask region whose index b or h is number `argument`, as
  /// the region of this task, of indices h, i and j. What depends on the batch
  /// alone is computed in front of it.
  void chooseBatch(OpBuilder &builder, Region &from, unsigned argument, Region &to) {
    if (from.empty())
      return;
    IRMapping mapping;
    from.cloneInto(&to, mapping);
    Block &block = to.front();
    block.getArgument(argument).replaceAllUsesWith(batch);
    if (rowAxis == 2) // else h keeps its place, and nothing reads it
      block.eraseArgument(argument);
    for (Operation &inner : llvm::make_early_inc_range(block.without_terminator())) {
      // An index that isn't the batch's own might be one that only some keys
      // have.
      auto extract = dyn_cast<tensor::ExtractOp>(inner);
      bool isSafe =
          extract ? llvm::all_of(extract.getIndices(), [&](Value index) { return index == batch; })
                  : isPure(&inner) && inner.getNumRegions() == 0;
      if (!isSafe || llvm::any_of(inner.getOperands(),
                                  [&](Value operand) { return operand.getParentRegion() == &to; }))
        continue;
      inner.remove();
      builder.insert(&inner);
    }
  }

  /// Where the running softmaxes of some parts of the keys lie, of this task's batch and key head.
  struct PartSlice {
    SmallVector<OpFoldResult> offsets, sizes, strides;

    /// `ofPart` is the type that one part has.
    PartSlice(OpBuilder &builder, const AttentionTiling &task, OpFoldResult first,
              OpFoldResult count, Type ofPart) {
      OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
      offsets = {task.batch ? OpFoldResult(task.batch) : zero, task.keyHead, first};
      sizes = {one, one, count};
      for (int64_t size : cast<RankedTensorType>(ofPart).getShape()) {
        offsets.push_back(zero);
        sizes.push_back(builder.getIndexAttr(size));
      }
      strides.assign(sizes.size(), one);
    }
  };

  /// Sets which rows and heads the task has.
  void enterTask(OpBuilder &builder, Value tile, Value ofKeyHead, Value part, Value ofBatch) {
    keyHead = ofKeyHead;
    batch = ofBatch;
    firstRow = mul(builder, tile, tileRows);
    firstHead = add(builder, mul(builder, keyHead, group), mul(builder, part, tileHeads));
    count = arith::MinUIOp::create(builder, loc, sub(builder, rows, firstRow),
                                   index(builder, tileRows));
    lastRow = sub(builder, add(builder, firstRow, count), index(builder, 1));
    headCount = builder.getIndexAttr(tileHeads);
    lastHead = {};
    if (group % tileHeads != 0) {
      Value left = sub(builder, index(builder, group), mul(builder, part, tileHeads));
      Value taken = arith::MinUIOp::create(builder, loc, left, index(builder, tileHeads));
      lastHead = sub(builder, add(builder, firstHead, taken), index(builder, 1));
      headCount = taken;
    }
  }
  Value rowOf(OpBuilder &b, Value lane) {
    Value row = arith::DivUIOp::create(b, loc, lane, index(b, tileHeads));
    return arith::MinUIOp::create(b, loc, add(b, firstRow, row), lastRow);
  }
  Value headOf(OpBuilder &b, Value lane) {
    Value head = add(b, firstHead, arith::RemUIOp::create(b, loc, lane, index(b, tileHeads)));
    return lastHead ? Value(arith::MinUIOp::create(b, loc, head, lastHead)) : head;
  }

  /// The queries of the task's lanes, `[L, d]`: lane by lane, so that a query's address is found
  /// once and its components are read as they lie.
  Value queriesOfLanes(OpBuilder &builder) {
    return tabulate(builder, {lanes, qType.getShape().back()}, builder.getF32Type(),
                    [&](OpBuilder &b, ValueRange at) -> Value {
                      Value component = tensor::ExtractOp::create(
                          b, loc, op.getQ(), place(headOf(b, at[0]), {rowOf(b, at[0]), at[1]}));
                      return rounded ? Value(arith::MulFOp::create(b, loc, component,
                                                                   floatConstant(b, loc, factor())))
                                     : component;
                    });
  }

  /// What queries that are rounded are multiplied by before: then scores are not.
  double factor() {
    double scale = op.getScale().convertToDouble();
    return op.getScore().empty() ? scale * std::numbers::log2e : scale;
  }

  /// As the tile takes them: `[d, L]`, pairs of bf16, `[d / 2, 2 L]`, or with lanes first `[L, d]`:
  /// a lone row is bound by memory, and rounds nothing.
  Value queries(OpBuilder &builder) {
    Value rows = queriesOfLanes(builder);
    if (lanesFirst)
      return rows;
    if (!op.getBf16())
      return arrangeAxes(builder, loc, rows, {1, 0});
    SmallVector<ReassociationIndices> halves{{0}, {1, 2}};
    Value narrow = roundToBf16(builder, loc, rows);
    auto pairsType =
        RankedTensorType::get({lanes, qType.getShape().back() / 2, 2}, builder.getBF16Type());
    Value pairs = tensor::ExpandShapeOp::create(builder, loc, pairsType, narrow, halves);
    Value moved = arrangeAxes(builder, loc, pairs, {1, 0, 2});
    return tensor::CollapseShapeOp::create(builder, loc, moved, halves);
  }

  /// The state after all keys of the task.
  SmallVector<Value> foldKeys(OpBuilder &builder) {
    SmallVector<OpFoldResult> laneShape{builder.getIndexAttr(lanes)};
    Value rowTable = tabulate(builder, laneShape, builder.getIndexType(),
                              [&](OpBuilder &b, ValueRange at) { return rowOf(b, at[0]); });
    Value headTable = tabulate(builder, laneShape, builder.getIndexType(),
                               [&](OpBuilder &b, ValueRange at) { return headOf(b, at[0]); });
    Value q = queries(builder);

    score = &op.getScore();
    mask = &op.getMask();
    Region scoreOfBatch, maskOfBatch;
    if (hasBatch) {
      chooseBatch(builder, op.getScore(), 1, scoreOfBatch);
      chooseBatch(builder, op.getMask(), 0, maskOfBatch);
      score = &scoreOfBatch;
      mask = &maskOfBatch;
    }
    Value endHead = lastHead ? lastHead : add(builder, firstHead, index(builder, tileHeads - 1));
    if (tileHeads == 1)
      endHead = firstHead; // a point
    KeyTilesTask task{
        *mask, {firstHead, endHead}, {firstRow, lastRow}, keys, keyTile, headTable, rowTable, {},
        {}};
    if (lanesFirst) {
      task.begin = mul(builder, keyPart, keysOfPart);
      task.end = add(builder, task.begin, index(builder, keysOfPart));
    } else if (rounded) {
      task.begin = rounded->getBegin();
      task.end = rounded->getEnd();
      task.step = 2;
    }
    return foldKeyTiles(
        builder, loc, task, startState(builder),
        [&](OpBuilder &body, Value first, Value found, bool masked, ValueRange carried) {
          return foldTile(body, q, headTable, rowTable, first, found, masked, carried);
        });
  }

  /// acc, max and sum before the first key.
  SmallVector<Value> startState(OpBuilder &builder) {
    SmallVector<int64_t> accShape{vType.getShape().back(), lanes};
    if (lanesFirst)
      std::swap(accShape[0], accShape[1]);
    Value zero = floatConstant(builder, loc, 0), none = floatConstant(builder, loc, -INFINITY);
    SmallVector<Value> state{filled(builder, accShape, zero), filled(builder, {lanes}, none),
                             filled(builder, {lanes}, zero)};
    Value sink = op.getSink();
    if (!sink)
      return state;
    // The running softmax starts as if it had seen one key: the sink, whose value is zero. Where
    // keys are divided, the first part's does.
    Value isFirst;
    if (lanesFirst)
      isFirst =
          arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, keyPart, index(builder, 0));
    auto ifFirst = [&](OpBuilder &b, Value value, Value otherwise) -> Value {
      return isFirst ? arith::SelectOp::create(b, loc, isFirst, value, otherwise) : value;
    };
    state[1] = tabulate(builder, {builder.getIndexAttr(lanes)}, builder.getF32Type(),
                        [&](OpBuilder &b, ValueRange at) {
                          Value logit = tensor::ExtractOp::create(
                              b, loc, sink, place(headOf(b, at[0]), rowOf(b, at[0])));
                          Value log2e = floatConstant(b, loc, std::numbers::log2e_v<float>);
                          return ifFirst(b, arith::MulFOp::create(b, loc, logit, log2e), none);
                        });
    state[2] = filled(builder, {lanes}, ifFirst(builder, floatConstant(builder, loc, 1), zero));
    return state;
  }

  /// Folds keys first … first+count-1 into the state.
  SmallVector<Value> foldTile(OpBuilder &builder, Value q, Value heads, Value rowTable, Value first,
                              Value count, bool masked, ValueRange state) {
    RowsOfTask tile{batch, hasHeads ? keyHead : Value(), first, count};
    Value k =
        rounded ? rounded->keysOf(builder, loc, tile) : sliceOfRows(builder, loc, op.getK(), tile);
    Value v = rounded ? rounded->valuesOf(builder, loc, tile)
                      : sliceOfRows(builder, loc, op.getV(), tile);
    FloatAttr scale; // what the queries' factor leaves of it
    if (rounded)
      scale = builder.getF64FloatAttr(op.getScale().convertToDouble() / factor());
    auto fold = OnlineAttentionOp::create(
        builder, loc, state.getTypes(), q, k, v, heads, rowTable, first, state[0], state[1],
        state[2], scale ? scale : op.getScaleAttr(), builder.getI64IntegerAttr(keyTile),
        lanesFirst ? builder.getUnitAttr() : UnitAttr());
    IRMapping mapping;
    score->cloneInto(&fold.getScore(), mapping);
    if (masked)
      mask->cloneInto(&fold.getMask(), mapping);
    return SmallVector<Value>(fold.getResults());
  }

  /// The weighed values of the lanes that are in use, put into their rows and heads of the result.
  void store(OpBuilder &builder, ArrayRef<Value> state, Value into) {
    SmallVector<OpFoldResult> sizes{builder.getIndexAttr(vType.getShape().back())},
        offsets{builder.getIndexAttr(0)};
    int64_t resultRows = 0;
    auto prepend = [&](OpFoldResult size, OpFoldResult offset) {
      sizes.insert(sizes.begin(), size);
      offsets.insert(offsets.begin(), offset);
    };
    prepend(count, firstRow);
    if (hasHeads && op.getRowsFirst()) {
      sizes.insert(sizes.begin() + 1, headCount);
      offsets.insert(offsets.begin() + 1, firstHead);
    } else if (hasHeads) {
      prepend(headCount, firstHead);
      resultRows = 1;
    }
    Value ofLanes = weighedValues(builder, loc, {state[0], state[1], state[2]}, lanesFirst);
    Value result =
        tabulate(builder, sizes, builder.getF32Type(), [&](OpBuilder &b, ValueRange at) -> Value {
          Value lane = mul(b, at[resultRows], tileHeads);
          if (hasHeads)
            lane = add(b, lane, at[1 - resultRows]);
          return tensor::ExtractOp::create(b, loc, ofLanes, ValueRange{lane, at.back()});
        });
    if (hasBatch) // the rows of one element, among those of all
      sizes.insert(sizes.begin(), builder.getIndexAttr(1));
    if (hasBatch && op.getRowsFirst() && !hasHeads) {
      sizes = {sizes[1], sizes[0], sizes[2]};
      offsets = {offsets[0], batch, offsets[1]};
    } else if (hasBatch) {
      offsets.insert(offsets.begin(), batch);
    }
    auto terminator = scf::InParallelOp::create(builder, loc);
    OpBuilder inParallel = OpBuilder::atBlockEnd(terminator.getBody());
    SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
    tensor::ParallelInsertSliceOp::create(inParallel, loc, result, into, offsets, sizes, strides);
  }

  AttentionOp op;
  Location loc;
  int64_t lanes, keyTile;
  RankedTensorType qType, vType;
  int64_t rowAxis;
  bool hasBatch, hasHeads;
  int64_t keyHeads = 1, group = 1, parts = 1, tileHeads = 1, tileRows = 1;
  bool lanesFirst = false; ///< for a lone row, whose keys are divided into parts
  int64_t keysOfPart = 0;
  Value rows, keys;
  const RoundedKeys *rounded = nullptr; ///< where they are multiplied in pairs
  /// Of the task that is being built.
  Value batch, keyHead, keyPart, firstRow, lastRow, count, firstHead, lastHead;
  OpFoldResult headCount;
  Region *score = nullptr, *mask = nullptr;
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
        if (!hasStaticTiles(op.getQ().getType(), type)) {
          op.emitOpError("can't be tiled: expected heads and their width to be "
                         "static, found ")
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
    int64_t rowAxis = type.getRank() - 2;
    Value rows = tensor::DimOp::create(builder, loc, op.getQ(), rowAxis);
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      int64_t ofQ = op.getRowsFirst() && axis == rowAxis       ? axis - 1
                    : op.getRowsFirst() && axis == rowAxis - 1 ? axis + 1
                                                               : axis;
      if (!type.isDynamicDim(axis))
        sizes.push_back(builder.getIndexAttr(type.getDimSize(axis)));
      else if (ofQ == rowAxis)
        sizes.push_back(rows);
      else
        sizes.push_back(tensor::getMixedSize(builder, loc, op.getQ(), ofQ));
    }
    Value into = tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());

    Value result = choose(builder, op, rows, into);
    op.getResult().replaceAllUsesWith(result);
    op.erase();
  }

  /// Builds a form for each number of rows that has its own. Which one is taken is decided when the
  /// model runs.
  Value choose(OpBuilder &builder, AttentionOp op, Value rows, Value into) {
    using Form = Value (AttentionTiling::*)(OpBuilder &, Value, const RoundedKeys *);
    struct Choice {
      int64_t lanes;
      arith::CmpIPredicate when; ///< of the number of rows and `limit`
      int64_t limit;
      Form form;
    };
    SmallVector<Choice> choices;
    // Keys and values are rounded for each task, which more lanes share.
    int64_t most = op.getBf16() && lanes % 32 == 0 ? 2 * lanes : lanes;
    if (splitKeys && AttentionTiling(op, lanes, keyTile).hasLoneRow())
      choices.push_back({lanes, arith::CmpIPredicate::eq, 1, &AttentionTiling::buildLoneRow});
    // Few rows fill few lanes: use half as many, or a quarter.
    for (int64_t fewer = lanes % 32 == 0 ? lanes / 2 : most; fewer < most; fewer *= 2)
      choices.push_back({fewer, arith::CmpIPredicate::ule,
                         AttentionTiling(op, fewer, keyTile).rowsOfTile(),
                         &AttentionTiling::build});
    std::optional<RoundedKeys> room;
    if (op.getBf16())
      room.emplace(AttentionTiling(op, most, keyTile).roomForRounded(builder));
    auto build = [&](auto &self, OpBuilder &b, ArrayRef<Choice> left,
                     const RoundedKeys *rounded) -> Value {
      // Once, before the first form that multiplies them.
      std::optional<RoundedKeys> own;
      if (room && !rounded && (left.empty() || left.front().form == &AttentionTiling::build)) {
        own = room;
        own->round(b, op.getLoc());
        rounded = &*own;
      }
      if (left.empty())
        return AttentionTiling(op, most, keyTile).build(b, into, rounded);
      Choice choice = left.front();
      Location loc = op.getLoc();
      Value few = arith::CmpIOp::create(b, loc, choice.when, rows,
                                        arith::ConstantIndexOp::create(b, loc, choice.limit));
      return scf::IfOp::create(
                 b, loc, few,
                 [&](OpBuilder &then, Location) {
                   AttentionTiling tiling(op, choice.lanes, keyTile);
                   scf::YieldOp::create(then, loc, (tiling.*choice.form)(then, into, rounded));
                 },
                 [&](OpBuilder &other, Location) {
                   scf::YieldOp::create(other, loc, self(self, other, left.drop_front(), rounded));
                 })
          .getResult(0);
    };
    return build(build, builder, choices, nullptr);
  }
};

} // namespace
