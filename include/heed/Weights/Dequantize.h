//===- Dequantize.h - stored numbers to f32 -------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The meaning of every storage type, bit for bit as ggml's reference has it.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_WEIGHTS_DEQUANTIZE_H
#define HEED_WEIGHTS_DEQUANTIZE_H

#include "heed/Weights/StorageType.h"

#include <bit>
#include <cstddef>
#include <cstdint>

namespace heed {

/// The f32 equal to the IEEE half with these bits. Exact; NaNs keep their payload.
constexpr float halfToFloat(uint16_t half) {
  uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  uint32_t exponent = (half >> 10) & 0x1fu;
  uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {
    float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  uint32_t wide = exponent == 0x1f ? 0xffu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

/// The f32 equal to the bfloat16 with these bits.
constexpr float bfloat16ToFloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// Writes `elements` numbers stored as `type` at `src` to `dst`. `elements` is a multiple of the
/// type's block length; `src` may be unaligned and holds elements / blockElements * blockBytes
/// bytes. NaN and infinite scales give NaN and infinite numbers, as in ggml.
void dequantize(StorageType type, const std::byte *src, int64_t elements, float *dst);

} // namespace heed

#endif // HEED_WEIGHTS_DEQUANTIZE_H
