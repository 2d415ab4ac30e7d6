//===- OnlineAttentionLowering.cpp - one tile of keys folded into a running softmax -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A lane is one query row of one head. Scores of a tile, S[t, lane], are kept in
// a buffer that stays in the first-level cache, and three sweeps go over it:
//
//   1. S = q . k, scaled, modified, masked, with the running maximum;
//   2. P = 2^(S - maximum), with the running sum;
//   3. acc = acc * correction + P . v
//
// In 1 and 3 a few keys (or components of the values) times all lanes are summed
// in registers: keys and values are broadcast from where the cache has them, and
// lanes are contiguous, so nothing is shuffled and no sum runs across lanes.
//
// Where queries are pairs of bf16, so are keys and values, patterns are rounded in
// 2, and 1 and 3 broadcast a pair of components or of keys.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "ScoreExponents.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include <cmath>

using namespace mlir;
using namespace heed::attn;

namespace {

class OnlineAttentionKernel {
public:
  OnlineAttentionKernel(OpBuilder &builder, OnlineAttentionOp op, const KernelShape &shape)
      : op(op), exponents(op, shape), loc(op.getLoc()), rowsAtOnce(shape.attentionRows),
        unrolled(shape.attentionUnrolled), unit(op.isPaired() ? 2 : 1),
        lanes(VectorType::get({kLanes}, builder.getF32Type())),
        vectors(cast<MemRefType>(op.getAcc().getType()).getDimSize(1) / kLanes),
        steps(cast<MemRefType>(op.getQ().getType()).getDimSize(0)),
        width(cast<MemRefType>(op.getAcc().getType()).getDimSize(0)) {
    if (vectors > 2) // as many sums as two vectors of lanes have
      rowsAtOnce = std::max<int64_t>(1, 2 * rowsAtOnce / vectors);
    zero = constant(builder, 0);
    keys = memref::DimOp::create(builder, loc, op.getK(), 0);
  }

  LogicalResult build(OpBuilder &builder) {
    allocate(builder);
    SmallVector<Value> before = loadVectors(builder, op.getMax());
    if (failed(enterRows(builder, op.getScore(), 1, scoreOfRows)) ||
        failed(enterRows(builder, op.getMask(), 0, maskOfRows)))
      return failure();

    Value none = splat(builder, -INFINITY), zeros = splat(builder, 0);
    SmallVector<Value> maxima(vectors, none);
    if (failed(forEachRows(
            builder, keys, static_cast<int64_t>(op.getKeyTile()), maxima,
            [&](OpBuilder &body, Value first, int64_t count, SmallVector<Value> &running) {
              return buildScores(body, first, count, running);
            })))
      return failure();

    // Where nothing is visible yet the maximum is -inf; 0 stands in, so that no NaN arises.
    SmallVector<Value> reference, correction;
    for (auto [old, maximum] : llvm::zip_equal(before, maxima)) {
      maximum = larger(builder, loc, exponents.ofGreatest(builder, maximum), old);
      Value seen = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, maximum, none);
      reference.push_back(arith::SelectOp::create(builder, loc, seen, maximum, zeros));
      correction.push_back(exponents.correction(builder, old, reference.back()));
    }
    storeVectors(builder, maxima, op.getMax());
    buildPattern(builder, reference, correction);
    buildWeighing(builder, correction);
    return success();
  }

private:
  void allocate(OpBuilder &builder) {
    Type f32 = builder.getF32Type();
    auto tile = static_cast<int64_t>(op.getKeyTile());
    if (unit == 1) {
      pattern = scores = allocateForTask(op, {tile, vectors * kLanes}, f32);
      return;
    }
    // One more row, so that the last key can have a neighbour.
    scores = allocateForTask(op, {tile + 1, vectors * kLanes}, f32);
    pattern = allocateForTask(op, {(tile + 1) / 2, 2 * vectors * kLanes}, builder.getBF16Type());
  }

  Value constant(OpBuilder &builder, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value add(OpBuilder &builder, Value lhs, int64_t rhs) {
    return rhs == 0 ? lhs : arith::AddIOp::create(builder, loc, lhs, constant(builder, rhs));
  }
  Value splat(OpBuilder &builder, float value) {
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(lanes, value));
  }
  /// Factor number `column` of a row in all lanes: a number, or a pair of bf16.
  Value broadcast(OpBuilder &builder, Value memref, Value row, Value column) {
    if (unit == 1) {
      Value scalar = memref::LoadOp::create(builder, loc, memref, ValueRange{row, column});
      return vector::BroadcastOp::create(builder, loc, lanes, scalar);
    }
    Type i32 = builder.getI32Type(), bf16 = builder.getBF16Type();
    Value first = arith::MulIOp::create(builder, loc, column, constant(builder, 2));
    Value pair = vector::LoadOp::create(builder, loc, VectorType::get({2}, bf16), memref,
                                        ValueRange{row, first});
    Value word = vector::BitCastOp::create(builder, loc, VectorType::get({1}, i32), pair);
    word = vector::BroadcastOp::create(builder, loc, VectorType::get({kLanes}, i32),
                                       vector::ExtractOp::create(builder, loc, word, 0));
    return vector::BitCastOp::create(builder, loc, VectorType::get({2 * kLanes}, bf16), word);
  }
  /// sum + factor * other in each lane.
  Value multiply(OpBuilder &builder, Value factor, Value other, Value sum) {
    if (unit == 1)
      return vector::FMAOp::create(builder, loc, factor, other, sum);
    return DotPairsOp::create(builder, loc, sum, factor, other);
  }
  /// Vectors 0 … of the last axis of `memref`, at `leading` on the other axes. Of bf16 they hold a
  /// pair for each lane.
  SmallVector<Value> loadVectors(OpBuilder &builder, Value memref, ValueRange leading = {}) {
    Type element = cast<MemRefType>(memref.getType()).getElementType();
    int64_t count = element.isBF16() ? 2 * kLanes : kLanes;
    SmallVector<Value> result;
    for (int64_t v = 0; v < vectors; ++v) {
      SmallVector<Value> place(leading);
      place.push_back(constant(builder, v * count));
      result.push_back(
          vector::LoadOp::create(builder, loc, VectorType::get({count}, element), memref, place));
    }
    return result;
  }
  void storeVectors(OpBuilder &builder, ValueRange values, Value memref, ValueRange leading = {}) {
    for (int64_t v = 0; v < vectors; ++v) {
      SmallVector<Value> place(leading);
      place.push_back(constant(builder, v * cast<VectorType>(values[v].getType()).getDimSize(0)));
      vector::StoreOp::create(builder, loc, values[v], memref, place);
    }
  }

  /// Calls `build` for rows 0 … end-1, `rowsAtOnce` at a time, then as many as these leave of
  /// `most` rows, and then singly, carrying `values`.
  using RowsBuilder =
      function_ref<LogicalResult(OpBuilder &, Value first, int64_t count, SmallVector<Value> &)>;
  LogicalResult forEachRows(OpBuilder &builder, Value end, int64_t most, SmallVector<Value> &values,
                            RowsBuilder build) {
    LogicalResult built = success();
    Value begin = zero;
    SmallVector<int64_t> counts{rowsAtOnce};
    if (most % rowsAtOnce > 1)
      counts.push_back(most % rowsAtOnce);
    counts.push_back(1);
    for (int64_t count : counts) {
      Value step = constant(builder, count);
      Value left = arith::SubIOp::create(builder, loc, end, begin);
      Value rest = arith::RemUIOp::create(builder, loc, left, step);
      Value stop = arith::SubIOp::create(builder, loc, end, rest);
      auto loop =
          scf::ForOp::create(builder, loc, begin, stop, step, values,
                             [&](OpBuilder &body, Location, Value first, ValueRange carried) {
                               SmallVector<Value> next(carried);
                               if (failed(build(body, first, count, next)))
                                 built = failure();
                               scf::YieldOp::create(body, loc, next);
                             });
      values.assign(loop.result_begin(), loop.result_end());
      begin = stop;
    }
    return built;
  }

  /// Adds to `sums` what `build` adds for each of 0 … end-1, a few of them in a round.
  using ProductsBuilder = function_ref<void(OpBuilder &, Value, MutableArrayRef<Value> sums)>;
  SmallVector<Value> addProducts(OpBuilder &builder, Value end, ArrayRef<Value> sums,
                                 ProductsBuilder build) {
    auto addRounds = [&](Value begin, Value stop, int64_t together, ValueRange before) {
      auto loop =
          scf::ForOp::create(builder, loc, begin, stop, constant(builder, together), before,
                             [&](OpBuilder &body, Location, Value first, ValueRange carried) {
                               SmallVector<Value> next(carried);
                               for (int64_t number = 0; number < together; ++number)
                                 build(body, add(body, first, number), next);
                               scf::YieldOp::create(body, loc, next);
                             });
      return SmallVector<Value>(loop.getResults());
    };
    if (unrolled == 1)
      return addRounds(zero, end, 1, sums);
    Value rest = arith::RemUIOp::create(builder, loc, end, constant(builder, unrolled));
    Value whole = arith::SubIOp::create(builder, loc, end, rest);
    return addRounds(whole, end, 1, addRounds(zero, whole, unrolled, sums));
  }

  /// Evaluates of a region what the lanes' heads and rows, its arguments from `first` on,
  /// determine.
  LogicalResult enterRows(OpBuilder &builder, Region &region, unsigned first,
                          SmallVectorImpl<RegionInLanes> &ofRows) {
    if (region.empty())
      return success();
    SmallVector<Value> heads = loadVectors(builder, op.getHeads()),
                       rows = loadVectors(builder, op.getRows());
    for (int64_t v = 0; v < vectors; ++v)
      if (failed(ofRows.emplace_back(region).set(builder, first, {heads[v], rows[v]})))
        return failure();
    return success();
  }

  LogicalResult buildScores(OpBuilder &builder, Value first, int64_t count,
                            SmallVector<Value> &maxima) {
    SmallVector<Value> sums(count * vectors, splat(builder, 0));
    sums = addProducts(builder, constant(builder, steps), sums,
                       [&](OpBuilder &body, Value k, MutableArrayRef<Value> next) {
                         SmallVector<Value> query = loadVectors(body, op.getQ(), k);
                         for (int64_t row = 0; row < count; ++row) {
                           Value key = broadcast(body, op.getK(), add(body, first, row), k);
                           for (int64_t v = 0; v < vectors; ++v) {
                             Value &sum = next[row * vectors + v];
                             sum = multiply(body, query[v], key, sum);
                           }
                         }
                       });
    float factor = exponents.factor();
    Value hidden = splat(builder, -INFINITY);
    for (int64_t row = 0; row < count; ++row) {
      Value index = add(builder, first, row);
      Value key = arith::AddIOp::create(builder, loc, op.getStart(), index);
      SmallVector<Value> finished;
      for (int64_t v = 0; v < vectors; ++v) {
        Value score = sums[row * vectors + v];
        if (factor != 1)
          score = arith::MulFOp::create(builder, loc, score, splat(builder, factor));
        // The mask comes first, so that a modifier reads nothing for what it hides.
        Value visible;
        if (!op.getMask().empty()) {
          RegionInLanes here = maskOfRows[v];
          if (failed(here.set(builder, 2, key)))
            return failure();
          visible = here.result(builder);
        }
        if (exponents.isModified()) {
          RegionInLanes here = scoreOfRows[v];
          here.readOnlyIn(visible);
          if (failed(here.set(builder, 0, score)) || failed(here.set(builder, 3, key)))
            return failure();
          score = here.result(builder);
        }
        if (visible)
          score = arith::SelectOp::create(builder, loc, visible, score, hidden);
        maxima[v] = larger(builder, loc, score, maxima[v]);
        finished.push_back(score);
      }
      storeVectors(builder, finished, scores, index);
    }
    return success();
  }

  void buildPattern(OpBuilder &builder, ArrayRef<Value> reference, ArrayRef<Value> correction) {
    SmallVector<Value> sums = loadVectors(builder, op.getSum());
    for (int64_t v = 0; v < vectors; ++v)
      sums[v] = arith::MulFOp::create(builder, loc, sums[v], correction[v]);
    if (unit == 2)
      return buildPairedPattern(builder, reference, sums);
    auto loop =
        scf::ForOp::create(builder, loc, zero, keys, constant(builder, 1), sums,
                           [&](OpBuilder &body, Location, Value t, ValueRange carried) {
                             SmallVector<Value> row = loadVectors(body, scores, t), next;
                             for (int64_t v = 0; v < vectors; ++v) {
                               row[v] = exponents.weight(body, row[v], reference[v]);
                               next.push_back(arith::AddFOp::create(body, loc, carried[v], row[v]));
                             }
                             storeVectors(body, row, scores, t);
                             scf::YieldOp::create(body, loc, next);
                           });
    storeVectors(builder, loop.getResults(), op.getSum());
  }

  /// How many pairs the keys are.
  Value keyPairs(OpBuilder &builder) {
    return arith::CeilDivUIOp::create(builder, loc, keys, constant(builder, 2));
  }

  /// The same for two keys at a time, whose powers are rounded. Rounded ones are added up, so that
  /// a row's weights add up to 1.
  void buildPairedPattern(OpBuilder &builder, ArrayRef<Value> reference, ArrayRef<Value> before) {
    // The last key's neighbour, if there is no key: its power is 0.
    storeVectors(builder, SmallVector<Value>(vectors, splat(builder, -INFINITY)), scores, keys);
    auto pairs = VectorType::get({2 * kLanes}, builder.getBF16Type());
    auto narrow = VectorType::get({kLanes}, builder.getBF16Type());
    Value ones = arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(pairs, builder.getFloatAttr(builder.getBF16Type(), 1.0)));
    auto loop = scf::ForOp::create(
        builder, loc, zero, keyPairs(builder), constant(builder, 1), before,
        [&](OpBuilder &body, Location, Value pair, ValueRange carried) {
          Value first = arith::MulIOp::create(body, loc, pair, constant(body, 2));
          SmallVector<Value> even = loadVectors(body, scores, first),
                             odd = loadVectors(body, scores, add(body, first, 1)), made, next;
          for (int64_t v = 0; v < vectors; ++v) {
            for (Value *power : {&even[v], &odd[v]})
              *power = arith::TruncFOp::create(body, loc, narrow,
                                               exponents.weight(body, *power, reference[v]));
            made.push_back(vector::InterleaveOp::create(body, loc, even[v], odd[v]));
            next.push_back(DotPairsOp::create(body, loc, carried[v], made[v], ones));
          }
          storeVectors(body, made, pattern, pair);
          scf::YieldOp::create(body, loc, next);
        });
    storeVectors(builder, loop.getResults(), op.getSum());
  }

  void buildWeighing(OpBuilder &builder, ArrayRef<Value> correction) {
    SmallVector<Value> nothing;
    Value stop = unit == 1 ? keys : keyPairs(builder);
    (void)forEachRows(
        builder, constant(builder, width), width, nothing,
        [&](OpBuilder &body, Value first, int64_t count, SmallVector<Value> &) -> LogicalResult {
          SmallVector<Value> sums;
          for (int64_t row = 0; row < count; ++row)
            for (auto [v, old] :
                 llvm::enumerate(loadVectors(body, op.getAcc(), add(body, first, row))))
              sums.push_back(arith::MulFOp::create(body, loc, old, correction[v]));
          sums = addProducts(
              body, stop, sums, [&](OpBuilder &inner, Value t, MutableArrayRef<Value> next) {
                SmallVector<Value> weights = loadVectors(inner, pattern, t);
                for (int64_t row = 0; row < count; ++row) {
                  Value value = broadcast(inner, op.getV(), t, add(inner, first, row));
                  for (int64_t v = 0; v < vectors; ++v) {
                    Value &sum = next[row * vectors + v];
                    sum = multiply(inner, weights[v], value, sum);
                  }
                }
              });
          for (int64_t row = 0; row < count; ++row)
            storeVectors(body, ValueRange(sums).slice(row * vectors, vectors), op.getAcc(),
                         add(body, first, row));
          return success();
        });
  }

  OnlineAttentionOp op;
  ScoreExponents exponents;
  Location loc;
  int64_t rowsAtOnce;
  int64_t unrolled; ///< rounds of products
  int64_t unit;     ///< factors that are multiplied at once in a lane: one of f32, two of bf16
  VectorType lanes;
  int64_t vectors, steps, width; ///< `steps` of `unit` components of a query
  Value zero, keys, scores;
  Value pattern;                                      ///< as it is multiplied
  SmallVector<RegionInLanes> scoreOfRows, maskOfRows; ///< one for each vector of lanes
};

} // namespace

Value heed::attn::allocateForTask(OnlineAttentionOp op, ArrayRef<int64_t> shape, Type element) {
  Block *start = &op->getParentOfType<FunctionOpInterface>().getFunctionBody().front();
  if (auto task = op->getParentOfType<scf::ForallOp>())
    start = task.getBody();
  OpBuilder atStart = OpBuilder::atBlockBegin(start);
  auto type = MemRefType::get(shape, element);
  return memref::AllocaOp::create(atStart, op.getLoc(), type, atStart.getI64IntegerAttr(64));
}

LogicalResult heed::attn::lowerOnlineAttention(OpBuilder &builder, OnlineAttentionOp op,
                                               const KernelShape &shape) {
  if (op.getLanesFirst())
    return lowerFewLanesAttention(builder, op, shape);
  for (Value tile : {op.getQ(), op.getAcc()}) {
    auto type = cast<MemRefType>(tile.getType());
    if (type.isDynamicDim(0) || type.getDimSize(1) % kLanes != 0)
      return op.emitOpError("expected a multiple of 16 lanes and a static depth and width, found ")
             << type;
  }
  return OnlineAttentionKernel(builder, op, shape).build(builder);
}
