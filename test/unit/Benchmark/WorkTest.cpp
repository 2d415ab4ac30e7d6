//===- WorkTest.cpp -------------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "heed/Benchmark/Work.h"
#include "heed/Weights/PanelLayout.h"
#include "heed/Weights/WeightsFile.h"

#include <gtest/gtest.h>

using namespace heed;

namespace {

const heed_function &step = tiny::artifact.functions[tiny::kStep];

TEST(Work, CountsPackedMatricesOnce) {
  tiny::WeightsOnDisk weights;
  auto file = WeightsFile::open(weights.path());
  ASSERT_TRUE(file);
  WeightWork work = weightWork(tiny::artifact, step, file->get(), 0, false);
  // The embedding and the scales are dense; only the product that gives logits counts.
  EXPECT_EQ(work.bytes,
            panelBytes(panelLayout(StorageType::Q8_0), tiny::kVocabulary, tiny::kWidth));
  EXPECT_EQ(work.ofToken.total(), 0);
  EXPECT_EQ(work.ofLogitsRow.total(), 2.0 * tiny::kVocabulary * tiny::kWidth);
}

TEST(Work, ArithmeticFollowsTheInstructions) {
  auto of = [](uint64_t instructions, bool precise) {
    return weightWork(tiny::artifact, step, nullptr, instructions, precise).ofLogitsRow.mostly();
  };
  EXPECT_EQ(of(HEED_AVX512, false), Arithmetic::Int16);
  EXPECT_EQ(of(HEED_AVX512 | HEED_AVX512_VNNI, false), Arithmetic::Int8);
  EXPECT_EQ(of(HEED_AVX512 | HEED_AVX512_VNNI, true), Arithmetic::F32);
  EXPECT_EQ(of(HEED_AVX2_FMA_F16C | HEED_AVX_VNNI, false), Arithmetic::Int8);
}

/// A function that isn't a step has no logits: the same matrix counts for each row.
TEST(Work, AFunctionHasNoLogits) {
  const heed_function &scale = tiny::artifact.functions[tiny::kScale];
  WeightWork work = weightWork(tiny::artifact, scale, nullptr, 0, false);
  EXPECT_EQ(work.ofToken.total(), 2.0 * tiny::kVocabulary * tiny::kWidth);
  EXPECT_EQ(work.ofLogitsRow.total(), 0);
}

TEST(Work, CachesGrowUpToTheirWindow) {
  EXPECT_EQ(cacheBytesRead(step, 10), 10 * 4 * tiny::kLayers * tiny::kWidth);
  heed_cache ring = {"K", 3, 2, 8, HEED_BF16, 64, 16};
  heed_function windowed = step;
  windowed.caches = &ring;
  EXPECT_EQ(cacheBytesRead(windowed, 10), 3 * 2 * 8 * 2 * 10);
  EXPECT_EQ(cacheBytesRead(windowed, 1000), 3 * 2 * 8 * 2 * 16);
}

} // namespace
