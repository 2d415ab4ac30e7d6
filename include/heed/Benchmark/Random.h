//===- Random.h - numbers that are the same in every run ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_BENCHMARK_RANDOM_H
#define HEED_BENCHMARK_RANDOM_H

#include <cstddef>
#include <cstdint>

namespace heed {

/// SplitMix64: small, fast, and the same on every machine, so that a benchmark that is repeated
/// reads the same tokens and numbers. Not for secrets.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}

  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  /// A whole number in [0, count); `count` is above 0.
  uint64_t below(uint64_t count) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(next()) * count >> 64);
  }

  /// A number in [-1, 1).
  float symmetric() { return static_cast<float>(static_cast<int64_t>(next()) >> 40) * 0x1p-23f; }

private:
  uint64_t state;
};

} // namespace heed

#endif // HEED_BENCHMARK_RANDOM_H
