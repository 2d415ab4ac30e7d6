//===- FewLanesLowering.cpp - a tile of keys for a few query rows ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The `lanes_first` form of attn.online_attention. Its lanes are too few to fill a
// vector, so vectors run along what is long:
//
//   1. raw scores       components: four keys times the lanes, then sums across vectors
//   2. modify and mask  keys
//   3. P = 2^(S - max)  keys
//   4. acc += P . v     components
//
// Each key and each value is loaded once for all lanes. Keys are taken four at a time in
// 1 and sixteen at a time in 2 and 3; what lies behind the last one repeats it, so that no
// memory is read that the tile doesn't have, and is hidden.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "ScoreExponents.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace heed::attn;

namespace {

/// Keys whose dot products are summed across vectors together.
constexpr int64_t kKeysAtOnce = 4;

class FewLanesKernel {
public:
  FewLanesKernel(OpBuilder &builder, OnlineAttentionOp op, const KernelShape &shape)
      : op(op), exponents(op, shape), loc(op.getLoc()), sumsAtOnce(2 * shape.attentionRows),
        floats(VectorType::get({kLanes}, builder.getF32Type())),
        lanes(cast<MemRefType>(op.getQ().getType()).getDimSize(0)),
        depth(cast<MemRefType>(op.getQ().getType()).getDimSize(1)),
        width(cast<MemRefType>(op.getAcc().getType()).getDimSize(1)) {
    if (shape.attentionRows < 8) // half as many registers, of half the lanes
      sumsAtOnce = kKeysAtOnce;
    zero = constant(builder, 0);
    keys = memref::DimOp::create(builder, loc, op.getK(), 0);
    lastKey = arith::SubIOp::create(builder, loc, keys, constant(builder, 1));
  }

  LogicalResult build(OpBuilder &builder) {
    int64_t padded = llvm::divideCeil(op.getKeyTile(), kLanes) * kLanes;
    scores = allocateForTask(op, {lanes, padded}, builder.getF32Type());
    buildProducts(builder);
    FailureOr<SmallVector<Value>> maxima = buildScores(builder);
    if (failed(maxima))
      return failure();

    // Where nothing is visible yet the maximum is -inf; 0 stands in, so that no NaN arises.
    SmallVector<Value> reference, correction;
    Value none = splat(builder, -INFINITY), zeros = splat(builder, 0);
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Value old = broadcast(builder, load(builder, op.getMax(), {constant(builder, lane)}));
      Value ofTile = exponents.ofGreatest(builder, broadcast(builder, (*maxima)[lane]));
      Value maximum = larger(builder, loc, ofTile, old);
      Value seen = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, maximum, none);
      reference.push_back(arith::SelectOp::create(builder, loc, seen, maximum, zeros));
      correction.push_back(exponents.correction(builder, old, reference.back()));
      store(builder, first(builder, maximum), op.getMax(), {constant(builder, lane)});
    }
    buildPattern(builder, reference, correction);
    for (int64_t lane = 0; lane < lanes; lane += sumsAtOnce) {
      int64_t count = std::min(sumsAtOnce, lanes - lane), vectors = width / kLanes;
      int64_t atOnce = std::clamp<int64_t>(sumsAtOnce / count, 1, vectors);
      for (int64_t from = 0; from < vectors; from += atOnce)
        buildWeighing(builder, correction, lane, count, from, std::min(atOnce, vectors - from));
    }
    return success();
  }

private:
  Value constant(OpBuilder &builder, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value splat(OpBuilder &builder, float value) {
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(floats, value));
  }
  Value broadcast(OpBuilder &builder, Value scalar) {
    return vector::BroadcastOp::create(builder, loc, floats, scalar);
  }
  Value load(OpBuilder &builder, Value memory, ValueRange at) {
    return memref::LoadOp::create(builder, loc, memory, at);
  }
  void store(OpBuilder &builder, Value value, Value memory, ValueRange at) {
    memref::StoreOp::create(builder, loc, value, memory, at);
  }
  Value loadVector(OpBuilder &builder, Value memory, Value row, Value column) {
    return vector::LoadOp::create(builder, loc, floats, memory, ValueRange{row, column});
  }
  Value first(OpBuilder &builder, Value values) {
    return vector::ExtractOp::create(builder, loc, values, 0);
  }
  Value fma(OpBuilder &builder, Value a, Value b, Value c) {
    return vector::FMAOp::create(builder, loc, a, b, c);
  }
  /// Calls `build` for 0, step, … below the number of keys, carrying `values`.
  using KeysBuilder = function_ref<void(OpBuilder &, Value first, SmallVector<Value> &)>;
  SmallVector<Value> forEachKeys(OpBuilder &builder, int64_t step, ValueRange values,
                                 KeysBuilder build) {
    auto loop = scf::ForOp::create(builder, loc, zero, keys, constant(builder, step), values,
                                   [&](OpBuilder &body, Location, Value first, ValueRange carried) {
                                     SmallVector<Value> next(carried);
                                     build(body, first, next);
                                     scf::YieldOp::create(body, loc, next);
                                   });
    return SmallVector<Value>(loop.getResults());
  }

  /// q . k of all lanes and keys into the scores.
  void buildProducts(OpBuilder &builder) {
    forEachKeys(builder, kKeysAtOnce, {}, [&](OpBuilder &body, Value key, SmallVector<Value> &) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < kKeysAtOnce; ++i)
        rows.push_back(arith::MinUIOp::create(
            body, loc, arith::AddIOp::create(body, loc, key, constant(body, i)), lastKey));
      int64_t atOnce = sumsAtOnce / kKeysAtOnce;
      if (atOnce > 1 || lanes == 1) {
        for (int64_t lane = 0; lane < lanes; lane += atOnce)
          buildProducts(body, key, rows, constant(body, lane), std::min(atOnce, lanes - lane));
        return;
      }
      // In one block LLVM would keep what it read of the keys for the next lane, on the stack.
      auto loop = scf::ForOp::create(body, loc, zero, constant(body, lanes), constant(body, 1));
      keepAsLoop(loop);
      OpBuilder inLane = OpBuilder::atBlockTerminator(loop.getBody());
      buildProducts(inLane, key, rows, loop.getInductionVar(), 1);
    });
  }

  void buildProducts(OpBuilder &builder, Value key, ValueRange rows, Value lane, int64_t count) {
    auto laneAt = [&](OpBuilder &b, int64_t n) {
      return n == 0 ? lane : arith::AddIOp::create(b, loc, lane, constant(b, n)).getResult();
    };
    SmallVector<Value> sums(count * kKeysAtOnce, splat(builder, 0));
    int64_t unrolled = std::gcd(depth, 4 * kLanes);
    auto add = [&](OpBuilder &b, Value from, SmallVector<Value> &into) {
      for (int64_t offset = 0; offset < unrolled; offset += kLanes) {
        Value column = arith::AddIOp::create(b, loc, from, constant(b, offset));
        SmallVector<Value> parts;
        for (Value row : rows)
          parts.push_back(loadVector(b, op.getK(), row, column));
        for (int64_t n = 0; n < count; ++n) {
          Value query = loadVector(b, op.getQ(), laneAt(b, n), column);
          for (int64_t i = 0; i < kKeysAtOnce; ++i) {
            Value &sum = into[n * kKeysAtOnce + i];
            sum = fma(b, parts[i], query, sum);
          }
        }
      }
    };
    if (unrolled == depth) {
      add(builder, zero, sums);
    } else {
      auto loop = scf::ForOp::create(
          builder, loc, zero, constant(builder, depth), constant(builder, unrolled), sums,
          [&](OpBuilder &body, Location, Value from, ValueRange carried) {
            SmallVector<Value> next(carried);
            add(body, from, next);
            scf::YieldOp::create(body, loc, next);
          });
      sums.assign(loop.result_begin(), loop.result_end());
    }
    for (int64_t n = 0; n < count; ++n) {
      Value four = sumEach(builder, ArrayRef(sums).slice(n * kKeysAtOnce, kKeysAtOnce));
      vector::StoreOp::create(builder, loc, four, scores, ValueRange{laneAt(builder, n), key});
    }
  }

  /// The sums of four vectors' elements, as one vector of four: two rounds of additions within
  /// each quarter of a register, then of the quarters.
  Value sumEach(OpBuilder &builder, ArrayRef<Value> vectors) {
    auto shuffle = [&](Value a, Value b, ArrayRef<int64_t> mask) -> Value {
      return vector::ShuffleOp::create(builder, loc, a, b, mask);
    };
    // Within each quarter: what `a` and `b` have at `of`, in turns.
    auto joined = [&](Value a, Value b, ArrayRef<int64_t> of) {
      SmallVector<int64_t> mask;
      for (int64_t quarter = 0; quarter < kLanes; quarter += 4)
        for (int64_t place : of)
          mask.push_back(place < 4 ? quarter + place : kLanes + quarter + place - 4);
      return shuffle(a, b, mask);
    };
    auto sum = [&](Value a, Value b) -> Value { return arith::AddFOp::create(builder, loc, a, b); };
    auto pairs = [&](Value a, Value b) {
      return sum(joined(a, b, {0, 4, 1, 5}), joined(a, b, {2, 6, 3, 7}));
    };
    Value low = pairs(vectors[0], vectors[1]), high = pairs(vectors[2], vectors[3]);
    Value quarters = sum(joined(low, high, {0, 1, 4, 5}), joined(low, high, {2, 3, 6, 7}));
    Value halves = sum(shuffle(quarters, quarters, {0, 1, 2, 3, 4, 5, 6, 7}),
                       shuffle(quarters, quarters, {8, 9, 10, 11, 12, 13, 14, 15}));
    return sum(shuffle(halves, halves, {0, 1, 2, 3}), shuffle(halves, halves, {4, 5, 6, 7}));
  }

  /// Scales, modifies and masks the scores. Returns the greatest of each lane.
  FailureOr<SmallVector<Value>> buildScores(OpBuilder &builder) {
    bool modified = exponents.isModified(), masked = !op.getMask().empty();
    SmallVector<RegionInLanes> scoreOf, maskOf;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Value at = constant(builder, lane);
      Value place[] = {load(builder, op.getHeads(), at), load(builder, op.getRows(), at)};
      if ((modified && failed(scoreOf.emplace_back(op.getScore()).set(builder, 1, place))) ||
          (masked && failed(maskOf.emplace_back(op.getMask()).set(builder, 0, place))))
        return failure();
    }
    Value factor = splat(builder, exponents.factor());
    Value hidden = splat(builder, -INFINITY);
    auto indices = VectorType::get({kLanes}, builder.getIndexType());
    SmallVector<APInt> numbers = llvm::map_to_vector(
        llvm::seq(kLanes), [](int64_t n) { return APInt(IndexType::kInternalStorageBitWidth, n); });
    Value count = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(indices, numbers));
    auto all = [&](OpBuilder &b, Value scalar) -> Value {
      return vector::BroadcastOp::create(b, loc, indices, scalar);
    };

    LogicalResult built = success();
    SmallVector<Value> none(lanes, hidden);
    SmallVector<Value> maxima = forEachKeys(
        builder, kLanes, none, [&](OpBuilder &body, Value from, SmallVector<Value> &running) {
          Value places = arith::AddIOp::create(body, loc, all(body, from), count);
          Value exists =
              arith::CmpIOp::create(body, loc, arith::CmpIPredicate::ult, places, all(body, keys));
          Value read = arith::MinUIOp::create(body, loc, places, all(body, lastKey));
          Value key = arith::AddIOp::create(body, loc, read, all(body, op.getStart()));
          for (int64_t lane = 0; lane < lanes; ++lane) {
            Value at = constant(body, lane), visible = exists;
            Value score =
                arith::MulFOp::create(body, loc, loadVector(body, scores, at, from), factor);
            // The mask comes first, so that a modifier reads nothing for what it hides.
            if (masked) {
              RegionInLanes here = maskOf[lane];
              if (failed(here.set(body, 2, key)))
                built = failure();
              visible = arith::AndIOp::create(body, loc, visible, here.result(body));
            }
            if (modified) {
              RegionInLanes here = scoreOf[lane];
              here.readOnlyIn(visible);
              if (failed(here.set(body, 0, score)) || failed(here.set(body, 3, key)))
                built = failure();
              score = here.result(body);
            }
            score = arith::SelectOp::create(body, loc, visible, score, hidden);
            running[lane] = larger(body, loc, score, running[lane]);
            vector::StoreOp::create(body, loc, score, scores, ValueRange{at, from});
          }
        });
    if (failed(built))
      return failure();
    for (Value &maximum : maxima)
      maximum = vector::ReductionOp::create(builder, loc, vector::CombiningKind::MAXNUMF, maximum);
    return maxima;
  }

  void buildPattern(OpBuilder &builder, ArrayRef<Value> reference, ArrayRef<Value> correction) {
    SmallVector<Value> zeros(lanes, splat(builder, 0));
    SmallVector<Value> sums = forEachKeys(
        builder, kLanes, zeros, [&](OpBuilder &body, Value from, SmallVector<Value> &running) {
          for (int64_t lane = 0; lane < lanes; ++lane) {
            Value at = constant(body, lane);
            Value weight =
                exponents.weight(body, loadVector(body, scores, at, from), reference[lane]);
            running[lane] = arith::AddFOp::create(body, loc, running[lane], weight);
            vector::StoreOp::create(body, loc, weight, scores, ValueRange{at, from});
          }
        });
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Value at = constant(builder, lane);
      // In any order: in lanes, and not one after another.
      Value sum = vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, sums[lane],
                                              arith::FastMathFlags::reassoc);
      Value kept = arith::MulFOp::create(builder, loc, load(builder, op.getSum(), at),
                                         first(builder, correction[lane]));
      store(builder, arith::AddFOp::create(builder, loc, kept, sum), op.getSum(), at);
    }
  }

  /// Lanes lane … lane+count-1 of acc, its vectors from … from+vectors-1.
  void buildWeighing(OpBuilder &builder, ArrayRef<Value> correction, int64_t lane, int64_t count,
                     int64_t from, int64_t vectors) {
    auto column = [&](OpBuilder &b, int64_t n) { return constant(b, (from + n) * kLanes); };
    SmallVector<Value> sums;
    for (int64_t l = lane; l < lane + count; ++l)
      for (int64_t n = 0; n < vectors; ++n)
        sums.push_back(arith::MulFOp::create(
            builder, loc,
            loadVector(builder, op.getAcc(), constant(builder, l), column(builder, n)),
            correction[l]));
    sums =
        forEachKeys(builder, 1, sums, [&](OpBuilder &body, Value key, SmallVector<Value> &running) {
          SmallVector<Value> values;
          for (int64_t n = 0; n < vectors; ++n)
            values.push_back(loadVector(body, op.getV(), key, column(body, n)));
          for (int64_t l = 0; l < count; ++l) {
            Value weight = broadcast(body, load(body, scores, {constant(body, lane + l), key}));
            for (int64_t n = 0; n < vectors; ++n) {
              Value &sum = running[l * vectors + n];
              sum = fma(body, values[n], weight, sum);
            }
          }
        });
    for (int64_t l = 0; l < count; ++l)
      for (int64_t n = 0; n < vectors; ++n)
        vector::StoreOp::create(builder, loc, sums[l * vectors + n], op.getAcc(),
                                ValueRange{constant(builder, lane + l), column(builder, n)});
  }

  OnlineAttentionOp op;
  ScoreExponents exponents;
  Location loc;
  int64_t sumsAtOnce; ///< vectors of sums that are kept in registers
  VectorType floats;
  int64_t lanes, depth, width;
  Value zero, keys, lastKey, scores;
};

} // namespace

LogicalResult heed::attn::lowerFewLanesAttention(OpBuilder &builder, OnlineAttentionOp op,
                                                 const KernelShape &shape) {
  for (Value tile : {op.getQ(), op.getAcc()}) {
    auto type = cast<MemRefType>(tile.getType());
    if (type.isDynamicDim(1) || type.getDimSize(1) % kLanes != 0)
      return op.emitOpError("expected a depth and a width that are multiples of 16 with "
                            "lanes_first, found ")
             << type;
  }
  return FewLanesKernel(builder, op, shape).build(builder);
}
