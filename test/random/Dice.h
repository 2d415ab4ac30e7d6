//===- Dice.h - random choices that are the same everywhere -*- C++ -*-----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_RANDOM_DICE_H
#define HEED_TEST_RANDOM_DICE_H

#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

namespace heed::random_programs {

/// Choices drawn from a seed. The standard's distributions differ between libraries, so there are
/// none here.
class Dice {
public:
  explicit Dice(uint64_t seed) : engine(seed * 0x9E3779B97F4A7C15 + 1) {}

  /// first … last, both possible.
  int64_t between(int64_t first, int64_t last) {
    return first + static_cast<int64_t>(engine() % static_cast<uint64_t>(last - first + 1));
  }
  bool percent(int chance) { return between(1, 100) <= chance; }
  template <typename T> T pick(std::initializer_list<T> choices) {
    return *(choices.begin() + between(0, static_cast<int64_t>(choices.size()) - 1));
  }
  template <typename T> const T &pick(const std::vector<T> &choices) {
    return choices[between(0, static_cast<int64_t>(choices.size()) - 1)];
  }
  /// Evenly between -bound and bound.
  float real(float bound) {
    return bound * (static_cast<float>(engine() >> 40) / float(1 << 23) - 1);
  }

private:
  std::mt19937_64 engine;
};

} // namespace heed::random_programs

#endif // HEED_TEST_RANDOM_DICE_H
