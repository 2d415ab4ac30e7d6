//===- PanelLayout.cpp - packing weights into panels ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/PanelLayout.h"

#include "BlockGroup.h"
#include "SquareTile.h"

#include <algorithm>
#include <cstring>

namespace heed {

namespace {

constexpr int lanes = PanelLayout::lanes;

// Stands in for every block of a row past the matrix's last: all its numbers are zero.
constexpr uint8_t zeroBlock[256] = {};

/// Where the sixteen rows of a panel are read. A missing row reads the zero block again and again.
struct PanelRows {
  const uint8_t *row[lanes];
  int64_t step[lanes]; ///< bytes from one block to the next

  PanelRows(const uint8_t *src, int64_t rows, int64_t rowBytes, int64_t blockBytes, int64_t panel) {
    for (int lane = 0; lane < lanes; ++lane) {
      int64_t r = panel * lanes + lane;
      row[lane] = r < rows ? src + r * rowBytes : zeroBlock;
      step[lane] = r < rows ? blockBytes : 0;
    }
  }
  bool isPresent(int lane) const { return step[lane] != 0; }
  const uint8_t *block(int lane, int64_t index) const { return row[lane] + index * step[lane]; }
};

/// Packs elements of `columns` columns each, a group, and zeros in the columns that are missing.
template <typename Element, int columns = 1>
void packFloatPanel(const PanelRows &rows, int64_t cols, uint8_t *dst) {
  constexpr int64_t groupBytes = lanes * sizeof(Element);
  SquareTile<Element> tile;
  int64_t c = 0;
  for (; c + lanes * columns <= cols; c += lanes * columns, dst += lanes * groupBytes) {
    for (int lane = 0; lane < lanes; ++lane)
      std::memcpy(tile.row(lane), rows.block(lane, c), lanes * sizeof(Element));
    tile.storeTransposed(dst);
  }
  for (; c < cols; c += columns, dst += groupBytes)
    for (int lane = 0; lane < lanes; ++lane) {
      const size_t bytes = std::min<int64_t>(columns, cols - c) * sizeof(Element) / columns;
      Element element = 0;
      std::memcpy(&element, rows.block(lane, c), bytes);
      std::memcpy(dst + lane * sizeof(Element), &element, sizeof element);
    }
}

// Added to any number it gives that number, with its sign if it is zero.
constexpr float noMin = -0.0f;
constexpr uint16_t noMinAsHalf = 0x8000;

template <StorageType type>
void writeScales(const BlockGroup &group, int lane, const PanelLayout &layout, uint8_t *record) {
  constexpr PanelLayout own = panelLayout(type);
  for (int s = 0; s < layout.scalesPerGroup(); ++s) {
    uint8_t *scaleAt = record + layout.scalesOffset + (s * lanes + lane) * layout.scaleBytes();
    uint8_t *minAt = record + layout.minsOffset + (s * lanes + lane) * layout.scaleBytes();
    if (layout.scaleIsF16) {
      const uint16_t min = own.hasMin ? group.halfMin : noMinAsHalf;
      std::memcpy(scaleAt, &group.halfScale, sizeof group.halfScale);
      if (layout.hasMin)
        std::memcpy(minAt, &min, sizeof min);
      continue;
    }
    float scale, min = noMin;
    if constexpr (own.scaleIsF16) {
      scale = halfToFloat(group.halfScale);
      if constexpr (own.hasMin)
        min = halfToFloat(group.halfMin);
      else if (layout.quant == PanelLayout::Quant::U4)
        min = -static_cast<float>(own.zeroPoint) * scale;
    } else {
      const int from = own.scalesPerGroup() == 1 ? 0 : s;
      scale = group.scales[from];
      if constexpr (own.hasMin)
        min = group.mins[from];
    }
    std::memcpy(scaleAt, &scale, sizeof scale);
    if (layout.hasMin)
      std::memcpy(minAt, &min, sizeof min);
  }
}

/// Writes `count` bytes of a lane in fours: byte 4 j + i of lane l is at [j][l][i].
inline void writeFours(const uint8_t *bytes, int count, int lane, uint8_t *quants) {
  for (int j = 0; j < count / 4; ++j)
    std::memcpy(quants + (j * lanes + lane) * 4, bytes + 4 * j, 4);
}

/// The fifth bits of a lane's 32 numbers as U5 has them: bit 8 i + j of column 4 j + i.
inline uint32_t fifthBits(const int8_t *quants) {
  uint32_t bits = 0;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 8; ++j)
      bits |= static_cast<uint32_t>(quants[4 * j + i] >> 4 & 1) << (8 * i + j);
  return bits;
}

/// Packs into the type's own layout, all of which the compiler then knows, or into a `common` one.
template <StorageType type, bool isOwn>
void packQuantisedPanel(const PanelRows &rows, int64_t groups, const PanelLayout &common,
                        uint8_t *dst) {
  const PanelLayout layout = isOwn ? panelLayout(type) : common;
  const bool nibbles = layout.hasNibbles();
  const int offset = PanelLayout::byteBias - (panelLayout(type).zeroPoint - layout.zeroPoint);
  BlockGroup group;
  uint8_t bytes[32]; // nibbles take half of them
  for (int64_t g = 0; g < groups; ++g, dst += layout.groupBytes)
    for (int lane = 0; lane < lanes; ++lane) {
      readBlockGroup<type>(rows.block(lane, g / groupsPerBlock(type)),
                           static_cast<int>(g % groupsPerBlock(type)), group);
      writeScales<type>(group, lane, layout, dst);
      if (nibbles)
        for (int c = 0; c < 16; ++c)
          bytes[c] = static_cast<uint8_t>((group.quants[c] & 0xf) | group.quants[c + 16] << 4);
      else
        for (int c = 0; c < 32; ++c)
          bytes[c] = static_cast<uint8_t>(group.quants[c] + offset);
      writeFours(bytes, nibbles ? 16 : 32, lane, dst + layout.quantsOffset);
      if (layout.quant == PanelLayout::Quant::U5) {
        const uint32_t fifth = fifthBits(group.quants);
        std::memcpy(dst + layout.fifthBitsOffset() + lane * sizeof fifth, &fifth, sizeof fifth);
      }
    }
}

/// Packs a panel of any format as f32.
void packDequantisedPanel(StorageType type, const PanelRows &rows, int64_t cols, uint8_t *dst) {
  constexpr int64_t atOnce = 256; // whole blocks of every format
  const int64_t blockElements = storageInfo(type).blockElements;
  float values[lanes][atOnce] = {};
  for (int64_t c = 0; c < cols; c += atOnce) {
    const int64_t count = std::min(atOnce, cols - c);
    PanelRows dequantised(reinterpret_cast<const uint8_t *>(values), lanes, sizeof values[0],
                          sizeof(float), 0);
    for (int lane = 0; lane < lanes; ++lane)
      if (rows.isPresent(lane))
        dequantize(type, reinterpret_cast<const std::byte *>(rows.block(lane, c / blockElements)),
                   count, values[lane]);
    packFloatPanel<uint32_t>(dequantised, count, dst);
    dst += count * lanes * sizeof(float);
  }
}

template <typename Element> Element load(const uint8_t *at) {
  Element element;
  std::memcpy(&element, at, sizeof element);
  return element;
}

float loadScale(const PanelLayout &layout, const uint8_t *scales, int64_t index) {
  return layout.scaleIsF16 ? halfToFloat(load<uint16_t>(scales + 2 * index))
                           : load<float>(scales + 4 * index);
}

} // namespace

void packPanels(StorageType type, const PanelLayout &layout, const std::byte *src, int64_t rows,
                int64_t cols, std::byte *dst, int64_t panelBegin, int64_t panelEnd) {
  const StorageInfo info = storageInfo(type);
  const bool isOwn = layout == panelLayout(type);
  const int64_t rowBytes = cols / info.blockElements * info.blockBytes;
  const int64_t groups = layout.groups(cols);
  for (int64_t panel = panelBegin; panel < panelEnd; ++panel) {
    PanelRows panelRows(reinterpret_cast<const uint8_t *>(src), rows, rowBytes, info.blockBytes,
                        panel);
    uint8_t *out = reinterpret_cast<uint8_t *>(dst) + panel * groups * layout.groupBytes;
    switch (layout.quant) {
    case PanelLayout::Quant::F32:
      if (isOwn)
        packFloatPanel<uint32_t>(panelRows, cols, out);
      else
        packDequantisedPanel(type, panelRows, cols, out);
      break;
    case PanelLayout::Quant::F16:
      packFloatPanel<uint16_t>(panelRows, cols, out);
      break;
    case PanelLayout::Quant::BF16:
      packFloatPanel<uint32_t, 2>(panelRows, cols, out);
      break;
    case PanelLayout::Quant::U4:
    case PanelLayout::Quant::U5:
    case PanelLayout::Quant::S8:
      visitQuantised(type, [&](auto t) {
        if (isOwn)
          packQuantisedPanel<t(), true>(panelRows, groups, layout, out);
        else
          packQuantisedPanel<t(), false>(panelRows, groups, layout, out);
      });
      break;
    }
  }
}

/// Where writeFours puts byte `index` of a lane.
static int64_t placeInFours(int64_t index, int64_t lane) {
  return (index / 4 * lanes + lane) * 4 + index % 4;
}

float panelElement(const PanelLayout &layout, const std::byte *panels, int64_t rows, int64_t cols,
                   int64_t row, int64_t col) {
  const int64_t panel = row / lanes, lane = row % lanes;
  const int64_t group = col / layout.groupColumns, c = col % layout.groupColumns;
  const uint8_t *record = reinterpret_cast<const uint8_t *>(panels) +
                          (panel * layout.groups(cols) + group) * layout.groupBytes;
  const uint8_t *quants = record + layout.quantsOffset;
  int quant = 0;
  switch (layout.quant) {
  case PanelLayout::Quant::F32:
    return load<float>(quants + 4 * lane);
  case PanelLayout::Quant::F16:
    return halfToFloat(load<uint16_t>(quants + 2 * lane));
  case PanelLayout::Quant::BF16:
    return bfloat16ToFloat(load<uint16_t>(quants + 4 * lane + 2 * c));
  case PanelLayout::Quant::U5:
    quant = static_cast<int>(load<uint32_t>(record + layout.fifthBitsOffset() + 4 * lane) >>
                                 (8 * (c % 4) + c / 4) &
                             1)
            << 4;
    [[fallthrough]];
  case PanelLayout::Quant::U4:
    quant |= quants[placeInFours(c % 16, lane)] >> (c < 16 ? 0 : 4) & 0xf;
    break;
  case PanelLayout::Quant::S8:
    quant = quants[placeInFours(c, lane)] - PanelLayout::byteBias;
    break;
  }
  const int64_t scale = c / layout.scaleGroup * lanes + lane;
  float value = loadScale(layout, record + layout.scalesOffset, scale) *
                static_cast<float>(quant - layout.zeroPoint);
  return layout.hasMin ? value + loadScale(layout, record + layout.minsOffset, scale) : value;
}

} // namespace heed
