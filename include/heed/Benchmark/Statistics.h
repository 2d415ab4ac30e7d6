//===- Statistics.h - what repeated measurements say ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_BENCHMARK_STATISTICS_H
#define HEED_BENCHMARK_STATISTICS_H

#include <cstdint>
#include <span>

namespace heed {

/// The ends of a range that a number lies in.
struct Interval {
  double low = 0, high = 0;
};

/// A number made from samples: `mean` and `median` are.
using Statistic = double (*)(std::span<const double> samples);

/// The arithmetic mean; 0 of no samples.
double mean(std::span<const double> samples);

/// The standard deviation that the samples let one expect of all that there could be (divided by
/// one less than their count); 0 of fewer than two.
double sampleStddev(std::span<const double> samples);

/// The sample in the middle, or the mean of the two in the middle; 0 of no samples.
double median(std::span<const double> samples);

/// Where `statistic` lies with 95 % confidence, by the percentile bootstrap: it is computed of
/// `resamples` draws with replacement, and the middle 95 % of the results are the interval. The
/// same samples and seed give the same interval. Both ends are 0 where there are no samples.
Interval bootstrapInterval(std::span<const double> samples, Statistic statistic, uint64_t seed = 1,
                           int resamples = 10'000);

} // namespace heed

#endif // HEED_BENCHMARK_STATISTICS_H
