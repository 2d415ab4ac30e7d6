//===- BlockRounding.cpp - how blocks of a row are rounded to integers ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockRounding.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;
using namespace heed::attn;

/// What a centred block's numbers differ from the centre at least, as far as rounding them goes.
static constexpr float kLeastReach = 0x1p-100f;

Value heed::attn::pickOfFour(OpBuilder &builder, Location loc, Value a, Value b,
                             ArrayRef<int64_t> ofFour) {
  SmallVector<int64_t> mask;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    int64_t from = ofFour[lane % 4];
    mask.push_back(lane / 4 * 4 + from % 4 + from / 4 * kLanes);
  }
  return vector::ShuffleOp::create(builder, loc, a, b, mask);
}

Value heed::attn::joinLanes(OpBuilder &builder, Location loc, ArrayRef<Value> vectors,
                            function_ref<Value(OpBuilder &, Value, Value)> join) {
  // Lanes low and high of two vectors side by side, in each four lanes. Each step leaves vectors
  // that hold half as much of twice as many.
  auto pairUp = [&](Value a, Value b, ArrayRef<int64_t> low, ArrayRef<int64_t> high) {
    return join(builder, pickOfFour(builder, loc, a, b, low), pickOfFour(builder, loc, a, b, high));
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

static Value splat(OpBuilder &builder, Location loc, int32_t value) {
  auto type = VectorType::get({kBlocks}, builder.getI32Type());
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
}
static Value splat(OpBuilder &builder, Location loc, float value) {
  auto type = VectorType::get({kBlocks}, builder.getF32Type());
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
}

/// Bits of the greatest number in each block or of 0, and of the least, of which only a sign says
/// that it is below 0. `values` are the blocks' vectors. What isn't a number is further from 0
/// than all others.
static std::pair<Value, Value> extremes(OpBuilder &builder, Location loc, ArrayRef<Value> values) {
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
    if (part % kBlockParts == 0) {
      greatest.push_back(bits);
      least.push_back(bits);
      continue;
    }
    greatest.back() = above(builder, greatest.back(), bits);
    least.back() = below(builder, least.back(), bits);
  }
  greatest.resize(kBlocks, greatest.front());
  least.resize(kBlocks, least.front());
  Value up = above(builder, joinLanes(builder, loc, greatest, above), splat(builder, loc, 0));
  return {up, joinLanes(builder, loc, least, below)};
}

BlockRounding BlockRounding::aboutZero(OpBuilder &builder, Location loc, ArrayRef<Value> values,
                                       int64_t reach) {
  auto [up, least] = extremes(builder, loc, values);
  Value down = arith::AndIOp::create(builder, loc, least,
                                     splat(builder, loc, std::numeric_limits<int32_t>::max()));
  Value isPositive = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, up, down);
  Value negative = arith::OrIOp::create(builder, loc, up,
                                        splat(builder, loc, std::numeric_limits<int32_t>::min()));
  Value opposite =
      arith::BitcastOp::create(builder, loc, VectorType::get({kBlocks}, builder.getF32Type()),
                               arith::SelectOp::create(builder, loc, isPositive, negative, down));
  // The opposite becomes `reach`.
  auto quant = static_cast<float>(reach);
  Value scale = arith::MulFOp::create(builder, loc, opposite, splat(builder, loc, 1 / quant));
  Value none = splat(builder, loc, 0.0f);
  Value isZero = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, opposite, none);
  Value inverse = arith::DivFOp::create(builder, loc, splat(builder, loc, quant), opposite);
  inverse = arith::SelectOp::create(builder, loc, isZero, none, inverse);
  return {scale, inverse, Value()};
}

BlockRounding BlockRounding::aboutCentre(OpBuilder &builder, Location loc, ArrayRef<Value> values,
                                         int64_t reach) {
  auto [up, least] = extremes(builder, loc, values);
  auto floats = VectorType::get({kBlocks}, builder.getF32Type());
  auto ints = VectorType::get({kBlocks}, builder.getI32Type());
  auto asFloats = [&](Value bits) -> Value {
    return arith::BitcastOp::create(builder, loc, floats, bits);
  };
  Value zero = splat(builder, loc, 0);
  Value isNegative = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, least, zero);
  Value high = asFloats(up);
  Value low = asFloats(arith::SelectOp::create(builder, loc, isNegative, least, zero));
  Value half = splat(builder, loc, 0.5f);
  Value centre = arith::AddFOp::create(builder, loc, arith::MulFOp::create(builder, loc, low, half),
                                       arith::MulFOp::create(builder, loc, high, half));
  centre = arith::TruncFOp::create(builder, loc, VectorType::get({kBlocks}, builder.getBF16Type()),
                                   centre);
  centre = arith::ExtFOp::create(builder, loc, floats, centre);
  // Neither is below 0, so that the greater number is the one with the greater bits.
  auto distance = [&](Value above, Value below) -> Value {
    return arith::BitcastOp::create(builder, loc, ints,
                                    arith::SubFOp::create(builder, loc, above, below));
  };
  Value furthest =
      arith::MaxSIOp::create(builder, loc, distance(high, centre), distance(centre, low));
  Value scale = arith::MulFOp::create(builder, loc, asFloats(furthest),
                                      splat(builder, loc, 1 / static_cast<float>(reach)));
  // A block of zeros stays one if it is multiplied by any number.
  Value atLeast = splat(builder, loc, llvm::bit_cast<int32_t>(kLeastReach));
  furthest = asFloats(arith::MaxSIOp::create(builder, loc, furthest, atLeast));
  Value inverse =
      arith::DivFOp::create(builder, loc, splat(builder, loc, static_cast<float>(reach)), furthest);
  return {scale, inverse, centre};
}
