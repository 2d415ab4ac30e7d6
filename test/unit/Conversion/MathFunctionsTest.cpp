//===- MathFunctionsTest.cpp - how close functions are, over every float --===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The table in docs/Performance.md is what these tests hold. Every float is tried
// where a function bends. Where it is a constant or, near 0, a multiple of x, only
// a sample is: one float in 1,021, of all exponents.
//
//===----------------------------------------------------------------------===//

#include "LaneFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <thread>

using namespace mlir;
using namespace heed;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Function {
  const char *name;
  Value (*build)(OpBuilder &, Location, Value);
  double (*exact)(double);
  float low, high;      ///< every float of these magnitudes is tried
  float least;          ///< the least x of all
  double most;          ///< units in the last place that a result may be off
  bool isRough = false; ///< then its share of the result
};

template <typename Op> Value build(OpBuilder &builder, Location loc, Value x) {
  return Op::create(builder, loc, x);
}
template <typename Op> Value buildRough(OpBuilder &builder, Location loc, Value x) {
  return Op::create(builder, loc, x, arith::FastMathFlags::afn);
}
template <Value (*exponential)(OpBuilder &, Location, Value)>
Value sigmoid(OpBuilder &builder, Location loc, Value x) {
  Value one = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(cast<ShapedType>(x.getType()), 1.0f));
  Value power = exponential(builder, loc, arith::NegFOp::create(builder, loc, x));
  return arith::DivFOp::create(builder, loc, one, arith::AddFOp::create(builder, loc, one, power));
}
template <Value (*exponential)(OpBuilder &, Location, Value)>
Value silu(OpBuilder &builder, Location loc, Value x) {
  Value one = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(cast<ShapedType>(x.getType()), 1.0f));
  Value power = exponential(builder, loc, arith::NegFOp::create(builder, loc, x));
  return arith::DivFOp::create(builder, loc, x, arith::AddFOp::create(builder, loc, one, power));
}

double exactSigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double exactSilu(double x) { return x / (1 + std::exp(-x)); }

/// What rounding to bf16 may cost, a sixteenth of it.
constexpr double kRough = 0x1p-13;

const Function kFunctions[] = {
    {"exp", build<math::ExpOp>, std::exp, 0x1p-25f, 110, -110, 1.1},
    {"tanh", build<math::TanhOp>, std::tanh, 0x1p-13f, 11, -11, 2.0},
    {"erf", build<math::ErfOp>, std::erf, 0x1p-13f, 5, -5, 2.0},
    // e^x is infinite from 88.73 on: what is less than 2^-125 becomes 0.
    {"sigmoid", sigmoid<build<math::ExpOp>>, exactSigmoid, 0x1p-13f, 110, -86, 3.0},
    {"silu", silu<build<math::ExpOp>>, exactSilu, 0x1p-13f, 110, -86, 3.0},
    // With two more in the exponent it is half as large.
    {"rsqrt", build<math::RsqrtOp>, [](double x) { return 1 / std::sqrt(x); }, 1, 4, 0, 2.0},
    // Below 2^-125.5 it is 0.
    {"rough_exp", buildRough<math::ExpOp>, std::exp, 0x1p-25f, 110, -86.9f, kRough, true},
    {"rough_tanh", buildRough<math::TanhOp>, std::tanh, 0x1p-13f, 11, -11, kRough / 4, true},
    {"rough_erf", buildRough<math::ErfOp>, std::erf, 0x1p-13f, 5, -5, kRough / 4, true},
    {"rough_sigmoid", sigmoid<buildRough<math::ExpOp>>, exactSigmoid, 0x1p-13f, 110, -86, kRough,
     true},
    {"rough_silu", silu<buildRough<math::ExpOp>>, exactSilu, 0x1p-13f, 110, -86, kRough, true},
};

/// The largest error of some floats, and where it is.
struct Worst {
  double error = 0;
  float x = 0;
  void take(double other, float at) {
    if (!(other <= error)) // or NaN
      error = other, x = at;
  }
};

/// How far off a result is, as a share of it. Near the largest float it may be infinite, or finite
/// where the function isn't.
double shareOff(float found, double exact) {
  auto finite = [](double x) {
    double most = std::numeric_limits<float>::max();
    return std::clamp(x, -most, most);
  };
  if (exact == 0)
    return std::abs(found);
  return std::abs(finite(found) - finite(exact)) /
         std::max(std::abs(finite(exact)), double(std::numeric_limits<float>::min()));
}

/// Tries every `stride`-th float from `first` to `last` on, both of one sign, by their bits.
Worst tryFloats(const Function &function, const std::vector<LaneFunction> &codes, uint64_t first,
                uint64_t last, uint64_t stride) {
  Worst worst;
  constexpr size_t kAtOnce = 1 << 12;
  std::vector<float> xs(kAtOnce), found;
  std::vector<double> exact(kAtOnce);
  for (uint64_t next = first; next <= last;) {
    for (size_t i = 0; i < kAtOnce; ++i, next += stride) { // the last one, again and again
      xs[i] = std::bit_cast<float>(static_cast<uint32_t>(std::min(next, last)));
      exact[i] = function.exact(xs[i]);
    }
    for (const LaneFunction &code : codes) {
      found = xs;
      code.apply(found);
      for (size_t i = 0; i < kAtOnce; ++i) {
        if (function.isRough) {
          worst.take(shareOff(found[i], exact[i]), xs[i]);
          continue;
        }
        if (std::abs(exact[i]) > std::numeric_limits<float>::max())
          worst.take(found[i] == static_cast<float>(exact[i]) ? 0 : 1e9, xs[i]);
        else
          worst.take(ulps(found[i], exact[i]), xs[i]);
      }
    }
  }
  return worst;
}

/// The same, divided among the threads of this machine.
Worst tryAll(const Function &function, const std::vector<LaneFunction> &codes, float low,
             float high, bool isNegative, uint64_t stride) {
  uint64_t sign = isNegative ? 0x80000000 : 0, first = std::bit_cast<uint32_t>(low) | sign,
           last = std::bit_cast<uint32_t>(high) | sign;
  unsigned count = std::max(1u, std::thread::hardware_concurrency());
  std::vector<Worst> parts(count);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < count; ++t)
    threads.emplace_back([&, t] {
      uint64_t begin = first + (last - first) * t / count,
               end = first + (last - first) * (t + 1) / count;
      parts[t] = tryFloats(function, codes, begin, end, stride);
    });
  Worst worst;
  for (unsigned t = 0; t < count; ++t) {
    threads[t].join();
    worst.take(parts[t].error, parts[t].x);
  }
  return worst;
}

class MathFunctions : public testing::TestWithParam<Function> {};

TEST_P(MathFunctions, AreAsCloseAsStated) {
  const Function &function = GetParam();
  std::vector<LaneFunction> codes;
  for (const InstructionSet *set : setsOfThisMachine()) {
    codes.emplace_back(*set, function.build);
    ASSERT_TRUE(codes.back().ok());
  }
  auto check = [&](float low, float high, bool isNegative, uint64_t stride) {
    Worst worst = tryAll(function, codes, low, high, isNegative, stride);
    EXPECT_LE(worst.error, function.most) << "at " << worst.x;
    return worst.error;
  };
  double most = check(function.low, function.high, false, 1);
  check(0, function.low, false, 1021);
  check(function.high, kInfinity, false, 1021);
  if (function.least < 0) {
    most = std::max(most, check(function.low, -function.least, true, 1));
    check(0, function.low, true, 1021);
    if (function.least == -function.high)
      check(function.high, kInfinity, true, 1021);
  }
  std::printf(function.isRough ? "%s: 2^%.2f\n" : "%s: %.3f\n", function.name,
              function.isRough ? std::log2(most) : most);
}

TEST_P(MathFunctions, KeepWhatIsNoNumber) {
  const Function &function = GetParam();
  for (const InstructionSet *set : setsOfThisMachine()) {
    LaneFunction code(*set, function.build);
    ASSERT_TRUE(code.ok());
    std::vector<float> values(16, std::numeric_limits<float>::quiet_NaN());
    code.apply(values);
    EXPECT_TRUE(std::isnan(values[0])) << set->name;
    if (function.exact(0) != 0)
      continue;
    std::fill(values.begin(), values.end(), -0.0f);
    code.apply(values);
    EXPECT_TRUE(values[0] == 0 && std::signbit(values[0])) << set->name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, MathFunctions, testing::ValuesIn(kFunctions),
                         [](const auto &info) { return std::string(info.param.name); });

} // namespace
