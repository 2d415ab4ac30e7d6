//===- Exp2Test.cpp - how close the kernels' 2^x is, over every float -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnToVector/Lowerings.h"
#include "LaneFunction.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace heed;

namespace {

/// Calls `check(x, 2^x)` for every float from -`low` to -`high`, low <= high.
template <typename Check>
void forEachFloat(const LaneFunction &powers, float low, float high, Check check) {
  std::vector<float> values(1 << 14), xs;
  uint64_t next = std::bit_cast<uint32_t>(-low), last = std::bit_cast<uint32_t>(-high);
  while (next <= last) {
    xs.clear();
    for (; xs.size() < values.size(); ++next) // the last ones, again and again
      xs.push_back(std::bit_cast<float>(static_cast<uint32_t>(std::min(next, last))));
    values = xs;
    powers.apply(values);
    for (size_t i = 0; i < xs.size(); ++i)
      check(xs[i], values[i]);
  }
}

/// One of the kernels' functions as it is built for `set`.
auto builtFor(const InstructionSet &set, decltype(attn::exp2OfNonPositive) &build) {
  return [&set, &build](mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x) {
    return build(builder, loc, x, attn::KernelShape::of(set.vectorBits / 32, false, true));
  };
}

/// The largest error from -126 to -2^-26, and where it is.
struct Worst {
  double error = 0;
  float where = 0;
};

Worst worstOf(const LaneFunction &powers, double (*errorOf)(float found, double power)) {
  Worst worst;
  forEachFloat(powers, 0x1p-26f, 126, [&](float x, float found) {
    if (double error = errorOf(found, std::exp2(double(x))); error > worst.error)
      worst = {error, x};
  });
  return worst;
}

} // namespace

// 2^x is within an ulp of its value for every float from -126 to -2^-26, and 1 for every one
// closer to 0: an error of half an ulp there.
TEST(Exp2, WithinOneUlpOverEveryFloat) {
  for (const InstructionSet *set : setsOfThisMachine()) {
    LaneFunction powers(*set, builtFor(*set, attn::exp2OfNonPositive));
    ASSERT_TRUE(powers.ok());
    auto [worst, where] =
        worstOf(powers, [](float found, double power) { return ulps(found, power); });
    EXPECT_LE(worst, 1) << set->name << ": at " << where;
    RecordProperty((std::string("worst_ulps_") + set->name).c_str(), std::to_string(worst));
    int64_t others = 0;
    forEachFloat(powers, 0, 0x1p-26f, [&](float, float found) { others += found != 1; });
    EXPECT_EQ(others, 0) << set->name;
  }
}

// Where eight bits are kept of it, 2^x is within 2^-13.7 of its value for every float from -126 to
// -2^-26.
TEST(Exp2, CloseEnoughToBeRoundedOverEveryFloat) {
  for (const InstructionSet *set : setsOfThisMachine()) {
    LaneFunction powers(*set, builtFor(*set, attn::exp2ToBeRounded));
    ASSERT_TRUE(powers.ok());
    auto [worst, where] =
        worstOf(powers, [](float found, double power) { return std::abs(found - power) / power; });
    EXPECT_LE(worst, 0x1p-13) << set->name << ": at " << where;
    EXPECT_GE(worst, 0x1p-14) << set->name; // else a shorter polynomial would do
  }
}

// A hidden score weighs nothing at all, neither does one that is out of a float's range, and one
// whose power has fewer digits than a float's weighs no more than it should.
TEST(Exp2, ZeroFarBelow) {
  for (const InstructionSet *set : setsOfThisMachine()) {
    for (auto build : {attn::exp2OfNonPositive, attn::exp2ToBeRounded}) {
      LaneFunction powers(*set, builtFor(*set, *build));
      ASSERT_TRUE(powers.ok());
      int64_t others = 0;
      forEachFloat(powers, 126.5f, std::numeric_limits<float>::infinity(),
                   [&](float x, float found) {
                     double power = std::exp2(double(x));
                     others += found != 0 &&
                               (x < -150 || std::abs(found - power) > 0x1p-13 * power + 0x1p-149);
                   });
      EXPECT_EQ(others, 0) << set->name;
    }
  }
}
