//===- PackedWeightsTest.cpp - weights whose axes are laid out anew -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "heed/Runtime/PackedWeights.h"
#include "heed/Weights/PanelLayout.h"
#include "heed/Weights/WeightsFile.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace heed;

namespace {

/// A weight [3, 5, 64] called "t", and its value at each index.
struct Sample {
  StorageType storage;
  std::string bytes;

  static constexpr int64_t a = 3, b = 5, c = 64;

  explicit Sample(StorageType storage) : storage(storage) {
    for (int64_t e = 0; e < a * b * c; ++e) {
      if (storage == StorageType::F32) {
        float value = at(e);
        bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
        continue;
      }
      if (storage == StorageType::BF16) { // the upper half of an f32, exact for these
        float value = at(e);
        bytes.append(reinterpret_cast<const char *>(&value) + 2, 2);
        continue;
      }
      if (e % 32 == 0)
        bytes.append("\x00\x3c", 2); // the scale of a block of Q8_0: 1 as f16
      bytes += static_cast<char>(at(e));
    }
  }
  float at(int64_t e) const { return static_cast<float>(e % 251 - 125); }
  float at(int64_t x, int64_t y, int64_t z) const { return at((x * b + y) * c + z); }

  heed_weight weight(heed_layout layout, int64_t rows, int64_t cols,
                     std::array<int32_t, 3> order) const {
    return {"w",  "t", nullptr, StorageSet(storage).bits(),     layout,   1, rows,
            cols, 1,   3,       {order[0], order[1], order[2]}, {a, b, c}};
  }
};

class PackedWeightsTest : public testing::Test {
protected:
  Status load(const Sample &sample, const heed_weight &weight) {
    tiny::Tensor tensor;
    tensor.name = "t";
    tensor.extents = {Sample::c, Sample::b, Sample::a};
    tensor.type = sample.storage == StorageType::F32    ? 0
                  : sample.storage == StorageType::BF16 ? 30
                                                        : 8;
    tensor.bytes = sample.bytes;
    tiny::WeightsOnDisk disk({tensor});
    auto file = WeightsFile::open(disk.path());
    EXPECT_TRUE(file);
    auto pool = Pool::create(2);
    EXPECT_TRUE(pool);
    heed_artifact artifact{HEED_ABI_VERSION, "m", 1, 0, 0, &weight, nullptr, nullptr};
    return weights.load(artifact, file->get(), **pool);
  }

  PackedWeights weights;
};

TEST_F(PackedWeightsTest, MovesRowsOfBlocks) {
  for (StorageType storage : {StorageType::F32, StorageType::Q8_0}) {
    Sample sample(storage);
    int64_t rows = Sample::b, cols = Sample::a * Sample::c; // [y, (x, z)]
    ASSERT_TRUE(load(sample, sample.weight(HEED_LAYOUT_PANELS, rows, cols, {1, 0, 2})).ok());
    auto *panels = static_cast<const std::byte *>(weights.addresses()[0]);
    for (int64_t y = 0; y < rows; ++y)
      for (int64_t x = 0; x < Sample::a; ++x)
        for (int64_t z = 0; z < Sample::c; ++z)
          ASSERT_EQ(panelElement(panelLayout(storage), panels, rows, cols, y, x * Sample::c + z),
                    sample.at(x, y, z));
  }
}

TEST_F(PackedWeightsTest, LaysOutLayersOfSeveralFormatsAlike) {
  StorageSet storages = StorageType::Q8_0;
  storages.insert(StorageType::Q6_K);
  Sample sample(StorageType::Q8_0);
  heed_weight weight =
      sample.weight(HEED_LAYOUT_PANELS, Sample::b, Sample::a * Sample::c, {1, 0, 2});
  weight.storages = storages.bits();
  EXPECT_EQ(load(sample, weight).code, HEED_ERROR_INTERNAL); // 192 columns are no blocks of Q6_K
  storages = StorageType::Q8_0;
  storages.insert(StorageType::Q4_1);
  weight.storages = storages.bits();
  ASSERT_TRUE(load(sample, weight).ok());
  auto *panels = static_cast<const std::byte *>(weights.addresses()[0]);
  for (int64_t y = 0; y < Sample::b; ++y)
    for (int64_t x = 0; x < Sample::a; ++x)
      for (int64_t z = 0; z < Sample::c; ++z)
        ASSERT_EQ(panelElement(panelLayout(storages), panels, weight.rows, weight.cols, y,
                               x * Sample::c + z),
                  sample.at(x, y, z));
  storages = StorageType::Q4_0;
  storages.insert(StorageType::Q6_K);
  weight.storages = storages.bits();
  Status status = load(sample, weight);
  EXPECT_NE(status.message.find("is stored as Q8_0, and the program was compiled for Q4_0 or Q6_K"),
            std::string::npos)
      << status.message;
}

TEST_F(PackedWeightsTest, MovesEveryAxisOfFloats) {
  Sample sample(StorageType::F32);
  int64_t rows = Sample::c * Sample::a, cols = Sample::b; // [(z, x), y]: more than one panel
  ASSERT_TRUE(load(sample, sample.weight(HEED_LAYOUT_PANELS, rows, cols, {2, 0, 1})).ok());
  auto *panels = static_cast<const std::byte *>(weights.addresses()[0]);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t y = 0; y < cols; ++y)
      ASSERT_EQ(panelElement(panelLayout(sample.storage), panels, rows, cols, row, y),
                sample.at(row % Sample::a, y, row / Sample::a));
}

TEST_F(PackedWeightsTest, MovesAxesOfDenseWeights) {
  for (StorageType storage : {StorageType::F32, StorageType::Q8_0}) {
    Sample sample(storage);
    int64_t elements = Sample::a * Sample::b * Sample::c;
    ASSERT_TRUE(load(sample, sample.weight(HEED_LAYOUT_DENSE_F32, elements, 1, {1, 0, 2})).ok());
    auto *dense = static_cast<const float *>(weights.addresses()[0]);
    for (int64_t y = 0; y < Sample::b; ++y)
      for (int64_t x = 0; x < Sample::a; ++x)
        for (int64_t z = 0; z < Sample::c; ++z)
          ASSERT_EQ(*dense++, sample.at(x, y, z));
  }
}

// Rows are what the file has, which panels of two columns are.
TEST_F(PackedWeightsTest, LeavesRowsInTheirOrder) {
  Sample sample(StorageType::BF16);
  heed_weight weight = sample.weight(HEED_LAYOUT_ROWS, Sample::a, Sample::b * Sample::c, {});
  weight.rank = 0;
  ASSERT_TRUE(load(sample, weight).ok());
  EXPECT_EQ(std::memcmp(weights.addresses()[0], sample.bytes.data(), sample.bytes.size()), 0);
  weight.storages = StorageSet(StorageType::Q8_0).bits();
  EXPECT_EQ(load(sample, weight).code, HEED_ERROR_INTERNAL); // no elements of their own
}

// One matrix for each x, whose rows begin with a panel of their own, in the file's order of axes
// and in another.
TEST_F(PackedWeightsTest, BeginsEachMatrixWithAPanel) {
  for (StorageType storage : {StorageType::F32, StorageType::Q8_0})
    for (bool isMoved : {false, true}) {
      if (isMoved && storage == StorageType::Q8_0)
        continue; // blocks stay whole
      Sample sample(storage);
      int64_t rows = isMoved ? Sample::c : Sample::b, cols = isMoved ? Sample::b : Sample::c;
      heed_weight weight = sample.weight(HEED_LAYOUT_PANELS, Sample::a * rows, cols,
                                         isMoved ? std::array<int32_t, 3>{0, 2, 1}
                                                 : std::array<int32_t, 3>{0, 1, 2});
      if (!isMoved)
        weight.rank = 0;
      weight.matrices = Sample::a;
      ASSERT_TRUE(load(sample, weight).ok());
      PanelLayout layout = panelLayout(storage);
      auto *panels = static_cast<const std::byte *>(weights.addresses()[0]);
      for (int64_t x = 0; x < Sample::a; ++x, panels += panelBytes(layout, rows, cols))
        for (int64_t row = 0; row < rows; ++row)
          for (int64_t col = 0; col < cols; ++col)
            ASSERT_EQ(panelElement(layout, panels, rows, cols, row, col),
                      isMoved ? sample.at(x, col, row) : sample.at(x, row, col));
      weight.matrices = 2 * Sample::a * rows;
      EXPECT_EQ(load(sample, weight).code, HEED_ERROR_INTERNAL);
      weight.matrices = 0;
      EXPECT_EQ(load(sample, weight).code, HEED_ERROR_INTERNAL);
    }
}

TEST_F(PackedWeightsTest, RefusesOrdersThatMakeNoSense) {
  int64_t rows = Sample::b, cols = Sample::a * Sample::c;
  Sample sample(StorageType::Q8_0);
  auto refuses = [&](std::array<int32_t, 3> order) {
    return load(sample, sample.weight(HEED_LAYOUT_PANELS, rows, cols, order)).code ==
           HEED_ERROR_INTERNAL;
  };
  EXPECT_TRUE(refuses({2, 1, 0})); // breaks blocks up
  EXPECT_TRUE(refuses({0, 0, 2}));
  EXPECT_TRUE(refuses({0, 1, 3}));
  EXPECT_TRUE(refuses({-1, 1, 2}));
  heed_weight weight = sample.weight(HEED_LAYOUT_PANELS, rows, cols, {1, 0, 2});
  weight.rank = HEED_MAX_RANK + 1;
  EXPECT_EQ(load(sample, weight).code, HEED_ERROR_INTERNAL);
  weight.rank = 3;
  weight.shape[0] = 4;
  EXPECT_EQ(load(sample, weight).code, HEED_ERROR_INTERNAL);
}

} // namespace
