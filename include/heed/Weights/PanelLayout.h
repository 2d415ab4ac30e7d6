//===- PanelLayout.h - how a packed weight matrix lies in memory ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A weight matrix W[rows, cols] is read once for every token, and its bytes are
// what decoding waits for. So it is laid out once, at load, in the order in
// which the kernels read it. The runtime packs and the compiler generates the
// readers; this file is the only place that says where a byte lies.
//
// Sixteen rows make a panel, so that one vector register (16 lanes of f32) holds
// one column of it and a product needs no horizontal sum. Rows missing from the
// last panel are zero. Inside a panel, columns come in groups; a group's record
// has everything that its columns need, so a panel is one forward stream:
//
//   panels    | panel 0: rows 0…15      | panel 1: rows 16…31     | …
//             |/                         \.
//   a panel   | group 0 | group 1 | group 2 | …                     cols / groupColumns of them
//             |/         \.
//   a group   | scales | mins | quants | padding to 16 bytes |       groupBytes
//             ^scalesOffset   ^quantsOffset
//                      ^minsOffset
//
// Panel p's group g is at byte (p * groups + g) * groupBytes.
//
// Quantised weights: a group is 32 columns.
//
//   scales  [32 / scaleGroup][16 lanes]   f16 where the file has an f16 for each 32 columns
//   mins    [32 / scaleGroup][16 lanes]   (the original bits), else f32; mins only if hasMin
//   quants  in fours, as eight-bit dot products read them: a lane's columns 4 j … 4 j + 3 are four
//           bytes, and those of all lanes one vector.
//           U4: [4][16 lanes][4]; byte [j][lane][i] has column 4 j + i in its low and column
//               16 + 4 j + i in its high four bits
//           U5: as U4, then the fifth bits, [16 lanes] of 32 bits; bit 8 i + j of a lane belongs to
//               column 4 j + i, so a shift brings those of four columns into their bytes
//           S8: [8][16 lanes][4]; byte [j][lane][i] is column 4 j + i, a signed number plus 128:
//               the instruction multiplies unsigned weights by signed activations
//
//   value = scale * (quant - zeroPoint) + min
//
// computed in f32 in this order, without fusing, is bit for bit what `dequantize` gives: the
// scale already is the product of a K-quant's two scales, as in ggml's reference. It is so too
// where layers of several formats share a layout that is none's own: a scale of 32 columns stands
// twice, and what has no min gets -0, which changes no sum. (Only Q4_0 beside other four-bit
// formats may give +0 for -0.)
//
// Floating-point weights: no scales, and a group is one column, 16 lanes of the element; of bf16
// two columns, as dot products read them, [16 lanes][2], the second zero where columns are odd.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_WEIGHTS_PANELLAYOUT_H
#define HEED_WEIGHTS_PANELLAYOUT_H

#include "heed/Weights/StorageType.h"

#include <cstddef>
#include <cstdint>

namespace heed {

/// Where the parts of a packed matrix lie; see the picture above. Offsets and sizes in bytes.
struct PanelLayout {
  enum class Quant { F32, F16, BF16, U4, U5, S8 };

  static constexpr int lanes = 16;     ///< rows of a panel
  static constexpr int byteBias = 128; ///< what a byte of S8 has too much

  Quant quant = Quant::F32;
  int groupColumns = 1;     ///< columns of a group: 32, or 1 (f32, f16) or 2 (bf16)
  int scaleGroup = 0;       ///< columns that share a scale: 32 or 16; 0 where there are no scales
  bool scaleIsF16 = false;  ///< scales and mins are f16, else f32
  bool hasMin = false;      ///< a min is added
  int zeroPoint = 0;        ///< subtracted from the quant
  int64_t scalesOffset = 0; ///< from the start of a group's record
  int64_t minsOffset = 0;   ///< equals quantsOffset where there are no mins
  int64_t quantsOffset = 0;
  int64_t groupBytes = 0; ///< a multiple of 16

  static constexpr int64_t nibblesBytes = 16 * lanes; ///< of a group of U4 or U5

  constexpr bool isQuantised() const { return scaleGroup != 0; }
  /// How many scales one lane of a group has: 0, 1 or 2.
  constexpr int scalesPerGroup() const { return isQuantised() ? groupColumns / scaleGroup : 0; }
  /// What stored numbers have too much: value = scale * (number - bias) + min.
  constexpr int bias() const { return quant == Quant::S8 ? byteBias : zeroPoint; }
  /// Of U4 and U5, the middle of the stored numbers: 8 or 16.
  constexpr int middle() const { return quant == Quant::U4 ? 8 : 16; }
  /// Bits of a stored number of a quantised matrix.
  constexpr int bits() const { return quant == Quant::U4 ? 4 : quant == Quant::U5 ? 5 : 8; }
  /// Whether the low four bits of numbers lie in nibbles.
  constexpr bool hasNibbles() const { return quant == Quant::U4 || quant == Quant::U5; }
  /// Whether a quantised matrix is multiplied by rows of bytes, else by rows of 16 bits: products
  /// of eight bits exceed the words that pairs add up in where nothing multiplies fours.
  constexpr bool meetsBytes(bool multipliesFours) const { return multipliesFours || hasNibbles(); }
  /// Where the fifth bits of U5 lie, from the start of a group's record.
  constexpr int64_t fifthBitsOffset() const { return quantsOffset + nibblesBytes; }
  constexpr int64_t scaleBytes() const { return scaleIsF16 ? 2 : 4; }
  /// Panels of a matrix with `rows` rows.
  constexpr int64_t panels(int64_t rows) const { return (rows + lanes - 1) / lanes; }
  /// Groups of a panel of a matrix with `cols` columns, of quantised ones a multiple of 32.
  constexpr int64_t groups(int64_t cols) const {
    return cols / groupColumns + (cols % groupColumns != 0);
  }
  constexpr bool operator==(const PanelLayout &) const = default;
};

/// The layout that weights are packed into whose layers are stored as `set` says; it is not empty.
///
/// One format has its own layout. Several have the smallest layout that says each of them exactly:
/// four bits if all have four, five if all have at most that, a scale for 16 columns if one has
/// that, f32 scales unless all are f16, a min if one needs it; f32 numbers where one is a
/// floating-point format.
constexpr PanelLayout panelLayout(StorageSet set) {
  struct Format {
    PanelLayout::Quant quant;
    int scaleGroup = 0; // 0 for floating-point formats
    bool scaleIsF16 = false, hasMin = false;
    int zeroPoint = 0;
  };
  auto formatOf = [](StorageType type) -> Format {
    using enum PanelLayout::Quant;
    switch (type) {
    case StorageType::F32:
      break;
    case StorageType::F16:
      return {F16};
    case StorageType::BF16:
      return {BF16};
    case StorageType::Q4_0:
      return {U4, 32, true, false, 8};
    case StorageType::Q4_1:
      return {U4, 32, true, true};
    case StorageType::Q5_0:
      return {U5, 32, true, false, 16};
    case StorageType::Q5_1:
      return {U5, 32, true, true};
    case StorageType::Q8_0:
      return {S8, 32, true, false};
    case StorageType::Q2_K:
      return {S8, 16, false, true};
    case StorageType::Q3_K:
    case StorageType::Q6_K:
      return {S8, 16, false, false};
    case StorageType::Q4_K:
      return {U4, 32, false, true};
    case StorageType::Q5_K:
      return {U5, 32, false, true};
    }
    return {F32};
  };
  Format common{PanelLayout::Quant::F32};
  bool isFirst = true, mixesZeroPoints = false;
  for (StorageType type : allStorageTypes) {
    if (!set.contains(type))
      continue;
    const Format format = formatOf(type);
    if (isFirst) {
      common = format;
    } else if (format.scaleGroup == 0 || common.scaleGroup == 0) {
      common = {PanelLayout::Quant::F32};
    } else {
      if (format.quant != common.quant)
        common.quant =
            format.quant == PanelLayout::Quant::S8 || common.quant == PanelLayout::Quant::S8
                ? PanelLayout::Quant::S8
                : PanelLayout::Quant::U5;
      common.scaleGroup =
          format.scaleGroup < common.scaleGroup ? format.scaleGroup : common.scaleGroup;
      common.scaleIsF16 &= format.scaleIsF16;
      common.hasMin |= format.hasMin;
      mixesZeroPoints |= format.zeroPoint != common.zeroPoint;
    }
    isFirst = false;
  }
  // Signed bytes have the zero point subtracted already, so five bits become these. Among four-bit
  // formats Q4_0's becomes a min of -8 scales, which f16 may not hold.
  if (mixesZeroPoints) {
    common.zeroPoint = 0;
    if (common.quant == PanelLayout::Quant::U5)
      common.quant = PanelLayout::Quant::S8;
    common.scaleIsF16 &= common.quant == PanelLayout::Quant::S8;
  }

  PanelLayout layout;
  layout.quant = common.quant;
  if (common.scaleGroup != 0) {
    layout.groupColumns = 32;
    layout.scaleGroup = common.scaleGroup;
    layout.scaleIsF16 = common.scaleIsF16;
    layout.hasMin = common.hasMin;
    layout.zeroPoint = common.zeroPoint;
  } else if (layout.quant == PanelLayout::Quant::BF16) {
    layout.groupColumns = 2;
  }
  const int64_t quantBytes = layout.quant == PanelLayout::Quant::F16  ? 2 * PanelLayout::lanes
                             : layout.quant == PanelLayout::Quant::U4 ? PanelLayout::nibblesBytes
                             : layout.quant == PanelLayout::Quant::U5
                                 ? PanelLayout::nibblesBytes + 4 * PanelLayout::lanes
                             : layout.quant == PanelLayout::Quant::S8 ? 32 * PanelLayout::lanes
                                                                      : 4 * PanelLayout::lanes;
  const int64_t scalesSize = layout.scalesPerGroup() * PanelLayout::lanes * layout.scaleBytes();
  layout.minsOffset = layout.scalesOffset + scalesSize;
  layout.quantsOffset = layout.minsOffset + (layout.hasMin ? scalesSize : 0);
  layout.groupBytes = (layout.quantsOffset + quantBytes + 15) / 16 * 16;
  return layout;
}

/// Bytes of a packed matrix [rows, cols].
constexpr int64_t panelBytes(const PanelLayout &layout, int64_t rows, int64_t cols) {
  return layout.panels(rows) * layout.groups(cols) * layout.groupBytes;
}

/// Packs panels panelBegin … panelEnd-1 of the row-major matrix [rows, cols] stored as `type` at
/// `src`, whose rows are whole blocks, into `layout`: the type's own or that of a set that has it.
/// `dst` is the start of the whole packed matrix (panelBytes), 16-byte aligned for the kernels'
/// sake; `src` may be unaligned. Calls for disjoint ranges of panels may run at the same time.
void packPanels(StorageType type, const PanelLayout &layout, const std::byte *src, int64_t rows,
                int64_t cols, std::byte *dst, int64_t panelBegin, int64_t panelEnd);

/// Element [row, col] of a packed matrix, read the slow and obvious way: what packed bytes mean.
float panelElement(const PanelLayout &layout, const std::byte *panels, int64_t rows, int64_t cols,
                   int64_t row, int64_t col);

} // namespace heed

#endif // HEED_WEIGHTS_PANELLAYOUT_H
