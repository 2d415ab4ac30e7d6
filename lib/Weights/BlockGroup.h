//===- BlockGroup.h - 32 columns of a quantised row, unpacked -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each block format is taken apart in one place. `dequantize` and `packPanels`
// both go through here, so they can't disagree about what a block says. A group
// is 32 consecutive columns: a whole block of Q4_0 … Q8_0, an eighth of a
// K-quant's. Quants come as PanelLayout has them: see its formula.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_WEIGHTS_BLOCKGROUP_H
#define HEED_LIB_WEIGHTS_BLOCKGROUP_H

#include "heed/Weights/Dequantize.h"
#include "heed/Weights/PanelLayout.h"
#include "heed/Weights/StorageType.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace heed {

static_assert(std::endian::native == std::endian::little, "weights files are little-endian");

struct BlockGroup {
  int8_t quants[32];
  /// Bits of the scale and min of formats with one f16 scale for 32 columns; else unset.
  uint16_t halfScale, halfMin;
  /// Scales and mins of K-quants, one for each scaleGroup columns; else unset.
  float scales[2], mins[2];
};

inline uint16_t readHalfBits(const uint8_t *at) {
  uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  return bits;
}
inline float readHalf(const uint8_t *at) { return halfToFloat(readHalfBits(at)); }

/// Four-bit quants of a block of 32: column c in the low half of byte c, c + 16 in its high half.
inline void readNibbles(const uint8_t *packed, int8_t *quants) {
  for (int c = 0; c < 16; ++c) {
    quants[c] = static_cast<int8_t>(packed[c] & 0xf);
    quants[c + 16] = static_cast<int8_t>(packed[c] >> 4);
  }
}

/// The fifth bits of a block of 32: bit c belongs to column c.
inline void addFifthBits(const uint8_t *packed, int8_t *quants) {
  uint32_t high;
  std::memcpy(&high, packed, sizeof high);
  for (int c = 0; c < 32; ++c)
    quants[c] = static_cast<int8_t>(quants[c] | ((high >> c & 1) << 4));
}

/// Scale and min of group g in the twelve bytes of Q4_K and Q5_K: six bits each. Groups 0 … 3 have
/// a byte each for scale and min; the spare top bits of those are the top bits of groups 4 … 7.
inline void readSixBitPair(const uint8_t *packed, int g, int &scale, int &min) {
  if (g < 4) {
    scale = packed[g] & 63;
    min = packed[g + 4] & 63;
    return;
  }
  scale = (packed[g + 4] & 0xf) | (packed[g - 4] >> 6) << 4;
  min = (packed[g + 4] >> 4) | (packed[g] >> 6) << 4;
}

/// Scale s of the sixteen in the twelve bytes of Q3_K: four low bits in the first eight bytes, two
/// high bits in the last four.
inline int readSixBitScale(const uint8_t *packed, int s) {
  int low = packed[s % 8] >> (s < 8 ? 0 : 4) & 0xf;
  int high = packed[8 + s % 4] >> (s / 4 * 2) & 3;
  return (low | high << 4) - 32;
}

/// How many groups a block of the quantised format `type` has.
constexpr int groupsPerBlock(StorageType type) {
  return static_cast<int>(storageInfo(type).blockElements / 32);
}

/// Unpacks group g of the block at `block`.
template <StorageType type>
inline void readBlockGroup(const uint8_t *block, int g, BlockGroup &group) {
  int8_t *quants = group.quants;
  if constexpr (type == StorageType::Q4_0) {
    group.halfScale = readHalfBits(block);
    readNibbles(block + 2, quants);
  } else if constexpr (type == StorageType::Q4_1) {
    group.halfScale = readHalfBits(block);
    group.halfMin = readHalfBits(block + 2);
    readNibbles(block + 4, quants);
  } else if constexpr (type == StorageType::Q5_0) {
    group.halfScale = readHalfBits(block);
    readNibbles(block + 6, quants);
    addFifthBits(block + 2, quants);
  } else if constexpr (type == StorageType::Q5_1) {
    group.halfScale = readHalfBits(block);
    group.halfMin = readHalfBits(block + 2);
    readNibbles(block + 8, quants);
    addFifthBits(block + 4, quants);
  } else if constexpr (type == StorageType::Q8_0) {
    group.halfScale = readHalfBits(block);
    std::memcpy(quants, block + 2, 32);
  } else if constexpr (type == StorageType::Q2_K) {
    const uint8_t *scales = block, *low = block + 16 + g / 4 * 32;
    float scale = readHalf(block + 80), min = readHalf(block + 82);
    for (int s = 0; s < 2; ++s) {
      group.scales[s] = scale * static_cast<float>(scales[2 * g + s] & 0xf);
      group.mins[s] = -(min * static_cast<float>(scales[2 * g + s] >> 4));
    }
    for (int c = 0; c < 32; ++c)
      quants[c] = static_cast<int8_t>(low[c] >> (g % 4 * 2) & 3);
  } else if constexpr (type == StorageType::Q3_K) {
    const uint8_t *high = block, *low = block + 32 + g / 4 * 32;
    float scale = readHalf(block + 108);
    for (int s = 0; s < 2; ++s)
      group.scales[s] = scale * static_cast<float>(readSixBitScale(block + 96, 2 * g + s));
    for (int c = 0; c < 32; ++c)
      quants[c] = static_cast<int8_t>((low[c] >> (g % 4 * 2) & 3) + (high[c] >> g & 1) * 4 - 4);
  } else if constexpr (type == StorageType::Q4_K || type == StorageType::Q5_K) {
    constexpr bool fifthBit = type == StorageType::Q5_K;
    const uint8_t *high = block + 16, *low = block + (fifthBit ? 48 : 16) + g / 2 * 32;
    int scale, min;
    readSixBitPair(block + 4, g, scale, min);
    group.scales[0] = readHalf(block) * static_cast<float>(scale);
    group.mins[0] = -(readHalf(block + 2) * static_cast<float>(min));
    for (int c = 0; c < 32; ++c) {
      int quant = low[c] >> (g % 2 * 4) & 0xf;
      if constexpr (fifthBit)
        quant |= (high[c] >> g & 1) << 4;
      quants[c] = static_cast<int8_t>(quant);
    }
  } else {
    static_assert(type == StorageType::Q6_K);
    const uint8_t *low = block + g / 4 * 64 + g % 2 * 32, *high = block + 128 + g / 4 * 32;
    float scale = readHalf(block + 208);
    for (int s = 0; s < 2; ++s)
      group.scales[s] = scale * static_cast<float>(static_cast<int8_t>(block[192 + 2 * g + s]));
    for (int c = 0; c < 32; ++c)
      quants[c] = static_cast<int8_t>(
          ((low[c] >> (g % 4 / 2 * 4) & 0xf) | (high[c] >> (g % 4 * 2) & 3) << 4) - 32);
  }
}

/// Calls visit(std::integral_constant<StorageType, T>) for the quantised type `type`.
template <typename Visit> void visitQuantised(StorageType type, Visit visit) {
  auto with = [&]<StorageType T>() { visit(std::integral_constant<StorageType, T>()); };
  switch (type) {
  case StorageType::F32:
  case StorageType::F16:
  case StorageType::BF16:
    return;
  case StorageType::Q4_0:
    return with.template operator()<StorageType::Q4_0>();
  case StorageType::Q4_1:
    return with.template operator()<StorageType::Q4_1>();
  case StorageType::Q5_0:
    return with.template operator()<StorageType::Q5_0>();
  case StorageType::Q5_1:
    return with.template operator()<StorageType::Q5_1>();
  case StorageType::Q8_0:
    return with.template operator()<StorageType::Q8_0>();
  case StorageType::Q2_K:
    return with.template operator()<StorageType::Q2_K>();
  case StorageType::Q3_K:
    return with.template operator()<StorageType::Q3_K>();
  case StorageType::Q4_K:
    return with.template operator()<StorageType::Q4_K>();
  case StorageType::Q5_K:
    return with.template operator()<StorageType::Q5_K>();
  case StorageType::Q6_K:
    return with.template operator()<StorageType::Q6_K>();
  }
}

} // namespace heed

#endif // HEED_LIB_WEIGHTS_BLOCKGROUP_H
