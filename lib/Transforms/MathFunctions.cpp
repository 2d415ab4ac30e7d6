//===- MathFunctions.cpp - functions as arithmetic without branches - -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Coefficients are those of the smallest largest error, fitted in f64 with a weight
// that makes it the error of the function itself, and rounded to f32.
//
//===----------------------------------------------------------------------===//

#include "MathFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace {

/// Builds arithmetic on numbers of one type.
class Numbers {
public:
  Numbers(OpBuilder &builder, Location loc, Type type)
      : builder(builder), loc(loc), type(type), ints(builder.getI32Type()) {
    if (auto vector = dyn_cast<VectorType>(type))
      ints = vector.clone(ints);
  }

  Value number(float value) { return constant(type, builder.getF32FloatAttr(value)); }
  Value integer(int32_t value) { return constant(ints, builder.getI32IntegerAttr(value)); }
  Value add(Value a, Value b) { return arith::AddFOp::create(builder, loc, a, b); }
  Value negate(Value x) { return arith::NegFOp::create(builder, loc, x); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) { return arith::MulFOp::create(builder, loc, a, b); }
  Value div(Value a, Value b) { return arith::DivFOp::create(builder, loc, a, b); }
  Value fma(Value a, Value b, Value c) { return math::FmaOp::create(builder, loc, a, b, c); }
  Value abs(Value x) { return math::AbsFOp::create(builder, loc, x); }
  Value withSignOf(Value magnitude, Value x) {
    return math::CopySignOp::create(builder, loc, magnitude, x);
  }
  /// Coefficients from the highest power's on.
  Value polynomial(Value x, ArrayRef<float> coefficients) {
    Value result = number(coefficients.front());
    for (float coefficient : coefficients.drop_front())
      result = fma(result, x, number(coefficient));
    return result;
  }
  /// The same in pairs, whose chain is half as long: an odd number of coefficients.
  Value polynomialInPairs(Value x, ArrayRef<float> coefficients) {
    Value square = mul(x, x), result = number(coefficients.front());
    for (coefficients = coefficients.drop_front(); !coefficients.empty();
         coefficients = coefficients.drop_front(2))
      result = fma(result, square, fma(x, number(coefficients[0]), number(coefficients[1])));
    return result;
  }
  Value choose(arith::CmpFPredicate predicate, Value a, float b, Value yes, Value no) {
    Value isSo = arith::CmpFOp::create(builder, loc, predicate, a, number(b));
    return arith::SelectOp::create(builder, loc, isSo, yes, no);
  }
  /// A NaN is neither below nor above.
  Value atLeast(Value x, float least) {
    return choose(arith::CmpFPredicate::OLT, x, least, number(least), x);
  }
  Value atMost(Value x, float most) {
    return choose(arith::CmpFPredicate::OGT, x, most, number(most), x);
  }

  /// The integer next to x, |x| < 2^22: as a number, and as an integer.
  struct Rounded {
    Value number, integer;
  };
  Rounded round(Value x) { return roundProduct(x, number(1)); }
  /// That of x * factor. The sum with 1.5 * 2^23 has it in its last bits.
  Rounded roundProduct(Value x, Value factor) {
    Value shift = number(0x1.8p23f);
    Value sum = fma(x, factor, shift);
    Value bits = arith::SubIOp::create(builder, loc, bitsOf(sum), integer(0x4b400000));
    return {sub(sum, shift), bits};
  }
  /// 2^n for -127 < n < 128.
  Value powerOfTwo(Value n) {
    Value biased = arith::AddIOp::create(builder, loc, n, integer(127));
    Value bits = arith::ShLIOp::create(builder, loc, biased, integer(23));
    return arith::BitcastOp::create(builder, loc, type, bits);
  }
  /// 2^(n - 1) from what has n in its last bits, beside 127 - 1.
  Value powerFromSum(Value sum) {
    return arith::BitcastOp::create(builder, loc, type,
                                    arith::ShLIOp::create(builder, loc, bitsOf(sum), integer(23)));
  }
  Value half(Value n) { return arith::ShRSIOp::create(builder, loc, n, integer(1)); }
  Value without(Value n, Value m) { return arith::SubIOp::create(builder, loc, n, m); }

  /// e^x = 2^n * e^f, where f is the part beyond n ln 2: n, and e^f.
  std::pair<Value, Value> exponential(Value x) {
    Rounded n = roundProduct(x, number(0x1.715476p+0f)); // 1 / ln 2
    Value f = fma(n.number, number(-0x1.62e4p-1f), x);   // ln 2 in two parts
    f = fma(n.number, number(-0x1.7f7d1cp-20f), f);
    Value p =
        polynomial(f, {1.3814599e-3f, 8.368717e-3f, 4.166839e-2f, 1.6666521e-1f, 4.9999994e-1f});
    p = fma(mul(f, f), p, f);
    return {n.integer, add(p, number(1))};
  }

private:
  Value constant(Type of, TypedAttr value) {
    if (auto vector = dyn_cast<VectorType>(of))
      value = DenseElementsAttr::get(vector, Attribute(value));
    return arith::ConstantOp::create(builder, loc, value);
  }
  Value bitsOf(Value x) { return arith::BitcastOp::create(builder, loc, ints, x); }

  OpBuilder &builder;
  Location loc;
  Type type, ints;
};

} // namespace

Value heed::buildExp(OpBuilder &builder, Location loc, Value x) {
  Numbers of(builder, loc, x.getType());
  // Beyond these it is 0 and infinite.
  auto [n, power] = of.exponential(of.atMost(of.atLeast(x, -104), 89));
  // In two steps, since 2^n alone may be out of range where the result isn't.
  Value half = of.half(n);
  return of.mul(of.mul(power, of.powerOfTwo(half)), of.powerOfTwo(of.without(n, half)));
}

Value heed::buildTanh(OpBuilder &builder, Location loc, Value x) {
  Numbers of(builder, loc, x.getType());
  Value magnitude = of.abs(x), square = of.mul(x, x);
  Value p = of.polynomial(
      square, {-5.7049864e-3f, 2.0639086e-2f, -5.3739715e-2f, 1.3331442e-1f, -3.333328e-1f});
  Value small = of.fma(of.mul(square, magnitude), p, magnitude);
  // 1 - 2 / (e^2x + 1), which is 1 from 9.02 on.
  Value most = of.atMost(magnitude, 10);
  auto [n, power] = of.exponential(of.add(most, most));
  Value large = of.fma(power, of.powerOfTwo(n), of.number(1));
  large = of.sub(of.number(1), of.div(of.number(2), large));
  return of.withSignOf(of.choose(arith::CmpFPredicate::OLT, magnitude, 0.625f, small, large), x);
}

Value heed::buildErf(OpBuilder &builder, Location loc, Value x) {
  Numbers of(builder, loc, x.getType());
  Value magnitude = of.abs(x), square = of.mul(x, x);
  Value p = of.polynomial(square, {-5.919419e-4f, 4.9791303e-3f, -2.6757035e-2f, 1.1281552e-1f,
                                   -3.7612468e-1f, 1.2837915e-1f});
  Value small = of.fma(magnitude, p, magnitude);
  // 1 - 2^q, where q is the logarithm of what is missing; from 3.92 on the result is 1.
  Value t = of.atMost(magnitude, 4);
  Value q =
      of.mul(t, of.polynomial(t, {-1.7154189e-5f, 4.7525394e-4f, -5.2939025e-3f, 3.4364074e-2f,
                                  -1.5336376e-1f, -9.1627115e-1f, -1.6283101f}));
  Numbers::Rounded n = of.round(q);
  Value power = of.polynomial(of.sub(q, n.number), {1.3276449e-3f, 9.675564e-3f, 5.5507135e-2f,
                                                    2.4022119e-1f, 6.9314694e-1f, 1.0000001f});
  Value large = of.sub(of.number(1), of.mul(power, of.powerOfTwo(n.integer)));
  return of.withSignOf(of.choose(arith::CmpFPredicate::OLT, magnitude, 0.9375f, small, large), x);
}

Value heed::buildRoughExp(OpBuilder &builder, Location loc, Value x) {
  Numbers of(builder, loc, x.getType());
  // Beyond these it is 0 and infinite.
  x = of.atMost(of.atLeast(x, -87.3f), 89);
  // 2^(n - 1) * 2^(1 + f), since 2^n alone may be out of range where the result isn't. The biased
  // exponent n - 1 + 127 is what the sum's last bits are.
  Value factor = of.number(0x1.715476p+0f), shift = of.number(0x1.8p23f + 126); // 1 / ln 2
  Value sum = of.fma(x, factor, shift);
  Value f = of.fma(x, factor, of.negate(of.sub(sum, shift)));
  Value power = of.polynomial(f, {1.1034201e-1f, 4.852318e-1f, 1.3865229f, 1.9998556f});
  return of.mul(power, of.powerFromSum(sum));
}

Value heed::buildRoughTanh(OpBuilder &builder, Location loc, Value x) {
  Numbers of(builder, loc, x.getType());
  // At the ends it is 1, so that nothing is left of 1 - tanh(x) beyond them.
  x = of.atMost(of.atLeast(x, -6.3f), 6.3f);
  Value square = of.mul(x, x);
  Value above = of.polynomial(square, {1.4104402e-3f, 1.1313043e-1f, 9.999886e-1f});
  Value below = of.polynomial(square, {4.9936414e-5f, 1.6979495e-2f, 4.463514e-1f, 1});
  return of.div(of.mul(x, above), below);
}

Value heed::buildRoughErf(OpBuilder &builder, Location loc, Value x) {
  Numbers of(builder, loc, x.getType());
  // The same.
  x = of.atMost(of.atLeast(x, -2.99f), 2.99f);
  Value square = of.mul(x, x);
  return of.mul(x, of.polynomialInPairs(square, {4.6155897e-8f, -2.1529381e-6f, 4.437005e-5f,
                                                 -5.391346e-4f, 4.3724286e-3f, -2.548629e-2f,
                                                 1.1165836e-1f, -3.757183e-1f, 1.1283544f}));
}
