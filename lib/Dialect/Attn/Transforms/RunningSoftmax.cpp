//===- RunningSoftmax.cpp - joining running softmaxes of parts of the keys -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunningSoftmax.h"

#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace heed::attn;

namespace {

using Body = function_ref<Value(OpBuilder &, ValueRange)>;

/// A linalg.generic over the axes of `into`, and one reduction behind them where `reduces`.
/// `axes` says which loops index each input.
Value overParts(OpBuilder &builder, Location loc, ValueRange inputs,
                ArrayRef<SmallVector<unsigned>> axes, Value into, bool reduces, Body compute) {
  unsigned rank = cast<RankedTensorType>(into.getType()).getRank(), loops = rank + reduces;
  SmallVector<AffineMap> maps;
  for (ArrayRef<unsigned> ofInput : axes)
    maps.push_back(AffineMap::get(
        loops, 0,
        llvm::map_to_vector(ofInput, [&](unsigned loop) { return builder.getAffineDimExpr(loop); }),
        builder.getContext()));
  maps.push_back(
      AffineMap::getMultiDimIdentityMap(loops, builder.getContext()).getMajorSubMap(rank));
  SmallVector<utils::IteratorType> kinds(loops, utils::IteratorType::parallel);
  if (reduces)
    kinds.back() = utils::IteratorType::reduction;
  return linalg::GenericOp::create(builder, loc, into.getType(), inputs, into, maps, kinds,
                                   [&](OpBuilder &body, Location, ValueRange arguments) {
                                     linalg::YieldOp::create(body, loc, compute(body, arguments));
                                   })
      .getResult(0);
}

} // namespace

RunningSoftmax heed::attn::joinParts(OpBuilder &builder, Location loc, RunningSoftmax parts) {
  auto accType = cast<RankedTensorType>(parts.acc.getType());
  Type f32 = builder.getF32Type();
  int64_t lanes = accType.getDimSize(1), width = accType.getDimSize(2);
  auto scalar = [&](OpBuilder &b, float value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  };
  auto filled = [&](ArrayRef<int64_t> shape, float value) -> Value {
    Value empty = tensor::EmptyOp::create(builder, loc, shape, f32);
    return linalg::FillOp::create(builder, loc, scalar(builder, value), empty).getResult(0);
  };

  RunningSoftmax joined;
  joined.max = overParts(builder, loc, parts.max, {{1, 0}}, filled({lanes}, -INFINITY), true,
                         [&](OpBuilder &b, ValueRange arguments) -> Value {
                           return arith::MaxNumFOp::create(b, loc, arguments[0], arguments[1]);
                         });
  // How much each part counts, computed once for all components.
  OpFoldResult count = tensor::getMixedSize(builder, loc, parts.max, 0);
  Value empty = tensor::EmptyOp::create(
      builder, loc, ArrayRef<OpFoldResult>{builder.getIndexAttr(lanes), count}, f32);
  Value weights = overParts(
      builder, loc, {parts.max, joined.max}, {{1, 0}, {0}}, empty, false,
      [&](OpBuilder &b, ValueRange arguments) -> Value {
        Value seen = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, arguments[0],
                                           scalar(b, -INFINITY));
        Value below = arith::SubFOp::create(b, loc, arguments[0], arguments[1]);
        Value zero = scalar(b, 0);
        Value safe = arith::SelectOp::create(b, loc, seen, below, zero); // not -inf - -inf
        // 2^x as e^(x ln 2), which is a polynomial and no call.
        Value exponent = arith::MulFOp::create(b, loc, safe, scalar(b, std::numbers::ln2_v<float>));
        return arith::SelectOp::create(b, loc, seen, math::ExpOp::create(b, loc, exponent), zero);
      });
  auto weighed = [&](OpBuilder &b, ValueRange arguments) -> Value {
    Value part = arith::MulFOp::create(b, loc, arguments[0], arguments[1]);
    return arith::AddFOp::create(b, loc, arguments[2], part);
  };
  joined.sum = overParts(builder, loc, {parts.sum, weights}, {{1, 0}, {0, 1}}, filled({lanes}, 0),
                         true, weighed);
  joined.acc = overParts(builder, loc, {parts.acc, weights}, {{2, 0, 1}, {0, 2}},
                         filled({lanes, width}, 0), true, weighed);
  return joined;
}

Value heed::attn::weighedValues(OpBuilder &builder, Location loc, RunningSoftmax all,
                                bool lanesFirst) {
  auto type = cast<RankedTensorType>(all.acc.getType());
  AffineMap both = builder.getMultiDimIdentityMap(2);
  AffineMap ofLane = both.getSubMap({lanesFirst ? 0u : 1u});
  Value into = tensor::EmptyOp::create(builder, loc, type.getShape(), type.getElementType());
  SmallVector<utils::IteratorType> parallel(2, utils::IteratorType::parallel);
  Value quotients =
      linalg::GenericOp::create(
          builder, loc, type, ValueRange{all.acc, all.sum}, ValueRange{into},
          ArrayRef<AffineMap>{both, ofLane, both}, parallel,
          [&](OpBuilder &b, Location, ValueRange args) {
            Value zero = floatConstant(b, loc, 0);
            Value seen = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, args[1], zero);
            Value quotient = arith::DivFOp::create(b, loc, args[0], args[1]);
            Value result = arith::SelectOp::create(b, loc, seen, quotient, zero);
            linalg::YieldOp::create(b, loc, result);
          })
          .getResult(0);
  return lanesFirst ? quotients : arrangeAxes(builder, loc, quotients, {1, 0});
}
