//===- Exp2.cpp - 2^x in vectors -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// x = n + f with n an integer and |f| <= 1/2; 2^n is put together from bits and
// 2^f is a polynomial of degree 6, fitted for the least relative error on
// [-1/2, 1/2], which is 2^-29. Over [-126, 0], with its coefficients in f32, the
// result is within 1 ulp. A polynomial of degree 3 errs by 2^-13.7, where only eight bits
// are kept of the result.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace heed::attn;

/// `coefficients` of 2^f, from the highest power's on.
static Value buildPower(OpBuilder &builder, Location loc, Value x, ArrayRef<float> coefficients) {
  auto floats = cast<VectorType>(x.getType());
  auto ints = VectorType::get(floats.getShape(), builder.getI32Type());
  auto splat = [&](float value) -> Value {
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(floats, value));
  };
  auto splatInt = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(ints, value));
  };
  // -127 makes the exponent's bits zero below: the result is exactly 0, for -inf too.
  Value lowest = splat(-127.0f);
  Value above = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, x, lowest);
  Value clamped = arith::SelectOp::create(builder, loc, above, x, lowest);
  Value whole = math::RoundEvenOp::create(builder, loc, clamped);
  Value part = arith::SubFOp::create(builder, loc, clamped, whole);
  Value power = splat(coefficients.front());
  for (float coefficient : coefficients.drop_front())
    power = vector::FMAOp::create(builder, loc, power, part, splat(coefficient));
  Value exponent = arith::FPToSIOp::create(builder, loc, ints, whole);
  exponent = arith::AddIOp::create(builder, loc, exponent, splatInt(127));
  exponent = arith::ShLIOp::create(builder, loc, exponent, splatInt(23));
  Value scale = arith::BitcastOp::create(builder, loc, floats, exponent);
  return arith::MulFOp::create(builder, loc, power, scale);
}

Value heed::attn::exp2OfNonPositive(OpBuilder &builder, Location loc, Value x) {
  return buildPower(builder, loc, x,
                    {1.5345811e-4f, 1.3399931e-3f, 9.6184891e-3f, 5.5503286e-2f, 2.4022646e-1f,
                     6.9314718e-1f, 1.0f});
}

Value heed::attn::exp2ToBeRounded(OpBuilder &builder, Location loc, Value x) {
  return buildPower(builder, loc, x, {5.5171672e-2f, 2.4261113e-1f, 6.9326097e-1f, 9.9992806e-1f});
}
