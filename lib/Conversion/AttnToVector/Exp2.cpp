//===- Exp2.cpp - 2^x in vectors -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// x = n + f with n an integer, and 2^x = 2^n * 2^f; 2^f is a polynomial fitted for the
// least relative error. Degree 6 errs by 2^-29 on [-1/2, 1/2], where f is exact; with its
// coefficients in f32 the result is within 1 ulp over [-126, 0]. Where only eight bits
// are kept of the result, degree 3 will do, which errs by 2^-13.7.
//
// AVX-512 has an instruction that multiplies by 2^n, n rounded down: so where n is the
// floor of x, and f in [0, 1], x itself will do. Others put 2^n together from bits. (It
// has one that leaves f, too, which Zen 5 does where it multiplies. What rounds and what
// subtracts are units of their own.)
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace heed::attn;

/// Of 2^f, from the highest power's on.
using Coefficients = ArrayRef<float>;

static Value splat(OpBuilder &builder, Location loc, VectorType type, float value) {
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
}

static Value buildPolynomial(OpBuilder &builder, Location loc, Value x, Coefficients coefficients) {
  auto floats = cast<VectorType>(x.getType());
  Value sum = splat(builder, loc, floats, coefficients.front());
  for (float coefficient : coefficients.drop_front())
    sum = vector::FMAOp::create(builder, loc, sum, x, splat(builder, loc, floats, coefficient));
  return sum;
}

/// By the instruction that multiplies by a power; `coefficients` are for [-1/2, 1/2] where
/// `exactly`, and for [0, 1] else.
static Value buildBySplitting(OpBuilder &builder, Location loc, Value x, Coefficients coefficients,
                              bool exactly) {
  // Of -inf the fraction is NaN, which a scale of 0 makes 0.
  Value whole = exactly ? Value(math::RoundEvenOp::create(builder, loc, x))
                        : Value(math::FloorOp::create(builder, loc, x));
  Value part = arith::SubFOp::create(builder, loc, x, whole);
  Value power = buildPolynomial(builder, loc, part, coefficients);
  return ScaleByPowerOp::create(builder, loc, power, exactly ? whole : x);
}

/// By the bits of 2^n; `coefficients` are for [-1/2, 1/2].
static Value buildByBits(OpBuilder &builder, Location loc, Value x, Coefficients coefficients) {
  auto floats = cast<VectorType>(x.getType());
  auto ints = VectorType::get(floats.getShape(), builder.getI32Type());
  auto splatInt = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(ints, value));
  };
  // -127 makes the exponent's bits zero below: the result is exactly 0, for -inf too.
  Value lowest = splat(builder, loc, floats, -127.0f);
  Value above = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, x, lowest);
  Value clamped = arith::SelectOp::create(builder, loc, above, x, lowest);
  Value whole = math::RoundEvenOp::create(builder, loc, clamped);
  Value part = arith::SubFOp::create(builder, loc, clamped, whole);
  Value power = buildPolynomial(builder, loc, part, coefficients);
  Value exponent = arith::FPToSIOp::create(builder, loc, ints, whole);
  exponent = arith::AddIOp::create(builder, loc, exponent, splatInt(127));
  exponent = arith::ShLIOp::create(builder, loc, exponent, splatInt(23));
  Value scale = arith::BitcastOp::create(builder, loc, floats, exponent);
  return arith::MulFOp::create(builder, loc, power, scale);
}

Value heed::attn::exp2OfNonPositive(OpBuilder &builder, Location loc, Value x,
                                    const KernelShape &shape) {
  constexpr float ofHalves[] = {1.5345811e-4f, 1.3399931e-3f, 9.6184891e-3f, 5.5503286e-2f,
                                2.4022646e-1f, 6.9314718e-1f, 1.0f};
  return shape.splitsExponents ? buildBySplitting(builder, loc, x, ofHalves, /*exactly=*/true)
                               : buildByBits(builder, loc, x, ofHalves);
}

Value heed::attn::exp2ToBeRounded(OpBuilder &builder, Location loc, Value x,
                                  const KernelShape &shape) {
  constexpr float ofHalves[] = {5.5171672e-2f, 2.4261113e-1f, 6.9326097e-1f, 9.9992806e-1f};
  constexpr float ofWhole[] = {7.8024521e-2f, 2.2606716e-1f, 6.9583356e-1f, 9.9992520e-1f};
  return shape.splitsExponents ? buildBySplitting(builder, loc, x, ofWhole, /*exactly=*/false)
                               : buildByBits(builder, loc, x, ofHalves);
}
