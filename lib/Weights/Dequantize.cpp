//===- Dequantize.cpp - stored numbers to f32 -----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/Dequantize.h"

#include "BlockGroup.h"

#include <cstring>

namespace heed {

namespace {

// Multiplication and addition must stay two roundings, as in ggml's reference: CMakeLists.txt
// turns contraction off for this file.
template <StorageType type> void dequantizeBlocks(const uint8_t *src, int64_t blocks, float *dst) {
  constexpr PanelLayout layout = panelLayout(type);
  BlockGroup group;
  for (int64_t b = 0; b < blocks; ++b, src += storageInfo(type).blockBytes) {
    for (int g = 0; g < groupsPerBlock(type); ++g, dst += 32) {
      readBlockGroup<type>(src, g, group);
      if constexpr (layout.scaleIsF16) {
        group.scales[0] = halfToFloat(group.halfScale);
        if constexpr (layout.hasMin)
          group.mins[0] = halfToFloat(group.halfMin);
      }
      for (int c = 0; c < 32; ++c) {
        float value = group.scales[c / layout.scaleGroup] *
                      static_cast<float>(group.quants[c] - layout.zeroPoint);
        if constexpr (layout.hasMin)
          value += group.mins[c / layout.scaleGroup];
        dst[c] = value;
      }
    }
  }
}

} // namespace

void dequantize(StorageType type, const std::byte *src, int64_t elements, float *dst) {
  const uint8_t *bytes = reinterpret_cast<const uint8_t *>(src);
  if (elements <= 0)
    return;
  switch (type) {
  case StorageType::F32:
    std::memcpy(dst, bytes, static_cast<size_t>(elements) * sizeof(float));
    return;
  case StorageType::F16:
    for (int64_t i = 0; i < elements; ++i)
      dst[i] = readHalf(bytes + 2 * i);
    return;
  case StorageType::BF16:
    for (int64_t i = 0; i < elements; ++i)
      dst[i] = bfloat16ToFloat(readHalfBits(bytes + 2 * i));
    return;
  default:
    visitQuantised(type, [&](auto t) {
      dequantizeBlocks<t()>(bytes, elements / storageInfo(t()).blockElements, dst);
    });
  }
}

} // namespace heed
