//===- PanelLayoutTest.cpp - packed panels mean what the file means -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/PanelLayout.h"

#include "Fixture.h"
#include "heed/Weights/Dequantize.h"

#include <gtest/gtest.h>

#include <bit>

namespace heed {
namespace {

class PanelLayoutTest : public testing::TestWithParam<StorageType> {
protected:
  const StorageType type = GetParam();
  const StorageInfo info = storageInfo(type);
  const PanelLayout layout = panelLayout(type);

  /// A matrix of `rows` rows: the fixture's blocks over and over, each row beginning elsewhere.
  std::vector<std::byte> matrix(int64_t rows, int64_t cols) const {
    Fixture fixture(type);
    const size_t blockBytes = static_cast<size_t>(info.blockBytes);
    const size_t kinds = fixture.stored.size() / blockBytes;
    const int64_t rowBlocks = cols / info.blockElements;
    std::vector<std::byte> bytes;
    for (int64_t b = 0; b < rows * rowBlocks; ++b) {
      size_t kind = static_cast<size_t>(b + b / rowBlocks) % kinds;
      bytes.insert(bytes.end(), fixture.stored.begin() + kind * blockBytes,
                   fixture.stored.begin() + (kind + 1) * blockBytes);
    }
    return bytes;
  }

  /// Packs into `layout`, which holds the type exactly. Where `zeroLosesSign`, zeros are equal
  /// whatever their signs.
  void expectSameMeaning(int64_t rows, int64_t cols, const PanelLayout &layout,
                         bool zeroLosesSign = false) const {
    std::vector<std::byte> stored = matrix(rows, cols);
    std::vector<float> values(static_cast<size_t>(rows * cols));
    dequantize(type, stored.data(), rows * cols, values.data());
    std::vector<std::byte> packed(static_cast<size_t>(panelBytes(layout, rows, cols)),
                                  std::byte{0xa5});
    packPanels(type, layout, stored.data(), rows, cols, packed.data(), 0, layout.panels(rows));
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c) {
        float value = panelElement(layout, packed.data(), rows, cols, r, c);
        float expected = values[static_cast<size_t>(r * cols + c)];
        if (zeroLosesSign && value == 0.0f && expected == 0.0f)
          continue;
        ASSERT_EQ(std::bit_cast<uint32_t>(value), std::bit_cast<uint32_t>(expected))
            << rows << " x " << cols << ", element " << r << ", " << c;
      }
    for (int64_t r = rows; r < layout.panels(rows) * PanelLayout::lanes; ++r)
      for (int64_t c = 0; c < cols; ++c)
        ASSERT_EQ(panelElement(layout, packed.data(), rows, cols, r, c), 0.0f) << "padding";
  }
};

TEST_P(PanelLayoutTest, MeansWhatTheFileMeans) {
  for (int64_t rows : {1, 15, 16, 17, 35})
    expectSameMeaning(rows, info.blockElements == 256 ? 512 : 96, layout);
}

TEST_P(PanelLayoutTest, MeansTheSameBesideEveryOtherFormat) {
  const auto hasFourBits = [](const PanelLayout &layout) {
    return layout.quant == PanelLayout::Quant::U4;
  };
  for (StorageType other : allStorageTypes)
    for (StorageType third : {other, StorageType::Q4_0, StorageType::Q6_K}) {
      SCOPED_TRACE(std::string(storageInfo(other).name) + ", " +
                   std::string(storageInfo(third).name));
      StorageSet set = type;
      set.insert(other);
      set.insert(third);
      const PanelLayout common = panelLayout(set);
      const int64_t cols = info.blockElements == 256 ? 512 : 288; // floats: not whole chunks
      expectSameMeaning(17, cols, common,
                        type == StorageType::Q4_0 && hasFourBits(common) && common.hasMin);
    }
}

TEST_P(PanelLayoutTest, PanelsPackedApartAreThoseOfOneCall) {
  const int64_t rows = 45, cols = 256;
  std::vector<std::byte> stored = matrix(rows, cols);
  const size_t size = static_cast<size_t>(panelBytes(layout, rows, cols));
  std::vector<std::byte> once(size), apart(size);
  packPanels(type, layout, stored.data(), rows, cols, once.data(), 0, 3);
  packPanels(type, layout, stored.data(), rows, cols, apart.data(), 2, 3);
  packPanels(type, layout, stored.data(), rows, cols, apart.data(), 0, 2);
  EXPECT_EQ(once, apart);
}

TEST_P(PanelLayoutTest, PartsFollowEachOther) {
  EXPECT_EQ(layout.groupBytes % 16, 0);
  EXPECT_EQ(layout.quantsOffset % 16, 0);
  EXPECT_EQ(layout.hasMin, layout.minsOffset != layout.quantsOffset);
  EXPECT_EQ(layout.isQuantised(), isQuantised(type));
  if (layout.isQuantised())
    EXPECT_EQ(info.blockElements % layout.groupColumns, 0);
}

INSTANTIATE_TEST_SUITE_P(AllTypes, PanelLayoutTest, testing::ValuesIn(allStorageTypes),
                         [](const auto &param) {
                           return std::string(storageInfo(param.param).name);
                         });

// A pair's second column is zero where columns are odd.
TEST(PanelLayout, OddColumnsOfBf16EndInAHalfPair) {
  constexpr PanelLayout layout = panelLayout(StorageType::BF16);
  const int64_t rows = 18, cols = 37;
  std::vector<uint16_t> stored(rows * cols);
  for (size_t e = 0; e < stored.size(); ++e)
    stored[e] = static_cast<uint16_t>(0x3f80 + e % 97);
  ASSERT_EQ(panelBytes(layout, rows, cols), 2 * 19 * 64);
  std::vector<std::byte> packed(2 * 19 * 64, std::byte{0xa5});
  packPanels(StorageType::BF16, layout, reinterpret_cast<const std::byte *>(stored.data()), rows,
             cols, packed.data(), 0, 2);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c)
      ASSERT_EQ(panelElement(layout, packed.data(), rows, cols, r, c),
                std::bit_cast<float>(uint32_t{stored[r * cols + c]} << 16));
    EXPECT_EQ(panelElement(layout, packed.data(), rows, cols, r, cols), 0.0f);
  }
}

// The offsets that kernels are generated with. A change here changes the artefact's ABI.
TEST(PanelLayout, OffsetsOfQ4_1) {
  constexpr PanelLayout layout = panelLayout(StorageType::Q4_1);
  static_assert(layout.scalesOffset == 0 && layout.minsOffset == 32 && layout.quantsOffset == 64 &&
                layout.groupBytes == 320);
  EXPECT_EQ(panelBytes(layout, 17, 64), 2 * 2 * 320);
}

StorageSet setOf(std::initializer_list<StorageType> types) {
  StorageSet set;
  for (StorageType type : types)
    set.insert(type);
  return set;
}

TEST(PanelLayout, ALayoutOfSeveralFormatsIsTheSmallestThatHoldsThem) {
  using enum StorageType;
  EXPECT_EQ(panelLayout(setOf({Q5_0, Q8_0})), panelLayout(Q8_0));
  EXPECT_EQ(panelLayout(setOf({Q4_0, Q8_0})), panelLayout(Q8_0));
  EXPECT_EQ(panelLayout(setOf({Q4_0, Q4_1})), panelLayout(Q4_K));
  EXPECT_EQ(panelLayout(setOf({Q4_0, Q4_1, Q8_0})), panelLayout(setOf({Q5_1, Q8_0})));
  EXPECT_EQ(panelLayout(setOf({Q4_0, Q5_0})), panelLayout(Q8_0));
  EXPECT_EQ(panelLayout(setOf({Q4_1, Q5_1})), panelLayout(Q5_1));
  EXPECT_EQ(panelLayout(setOf({Q4_K, Q5_K})), panelLayout(Q5_K));
  EXPECT_EQ(panelLayout(setOf({Q5_1, Q5_K})), panelLayout(Q5_K));
  EXPECT_EQ(panelLayout(setOf({Q4_K, Q6_K})), panelLayout(Q2_K));
  EXPECT_EQ(panelLayout(setOf({Q5_0, Q6_K})), panelLayout(Q6_K));
  EXPECT_EQ(panelLayout(setOf({F16, BF16})), panelLayout(F32));
  EXPECT_EQ(panelLayout(setOf({F16, Q8_0})), panelLayout(F32));
}

TEST(PanelLayout, PlacesNibblesAsThePictureSays) {
  // Row 0, one block: scale 1, min 0, quant c = c % 16 for columns 0 … 15 and 15 for 16 … 31.
  std::byte block[20] = {std::byte{0x00}, std::byte{0x3c}};
  for (int c = 0; c < 16; ++c)
    block[4 + c] = static_cast<std::byte>(c | 0xf0);
  std::byte packed[320];
  packPanels(StorageType::Q4_1, panelLayout(StorageType::Q4_1), block, 1, 32, packed, 0, 1);
  EXPECT_EQ(packed[1], std::byte{0x3c});           // scale of lane 0
  EXPECT_EQ(packed[64 + 3], std::byte{0xf3});      // columns 3 and 19 of lane 0
  EXPECT_EQ(packed[64 + 64 + 1], std::byte{0xf5}); // columns 5 and 21
  EXPECT_EQ(packed[64 + 4], std::byte{0x00});      // lane 1 is padding
}

TEST(PanelLayout, PlacesFifthBitsAsThePictureSays) {
  // Row 1 of two, one block: scale 1, numbers 16 (and so zero) but for column 22's, which is 7.
  std::byte blocks[2][22] = {};
  blocks[1][1] = std::byte{0x3c};
  for (int byte = 2; byte < 6; ++byte)
    blocks[1][byte] = std::byte{0xff};
  blocks[1][4] = std::byte{0xbf};     // bit 22 of 32 is missing
  blocks[1][6 + 6] = std::byte{0x70}; // columns 6 and 22
  constexpr PanelLayout layout = panelLayout(StorageType::Q5_0);
  static_assert(layout.quantsOffset == 32 && layout.groupBytes == 352 && layout.zeroPoint == 16);
  std::byte packed[352];
  packPanels(StorageType::Q5_0, layout, blocks[0], 2, 32, packed, 0, 1);
  EXPECT_EQ(packed[32 + 64 + 4 + 2], std::byte{0x70}); // lane 1, byte [1][1][2]
  const int at = 32 + 256 + 4;                         // the fifth bits of lane 1
  for (int i = 0; i < 4; ++i)                          // bit 5 of byte 2 is column 4 * 5 + 2
    EXPECT_EQ(packed[at + i], i == 2 ? std::byte{0xdf} : std::byte{0xff});
  EXPECT_EQ(panelElement(layout, packed, 2, 32, 1, 22), -9.0f);
  EXPECT_EQ(panelElement(layout, packed, 2, 32, 1, 21), 0.0f);
}

} // namespace
} // namespace heed
