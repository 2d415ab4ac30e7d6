//===- StorageTypeTest.cpp - names and type numbers -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/StorageType.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

TEST(StorageType, NamesRoundTrip) {
  for (StorageType type : allStorageTypes)
    EXPECT_EQ(parseStorageType(storageInfo(type).name), type);
  EXPECT_EQ(parseStorageType("q4_1"), std::nullopt);
  EXPECT_EQ(parseStorageType(""), std::nullopt);
}

TEST(StorageType, NumbersAreThoseOfArtefacts) {
  for (size_t i = 0; i < allStorageTypes.size(); ++i)
    EXPECT_EQ(static_cast<size_t>(allStorageTypes[i]), i);
  EXPECT_EQ(storageTypeFromNumber(4), StorageType::Q4_1);
  EXPECT_EQ(storageTypeFromNumber(-1), std::nullopt);
  EXPECT_EQ(storageTypeFromNumber(13), std::nullopt);
}

TEST(StorageSet, HoldsTheFormatsPutIn) {
  StorageSet set = StorageType::Q4_K;
  EXPECT_EQ(spellStorage(set), "Q4_K");
  set.insert(StorageType::Q8_0);
  EXPECT_EQ(spellStorage(set), "Q8_0 or Q4_K");
  EXPECT_TRUE(set.contains(StorageType::Q8_0));
  EXPECT_FALSE(set.contains(StorageType::F32));
  EXPECT_EQ(set.blockElements(), 256);
  EXPECT_EQ(StorageSet::fromBits(set.bits()), set);
  EXPECT_EQ(StorageSet::fromBits(0), std::nullopt);
  EXPECT_EQ(StorageSet::fromBits(1u << 13), std::nullopt);
}

TEST(StorageType, FromGgml) {
  EXPECT_EQ(fileStorageFromGgml(30).storage, StorageType::BF16);
  EXPECT_EQ(fileStorageFromGgml(14).storage, StorageType::Q6_K);
  FileStorage unsupported = fileStorageFromGgml(23);
  EXPECT_EQ(unsupported.storage, std::nullopt);
  EXPECT_EQ(unsupported.info.name, "IQ4_XS");
  EXPECT_EQ(unsupported.info.blockBytes, 136);
  EXPECT_EQ(fileStorageFromGgml(4).info.blockBytes, 0); // a format that ggml removed
}

TEST(StorageType, FromSafetensors) {
  EXPECT_EQ(fileStorageFromSafetensors("BF16").storage, StorageType::BF16);
  EXPECT_EQ(fileStorageFromSafetensors("Q4_0").storage, std::nullopt);
  EXPECT_EQ(fileStorageFromSafetensors("I64").storage, std::nullopt);
  EXPECT_EQ(fileStorageFromSafetensors("I64").info.blockBytes, 8);
}

} // namespace
} // namespace heed
