//===- Statistics.cpp - what repeated measurements say --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Benchmark/Statistics.h"

#include "heed/Benchmark/Random.h"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace heed;

double heed::mean(std::span<const double> samples) {
  double sum = 0;
  for (double sample : samples)
    sum += sample;
  return samples.empty() ? 0 : sum / static_cast<double>(samples.size());
}

double heed::sampleStddev(std::span<const double> samples) {
  if (samples.size() < 2)
    return 0;
  double centre = mean(samples), sum = 0;
  for (double sample : samples)
    sum += (sample - centre) * (sample - centre);
  return std::sqrt(sum / static_cast<double>(samples.size() - 1));
}

double heed::median(std::span<const double> samples) {
  if (samples.empty())
    return 0;
  std::vector<double> sorted(samples.begin(), samples.end());
  auto middle = sorted.begin() + sorted.size() / 2;
  std::nth_element(sorted.begin(), middle, sorted.end());
  if (sorted.size() % 2 == 1)
    return *middle;
  return (*std::max_element(sorted.begin(), middle) + *middle) / 2;
}

Interval heed::bootstrapInterval(std::span<const double> samples, Statistic statistic,
                                 uint64_t seed, int resamples) {
  if (samples.empty() || resamples < 1)
    return {};
  Random random(seed);
  std::vector<double> draw(samples.size()), results(resamples);
  for (double &result : results) {
    for (double &drawn : draw)
      drawn = samples[random.below(samples.size())];
    result = statistic(draw);
  }
  std::sort(results.begin(), results.end());
  auto at = [&](double part) {
    return results[static_cast<size_t>(std::lround(part * static_cast<double>(resamples - 1)))];
  };
  return {at(0.025), at(0.975)};
}
