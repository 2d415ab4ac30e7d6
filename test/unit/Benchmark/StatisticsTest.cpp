//===- StatisticsTest.cpp -------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Benchmark/Statistics.h"

#include "heed/Benchmark/Random.h"

#include <gtest/gtest.h>
#include <vector>

using namespace heed;

namespace {

using Samples = std::vector<double>;

TEST(Statistics, MeanAndDeviation) {
  Samples samples = {2, 4, 4, 4, 5, 5, 7, 9};
  EXPECT_DOUBLE_EQ(mean(samples), 5);
  EXPECT_NEAR(sampleStddev(samples), 2.138089935299395, 1e-12); // divided by 7, not by 8
  EXPECT_EQ(mean({}), 0);
  EXPECT_EQ(sampleStddev(Samples{3}), 0);
}

TEST(Statistics, MedianOfOddAndEvenCounts) {
  EXPECT_EQ(median(Samples{9, 1, 5}), 5);
  EXPECT_EQ(median(Samples{9, 1, 5, 2}), 3.5);
  EXPECT_EQ(median(Samples{4}), 4);
  EXPECT_EQ(median({}), 0);
}

TEST(Statistics, BootstrapIsTheSameInEveryRun) {
  Samples samples = {10, 11, 12, 13, 20, 9, 10, 12};
  Interval first = bootstrapInterval(samples, mean, 7), again = bootstrapInterval(samples, mean, 7);
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
  EXPECT_LT(first.low, mean(samples));
  EXPECT_GT(first.high, mean(samples));
  EXPECT_GE(first.low, 9);
  EXPECT_LE(first.high, 20);
}

TEST(Statistics, BootstrapOfEqualSamplesIsAPoint) {
  Interval interval = bootstrapInterval(Samples{3, 3, 3}, median);
  EXPECT_EQ(interval.low, 3);
  EXPECT_EQ(interval.high, 3);
  EXPECT_EQ(bootstrapInterval({}, median).high, 0);
}

/// Of samples whose mean is known, about 95 % of the intervals must hold it.
TEST(Statistics, BootstrapCovers) {
  Random random(3);
  int held = 0;
  constexpr int kTrials = 300;
  for (int t = 0; t < kTrials; ++t) {
    Samples samples(40);
    for (double &sample : samples)
      sample = static_cast<double>(random.below(1'000'001)) * 1e-6; // uniform, mean 0.5
    Interval interval = bootstrapInterval(samples, mean, t, 500);
    held += interval.low <= 0.5 && 0.5 <= interval.high;
  }
  EXPECT_GT(held, kTrials * 88 / 100);
  EXPECT_LT(held, kTrials);
}

TEST(Statistics, RandomNumbersStayInTheirRange) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LT(random.below(3), 3u);
    float number = random.symmetric();
    EXPECT_GE(number, -1);
    EXPECT_LT(number, 1);
  }
}

} // namespace
