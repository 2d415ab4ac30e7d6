//===- RandomBlocks.cpp - random numbers in every storage type ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Quants are random bits. Scales are powers of two, and mins make the mean 0, so
// that scale * quant + min is exact in f32 for all of them.
//
//===----------------------------------------------------------------------===//

#include "RandomBlocks.h"

#include <array>
#include <bit>
#include <cmath>

using namespace heed;
using namespace heed::reference;

RandomNumbers::RandomNumbers(uint64_t seed, std::string_view name) : state(seed) {
  for (char character : name)
    state = (state ^ static_cast<unsigned char>(character)) * 0x100000001b3;
}

uint64_t RandomNumbers::next() {
  uint64_t value = state += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

namespace {

/// Where a block's scale and min lie, and how large the quants are between them.
struct BlockFields {
  int64_t scale;          ///< byte of the f16 scale
  int64_t min = -1;       ///< byte of the f16 min, or -1
  double minInScales = 0; ///< the min that makes the mean 0, in units of the scale
  double deviation;       ///< of a number, in units of the scale
  int64_t groups = -1;    ///< byte of the scales of a K-quant's groups, where they have mins too
};

BlockFields blockFields(StorageType storage) {
  switch (storage) {
  case StorageType::Q4_0:
    return {.scale = 0, .deviation = 4.6};
  case StorageType::Q4_1:
    return {.scale = 0, .min = 2, .minInScales = -7.5, .deviation = 4.6};
  case StorageType::Q5_0:
    return {.scale = 0, .deviation = 9.2};
  case StorageType::Q5_1:
    return {.scale = 0, .min = 2, .minInScales = -15.5, .deviation = 9.2};
  case StorageType::Q8_0:
    return {.scale = 0, .deviation = 74};
  case StorageType::Q2_K: // scale * group * quant - min * group
    return {.scale = 80, .min = 82, .minInScales = 1.5, .deviation = 1.1 * 8.8, .groups = 0};
  case StorageType::Q3_K: // scale * (group - 32) * (quant - 4)
    return {.scale = 108, .deviation = 2.3 * 18.5};
  case StorageType::Q4_K:
    return {.scale = 0, .min = 2, .minInScales = 7.5, .deviation = 4.6 * 8.8, .groups = 4};
  case StorageType::Q5_K:
    return {.scale = 0, .min = 2, .minInScales = 15.5, .deviation = 9.2 * 8.8, .groups = 4};
  case StorageType::Q6_K: // scale * group * (quant - 32), groups being signed bytes
    return {.scale = 208, .deviation = 18.5 * 74};
  case StorageType::F32:
  case StorageType::F16:
  case StorageType::BF16:
    break;
  }
  return {};
}

/// Gives the groups of a block the same number for scale and min, so that the mean is 0.
void setGroups(StorageType storage, std::byte *groups, RandomNumbers &random) {
  if (storage == StorageType::Q2_K) {
    for (int group = 0; group < 16; ++group) {
      uint8_t number = random.next() & 15;
      groups[group] = static_cast<std::byte>(number << 4 | number);
    }
    return;
  }
  // Eight numbers below 16 of six bits each: the first four have bytes of their own, of the others
  // scale and min share one.
  for (int group = 0; group < 4; ++group) {
    uint8_t first = random.next() & 15, second = random.next() & 15;
    groups[group] = groups[group + 4] = static_cast<std::byte>(first);
    groups[group + 8] = static_cast<std::byte>(second << 4 | second);
  }
}

/// The bits of an f16 that is a power of two, times an odd number of few bits.
uint16_t halfBits(double value) {
  int exponent;
  double mantissa = std::frexp(std::abs(value), &exponent); // in [0.5, 1)
  uint16_t sign = value < 0 ? 0x8000 : 0;
  if (value == 0)
    return sign;
  exponent += 14; // biased, of a mantissa in [1, 2)
  if (exponent < 1)
    return sign | static_cast<uint16_t>(std::ldexp(mantissa, exponent + 10));
  return sign | static_cast<uint16_t>(exponent << 10) |
         static_cast<uint16_t>((mantissa * 2 - 1) * 1024);
}

void putHalf(std::byte *at, double value) {
  uint16_t bits = halfBits(value);
  at[0] = static_cast<std::byte>(bits & 0xff);
  at[1] = static_cast<std::byte>(bits >> 8);
}

std::vector<std::byte> randomFloats(StorageType storage, int64_t elements, double deviation,
                                    double mean, RandomNumbers &random) {
  std::vector<std::byte> bytes;
  int64_t width = storageInfo(storage).blockBytes;
  for (int64_t element = 0; element < elements; ++element) {
    // An even distribution's half width is sqrt(3) deviations.
    float value =
        static_cast<float>(mean + deviation * std::sqrt(3.0) * (2 * random.fraction() - 1));
    uint32_t bits = std::bit_cast<uint32_t>(value);
    if (storage == StorageType::BF16)
      bits >>= 16;
    if (storage == StorageType::F16)
      bits = halfBits(value);
    for (int64_t byte = 0; byte < width; ++byte)
      bytes.push_back(static_cast<std::byte>(bits >> (8 * byte) & 0xff));
  }
  return bytes;
}

} // namespace

std::vector<std::byte> heed::reference::randomBlocks(StorageType storage, int64_t elements,
                                                     double deviation, double mean,
                                                     RandomNumbers &random) {
  if (!isQuantised(storage))
    return randomFloats(storage, elements, deviation, mean, random);
  StorageInfo info = storageInfo(storage);
  BlockFields fields = blockFields(storage);
  std::vector<std::byte> bytes(elements / info.blockElements * info.blockBytes);
  for (std::byte &byte : bytes)
    byte = static_cast<std::byte>(random.next() & 0xff);
  double scale = std::exp2(std::round(std::log2(deviation / fields.deviation)));
  for (size_t block = 0; block != bytes.size(); block += info.blockBytes) {
    putHalf(bytes.data() + block + fields.scale, scale);
    if (fields.min >= 0)
      putHalf(bytes.data() + block + fields.min, scale * fields.minInScales);
    if (fields.groups >= 0)
      setGroups(storage, bytes.data() + block + fields.groups, random);
  }
  return bytes;
}
