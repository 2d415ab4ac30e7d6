//===- RandomBits.cpp - the generator that sampling draws from ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/Sampler.h"

#include <bit>

namespace heed {

namespace {

// PCG-XSH-RR 64/32: a linear congruential generator modulo 2^64 whose high bits are shuffled by
// an amount that the highest of them choose. These are the constants of its author.
constexpr uint64_t Multiplier = 6364136223846793005u;
constexpr uint64_t Increment = 1442695040888963407u;

} // namespace

RandomBits::RandomBits(uint64_t seed) : state(seed + Increment) { next(); }

uint32_t RandomBits::next() {
  uint64_t old = state;
  state = old * Multiplier + Increment;
  return std::rotr(uint32_t((old ^ old >> 18) >> 27), int(old >> 59));
}

double RandomBits::uniform() {
  uint64_t high = next() >> 5; // 27 bits
  uint64_t low = next() >> 6;  // 26 bits
  return double(high << 26 | low) * 0x1p-53;
}

} // namespace heed
