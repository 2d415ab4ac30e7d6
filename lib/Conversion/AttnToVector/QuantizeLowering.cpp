//===- QuantizeLowering.cpp - rows in eight bits -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of 32 columns is two vectors. What is found for a whole block, its
// largest magnitude and its sum, is found for four blocks together, so that four
// lanes of one vector are compared or added at the price of one. A task is a
// chunk of rows, as many as tasks of linalg ops have, so that heed-merge-tasks
// can join them.
//
// The centred form takes the middle of a block's extremes from its numbers first,
// and gives two more for each block; all else is the same.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "../RowTasks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

using namespace mlir;
using namespace heed::attn;

namespace {

/// The vectors that hold a block.
constexpr int64_t kParts = QuantizeOp::kBlock / kLanes;
/// Blocks that are quantised together.
constexpr int64_t kBlocks = 4;

class QuantizeKernel {
public:
  /// `matrices`: what the op reads and writes, in its order.
  QuantizeKernel(QuantizeOp op, ArrayRef<Value> matrices)
      : loc(op.getLoc()), x(matrices[0]), quants(matrices[1]), scales(matrices[2]),
        sums(matrices[3]), centres(op.getCentres() ? matrices[4] : Value()),
        crosses(op.getCrosses() ? matrices[5] : Value()), reach(op.getReach()),
        group(op.getGroup()), times(op.getTimes()),
        cols(cast<MemRefType>(x.getType()).getDimSize(1)) {}

  void build(OpBuilder &builder) {
    Value rows = memref::DimOp::create(builder, loc, x, 0);
    heed::buildRowTasks(
        builder, loc, rows, kTaskRows, [&](OpBuilder &body, Value begin, Value end) {
          auto ofRow = scf::ForOp::create(body, loc, begin, end, constant(body, 1));
          OpBuilder inRow = OpBuilder::atBlockTerminator(ofRow.getBody());
          // The last blocks overlap those before where their number isn't a multiple: what is
          // written twice is the same.
          int64_t blocks = cols / QuantizeOp::kBlock, together = std::min(blocks, kBlocks);
          auto ofBlock = scf::ForOp::create(inRow, loc, constant(inRow, 0), constant(inRow, blocks),
                                            constant(inRow, together));
          OpBuilder inBlock = OpBuilder::atBlockTerminator(ofBlock.getBody());
          Value first = arith::MinUIOp::create(inBlock, loc, ofBlock.getInductionVar(),
                                               constant(inBlock, blocks - together));
          buildBlocks(inBlock, ofRow.getInductionVar(), first, together);
        });
  }

private:
  Value constant(OpBuilder &builder, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value multiply(OpBuilder &builder, Value lhs, int64_t rhs) {
    return rhs == 1 ? lhs : arith::MulIOp::create(builder, loc, lhs, constant(builder, rhs));
  }
  Value add(OpBuilder &builder, Value lhs, int64_t rhs) {
    return rhs == 0 ? lhs : arith::AddIOp::create(builder, loc, lhs, constant(builder, rhs));
  }

  /// The elements of each of four vectors of 16 joined by `join`: four lanes. Each step leaves
  /// vectors that hold half as much of twice as many.
  Value joinLanes(OpBuilder &builder, ArrayRef<Value> vectors,
                  function_ref<Value(OpBuilder &, Value, Value)> join) {
    // Lanes low and high of two vectors side by side, in each four lanes.
    auto pairUp = [&](Value a, Value b, ArrayRef<int64_t> low, ArrayRef<int64_t> high) {
      auto pick = [&](ArrayRef<int64_t> ofFour) -> Value {
        SmallVector<int64_t> mask;
        for (int64_t lane = 0; lane < kLanes; ++lane) {
          int64_t from = ofFour[lane % 4];
          mask.push_back(lane / 4 * 4 + from % 4 + from / 4 * kLanes);
        }
        return vector::ShuffleOp::create(builder, loc, a, b, mask);
      };
      return join(builder, pick(low), pick(high));
    };
    Value first = pairUp(vectors[0], vectors[1], {0, 4, 1, 5}, {2, 6, 3, 7});
    Value second = pairUp(vectors[2], vectors[3], {0, 4, 1, 5}, {2, 6, 3, 7});
    Value joined = pairUp(first, second, {0, 1, 4, 5}, {2, 3, 6, 7});
    for (int64_t lanes = kLanes / 2; lanes >= kBlocks; lanes /= 2) {
      auto half = [&](int64_t begin) -> Value {
        return vector::ExtractStridedSliceOp::create(builder, loc, joined, {begin}, {lanes}, {1});
      };
      joined = join(builder, half(0), half(lanes));
    }
    return joined;
  }

  /// Writes the first lanes of `values`, as many as there are blocks, `stride` apart.
  void storeOfBlocks(OpBuilder &builder, Value values, Value memref, Value row, Value place,
                     int64_t blocks, int64_t stride) {
    if (stride == 1) {
      if (blocks < kBlocks)
        values = vector::ExtractStridedSliceOp::create(builder, loc, values, {0}, {blocks}, {1});
      vector::StoreOp::create(builder, loc, values, memref, ValueRange{row, place});
      return;
    }
    for (int64_t block = 0; block < blocks; ++block)
      memref::StoreOp::create(builder, loc, vector::ExtractOp::create(builder, loc, values, block),
                              memref, ValueRange{row, add(builder, place, block * stride)});
  }

  /// 4 lanes, or 16, of `value`.
  Value splat(OpBuilder &builder, int64_t lanes, int32_t value) {
    auto type = VectorType::get({lanes}, builder.getI32Type());
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
  }
  Value splat(OpBuilder &builder, float value) {
    auto type = VectorType::get({kBlocks}, builder.getF32Type());
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
  }

  /// Bits of the greatest number in each block or of 0, and of the least, of which only a sign says
  /// that it is below 0. `values` are the blocks' vectors. What isn't a number is further from 0
  /// than all others.
  std::pair<Value, Value> extremes(OpBuilder &builder, ArrayRef<Value> values) {
    auto ints = VectorType::get({kLanes}, builder.getI32Type());
    // Of numbers' bits the greatest is the greatest number, read as signed integers, and read as
    // unsigned ones the least, if one is below 0.
    auto above = [&](OpBuilder &at, Value a, Value b) -> Value {
      return arith::MaxSIOp::create(at, loc, a, b);
    };
    auto below = [&](OpBuilder &at, Value a, Value b) -> Value {
      return arith::MaxUIOp::create(at, loc, a, b);
    };
    SmallVector<Value> greatest, least;
    for (size_t part = 0; part < values.size(); ++part) {
      Value bits = arith::BitcastOp::create(builder, loc, ints, values[part]);
      if (part % kParts == 0) {
        greatest.push_back(bits);
        least.push_back(bits);
        continue;
      }
      greatest.back() = above(builder, greatest.back(), bits);
      least.back() = below(builder, least.back(), bits);
    }
    greatest.resize(kBlocks, greatest.front());
    least.resize(kBlocks, least.front());
    Value up = above(builder, joinLanes(builder, greatest, above), splat(builder, kBlocks, 0));
    return {up, joinLanes(builder, least, below)};
  }

  /// How a block's numbers are rounded: less the centre, if there is one, and times `inverse`.
  struct Rounding {
    Value centre, scale, inverse; // 4 x f32
  };

  /// `furthest` becomes `quant`.
  Rounding roundingFor(OpBuilder &builder, Value furthest, float quant) {
    Value scale = arith::MulFOp::create(builder, loc, furthest, splat(builder, 1 / quant));
    Value none = splat(builder, 0.0f);
    Value isZero = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, furthest, none);
    Value inverse = arith::DivFOp::create(builder, loc, splat(builder, quant), furthest);
    return {Value(), scale, arith::SelectOp::create(builder, loc, isZero, none, inverse)};
  }

  /// What is furthest from 0, the positive of two, becomes -128. So its opposite becomes 128.
  Rounding aboutZero(OpBuilder &builder, Value up, Value least) {
    Value down = arith::AndIOp::create(
        builder, loc, least, splat(builder, kBlocks, std::numeric_limits<int32_t>::max()));
    Value isPositive = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, up, down);
    Value negative = arith::OrIOp::create(
        builder, loc, up, splat(builder, kBlocks, std::numeric_limits<int32_t>::min()));
    Value opposite =
        arith::BitcastOp::create(builder, loc, VectorType::get({kBlocks}, builder.getF32Type()),
                                 arith::SelectOp::create(builder, loc, isPositive, negative, down));
    return roundingFor(builder, opposite, QuantizeOp::kByteReach);
  }

  Rounding aboutCentre(OpBuilder &builder, Value up, Value least) {
    auto floats = VectorType::get({kBlocks}, builder.getF32Type());
    Value zero = splat(builder, kBlocks, 0);
    Value isNegative = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, least, zero);
    Value high = arith::BitcastOp::create(builder, loc, floats, up);
    Value low = arith::BitcastOp::create(
        builder, loc, floats, arith::SelectOp::create(builder, loc, isNegative, least, zero));
    Value half = splat(builder, 0.5f);
    Value centre =
        arith::AddFOp::create(builder, loc, arith::MulFOp::create(builder, loc, low, half),
                              arith::MulFOp::create(builder, loc, high, half));
    centre = arith::TruncFOp::create(builder, loc,
                                     VectorType::get({kBlocks}, builder.getBF16Type()), centre);
    centre = arith::ExtFOp::create(builder, loc, floats, centre);
    Value furthest =
        arith::MaximumFOp::create(builder, loc, arith::SubFOp::create(builder, loc, high, centre),
                                  arith::SubFOp::create(builder, loc, centre, low));
    Rounding rounding = roundingFor(builder, furthest, static_cast<float>(reach));
    rounding.centre = centre;
    return rounding;
  }

  /// Quantises `count` blocks of a row from block `first` on; four at most.
  void buildBlocks(OpBuilder &builder, Value row, Value first, int64_t count) {
    auto floats = VectorType::get({kLanes}, builder.getF32Type());
    auto ints = VectorType::get({kLanes}, builder.getI32Type());
    auto bytes = VectorType::get({kLanes}, builder.getI8Type());
    Value firstColumn = multiply(builder, first, QuantizeOp::kBlock);
    auto column = [&](int64_t part) { return add(builder, firstColumn, part * kLanes); };
    SmallVector<Value> values;
    for (int64_t part = 0; part < count * kParts; ++part)
      values.push_back(
          vector::LoadOp::create(builder, loc, floats, x, ValueRange{row, column(part)}));
    auto [up, least] = extremes(builder, values);
    Rounding rounding = centres ? aboutCentre(builder, up, least) : aboutZero(builder, up, least);
    storeOfBlocks(builder, rounding.scale, scales, row, first, count, 1);

    auto ofBlock = [&](Value numbers, int64_t part) -> Value {
      Value number = vector::ExtractOp::create(builder, loc, numbers, part / kParts);
      return vector::BroadcastOp::create(builder, loc, floats, number);
    };
    SmallVector<Value> counts;
    for (auto [part, value] : llvm::enumerate(values)) {
      if (centres)
        value = arith::SubFOp::create(builder, loc, value, ofBlock(rounding.centre, part));
      Value scaled = arith::MulFOp::create(builder, loc, value, ofBlock(rounding.inverse, part));
      Value whole = math::RoundEvenOp::create(builder, loc, scaled);
      Value quant = arith::FPToSIOp::create(builder, loc, ints, whole);
      if (!centres) // the least becomes -128, and what is as far above 0 would become 128
        quant = arith::MinSIOp::create(builder, loc, quant, splat(builder, kLanes, 127));
      counts.push_back(quant);
      Value narrow = arith::TruncIOp::create(builder, loc, bytes, counts.back());
      vector::StoreOp::create(builder, loc, narrow, quants, ValueRange{row, column(part)});
    }
    Value sum = buildSums(builder, counts, rounding.scale, row, first, count);
    if (centres)
      buildCentres(builder, counts, rounding, sum, row, first, count);
  }

  /// Gives each block's total and centre, and its cross: of `counts`, whose sum is `sum`.
  void buildCentres(OpBuilder &builder, ArrayRef<Value> counts, const Rounding &rounding, Value sum,
                    Value row, Value first, int64_t count) {
    Value total = arith::MulFOp::create(builder, loc, rounding.centre,
                                        splat(builder, static_cast<float>(QuantizeOp::kBlock)));
    sum = arith::SIToFPOp::create(builder, loc, total.getType(), sum);
    total = vector::FMAOp::create(builder, loc, rounding.scale, sum, total);
    Value pairs =
        arith::TruncFOp::create(builder, loc, VectorType::get({2 * kBlocks}, builder.getBF16Type()),
                                vector::InterleaveOp::create(builder, loc, total, rounding.centre));
    if (count < kBlocks)
      pairs = vector::ExtractStridedSliceOp::create(builder, loc, pairs, {0}, {2 * count}, {1});
    vector::StoreOp::create(builder, loc, pairs, centres,
                            ValueRange{row, multiply(builder, first, 2)});

    SmallVector<Value> products;
    for (int64_t block = 0; block < count; ++block) {
      Value unsignedBytes = arith::AddIOp::create(builder, loc, counts[kParts * block],
                                                  splat(builder, kLanes, QuantizeOp::kByteReach));
      products.push_back(
          arith::MulIOp::create(builder, loc, unsignedBytes, counts[kParts * block + 1]));
    }
    products.resize(kBlocks, products.front());
    Value cross = joinLanes(builder, products, [&](OpBuilder &at, Value a, Value b) -> Value {
      return arith::AddIOp::create(at, loc, a, b);
    });
    cross = arith::SubIOp::create(builder, loc, splat(builder, kBlocks, 0), cross);
    storeOfBlocks(builder, cross, crosses, row, first, count, 1);
  }

  /// Adds up a block's quants, [blocks][parts], each part by itself where groups are of 16; gives
  /// what the last groups' add up to.
  Value buildSums(OpBuilder &builder, ArrayRef<Value> counts, Value scale, Value row, Value first,
                  int64_t count) {
    auto plus = [&](OpBuilder &at, Value a, Value b) -> Value {
      return arith::AddIOp::create(at, loc, a, b);
    };
    int64_t groups = QuantizeOp::kBlock / group, parts = kParts / groups;
    Value place = multiply(builder, first, groups), counted;
    for (int64_t index = 0; index < groups; ++index) {
      SmallVector<Value> ofGroup;
      for (int64_t block = 0; block < count; ++block) {
        int64_t part = block * kParts + index;
        ofGroup.push_back(parts == 1 ? counts[part]
                                     : plus(builder, counts[part], counts[part + 1]));
      }
      ofGroup.resize(kBlocks, ofGroup.front());
      Value sum = joinLanes(builder, ofGroup, plus);
      counted = sum;
      if (cast<MemRefType>(sums.getType()).getElementType().isF32())
        sum = arith::MulFOp::create(builder, loc, scale,
                                    arith::SIToFPOp::create(builder, loc, scale.getType(), sum));
      else if (times != 1)
        sum = arith::MulIOp::create(
            builder, loc, sum,
            arith::ConstantOp::create(
                builder, loc, DenseElementsAttr::get(cast<VectorType>(sum.getType()), times)));
      storeOfBlocks(builder, sum, sums, row, add(builder, place, index), count, groups);
    }
    return counted;
  }

  Location loc;
  Value x, quants, scales, sums; ///< matrices, their rows the same
  Value centres, crosses;        ///< of the centred form
  int64_t reach;                 ///< of the centred form, how far quants reach from 0
  int64_t group;
  int32_t times; ///< of integer sums
  int64_t cols;
};

} // namespace

LogicalResult heed::attn::lowerQuantize(OpBuilder &builder, QuantizeOp op) {
  SmallVector<Value> matrices;
  for (OpOperand &operand : op->getOpOperands()) {
    bool hasColumns = operand.getOperandNumber() < 2; // x and quants; others have some for a block
    FailureOr<Value> matrix =
        asMatrix(builder, op, operand.get(), hasColumns ? op.getContracted() : 1);
    if (failed(matrix))
      return failure();
    matrices.push_back(*matrix);
  }
  QuantizeKernel(op, matrices).build(builder);
  return success();
}
