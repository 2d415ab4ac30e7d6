//===- DequantizeTest.cpp - stored numbers to f32, bit for bit ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/Dequantize.h"

#include "Fixture.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace heed {
namespace {

class DequantizeTest : public testing::TestWithParam<StorageType> {};

TEST_P(DequantizeTest, HasTheBitsOfTheReference) {
  Fixture fixture(GetParam());
  ASSERT_GE(fixture.meaning.size(), 128u);
  std::vector<float> values(fixture.meaning.size());
  dequantize(GetParam(), fixture.stored.data(), static_cast<int64_t>(values.size()), values.data());
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(std::bit_cast<uint32_t>(values[i]), std::bit_cast<uint32_t>(fixture.meaning[i]))
        << "element " << i << ": " << values[i] << ", expected " << fixture.meaning[i];
}

TEST_P(DequantizeTest, ReadsUnalignedBytes) {
  Fixture fixture(GetParam());
  std::vector<std::byte> shifted(fixture.stored.size() + 1);
  std::copy(fixture.stored.begin(), fixture.stored.end(), shifted.begin() + 1);
  std::vector<float> values(fixture.meaning.size());
  dequantize(GetParam(), shifted.data() + 1, static_cast<int64_t>(values.size()), values.data());
  EXPECT_EQ(std::memcmp(values.data(), fixture.meaning.data(), values.size() * sizeof(float)), 0);
}

TEST_P(DequantizeTest, TakesAnyBits) {
  StorageInfo info = storageInfo(GetParam());
  for (int fill : {0x00, 0x7e, 0x7f, 0x80, 0xff}) { // scales among them are NaN
    std::vector<std::byte> block(static_cast<size_t>(info.blockBytes),
                                 static_cast<std::byte>(fill));
    std::vector<float> values(static_cast<size_t>(info.blockElements));
    dequantize(GetParam(), block.data(), info.blockElements, values.data());
  }
}

INSTANTIATE_TEST_SUITE_P(AllTypes, DequantizeTest, testing::ValuesIn(allStorageTypes),
                         [](const auto &param) {
                           return std::string(storageInfo(param.param).name);
                         });

TEST(Dequantize, NaNAndInfinityInScalesStay) {
  std::byte block[18] = {};
  float values[32];
  block[1] = std::byte{0x7c}; // +infinity; every quant is 0 - 8
  dequantize(StorageType::Q4_0, block, 32, values);
  EXPECT_EQ(values[0], -INFINITY);
  block[0] = std::byte{1}; // NaN
  dequantize(StorageType::Q4_0, block, 32, values);
  EXPECT_TRUE(std::isnan(values[31]));
}

TEST(Dequantize, NothingIsNothing) { dequantize(StorageType::F32, nullptr, 0, nullptr); }

TEST(Dequantize, HalfKeepsNaNPayload) {
  EXPECT_EQ(std::bit_cast<uint32_t>(halfToFloat(0xfe01)), 0xffc02000u);
  static_assert(halfToFloat(0x3c00) == 1.0f);
}

} // namespace
} // namespace heed
