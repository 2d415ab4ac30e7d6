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
  QuantizeKernel(QuantizeOp op, Value x, Value quants, Value scales, Value sums)
      : loc(op.getLoc()), x(x), quants(quants), scales(scales), sums(sums), group(op.getGroup()),
        times(op.getTimes()), cols(cast<MemRefType>(x.getType()).getDimSize(1)) {}

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

  /// Of the number in each block that is furthest from 0, and the positive of two, the negative: it
  /// becomes 128. `values` are the blocks' vectors. What isn't a number is further than all others.
  Value oppositeOfFurthest(OpBuilder &builder, ArrayRef<Value> values) {
    auto ints = VectorType::get({kLanes}, builder.getI32Type());
    auto ofBlocks = VectorType::get({kBlocks}, builder.getI32Type());
    auto splat = [&](int32_t value) -> Value {
      return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(ofBlocks, value));
    };
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
    Value up = above(builder, joinLanes(builder, greatest, above), splat(0));
    Value down = arith::AndIOp::create(builder, loc, joinLanes(builder, least, below),
                                       splat(std::numeric_limits<int32_t>::max()));
    Value isPositive = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, up, down);
    Value negative =
        arith::OrIOp::create(builder, loc, up, splat(std::numeric_limits<int32_t>::min()));
    return arith::BitcastOp::create(
        builder, loc, VectorType::get({kBlocks}, builder.getF32Type()),
        arith::SelectOp::create(builder, loc, isPositive, negative, down));
  }

  /// Quantises `count` blocks of a row from block `first` on; four at most.
  void buildBlocks(OpBuilder &builder, Value row, Value first, int64_t count) {
    auto floats = VectorType::get({kLanes}, builder.getF32Type());
    auto ints = VectorType::get({kLanes}, builder.getI32Type());
    auto bytes = VectorType::get({kLanes}, builder.getI8Type());
    auto ofBlocks = VectorType::get({kBlocks}, builder.getF32Type());
    auto splat = [&](float value) -> Value {
      return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(ofBlocks, value));
    };
    Value firstColumn = multiply(builder, first, QuantizeOp::kBlock);
    auto column = [&](int64_t part) { return add(builder, firstColumn, part * kLanes); };
    SmallVector<Value> values;
    for (int64_t part = 0; part < count * kParts; ++part)
      values.push_back(
          vector::LoadOp::create(builder, loc, floats, x, ValueRange{row, column(part)}));
    Value opposite = oppositeOfFurthest(builder, values);
    Value scale = arith::MulFOp::create(builder, loc, opposite, splat(1.0f / 128));
    Value isZero =
        arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, opposite, splat(0));
    Value inverse = arith::SelectOp::create(
        builder, loc, isZero, splat(0), arith::DivFOp::create(builder, loc, splat(128), opposite));
    storeOfBlocks(builder, scale, scales, row, first, count, 1);

    Value highest = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(ints, 127));
    SmallVector<Value> counts;
    for (auto [part, value] : llvm::enumerate(values)) {
      Value factor = vector::ExtractOp::create(builder, loc, inverse, int64_t(part) / kParts);
      factor = vector::BroadcastOp::create(builder, loc, floats, factor);
      Value scaled = arith::MulFOp::create(builder, loc, value, factor);
      Value whole = math::RoundEvenOp::create(builder, loc, scaled);
      Value quant = arith::FPToSIOp::create(builder, loc, ints, whole);
      counts.push_back(arith::MinSIOp::create(builder, loc, quant, highest));
      Value narrow = arith::TruncIOp::create(builder, loc, bytes, counts.back());
      vector::StoreOp::create(builder, loc, narrow, quants, ValueRange{row, column(part)});
    }
    buildSums(builder, counts, scale, row, first, count);
  }

  /// Adds up a block's quants, [blocks][parts], each part by itself where groups are of 16.
  void buildSums(OpBuilder &builder, ArrayRef<Value> counts, Value scale, Value row, Value first,
                 int64_t count) {
    auto plus = [&](OpBuilder &at, Value a, Value b) -> Value {
      return arith::AddIOp::create(at, loc, a, b);
    };
    int64_t groups = QuantizeOp::kBlock / group, parts = kParts / groups;
    Value place = multiply(builder, first, groups);
    for (int64_t index = 0; index < groups; ++index) {
      SmallVector<Value> ofGroup;
      for (int64_t block = 0; block < count; ++block) {
        int64_t part = block * kParts + index;
        ofGroup.push_back(parts == 1 ? counts[part]
                                     : plus(builder, counts[part], counts[part + 1]));
      }
      ofGroup.resize(kBlocks, ofGroup.front());
      Value sum = joinLanes(builder, ofGroup, plus);
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
  }

  Location loc;
  Value x, quants, scales, sums; ///< matrices, their rows the same
  int64_t group;
  int32_t times; ///< of integer sums
  int64_t cols;
};

} // namespace

LogicalResult heed::attn::lowerQuantize(OpBuilder &builder, QuantizeOp op) {
  FailureOr<Value> x = asMatrix(builder, op, op.getX(), op.getContracted());
  FailureOr<Value> quants = asMatrix(builder, op, op.getQuants(), op.getContracted());
  FailureOr<Value> scales = asMatrix(builder, op, op.getScales(), 1);
  FailureOr<Value> sums = asMatrix(builder, op, op.getSums(), 1);
  if (failed(x) || failed(quants) || failed(scales) || failed(sums))
    return failure();
  QuantizeKernel(op, *x, *quants, *scales, *sums).build(builder);
  return success();
}
