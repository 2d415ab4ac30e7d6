//===- ProductTuningTest.cpp - products of every kind are measured --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Tuning/ProductTuning.h"

#include "heed/Runtime/Artifact.h"

#include "llvm/ADT/STLExtras.h"

#include <gtest/gtest.h>

using namespace heed;
using namespace heed::tuning;

namespace {

struct Case {
  const char *kind;
  StorageType storage;
  cost::Product product;
};

class ProductTuning : public testing::TestWithParam<Case> {};

/// What is fastest is the machine's affair: here everything must have been measured.
TEST_P(ProductTuning, MeasuresCandidates) {
  auto set = hostInstructionSet();
  ASSERT_TRUE(set) << set.message();
  Case tested = GetParam();
  // Without VNNI weights of more than five bits meet rows of words.
  if (tested.storage == StorageType::Q6_K && !(*set)->has(HEED_AVX512_VNNI) &&
      !(*set)->has(HEED_AVX_VNNI))
    tested = {"64x256:q6_k:i16", tested.storage, cost::Product::Words};
  Product product{tested.kind, {}, tested.storage};
  product.projection.product = tested.product;
  product.projection.columns = 256;
  product.projection.features = 64;
  TuningOptions options;
  options.set = *set;
  options.threads = 2;
  options.rows = 40;
  options.candidates = 3;
  options.rounds = 3;
  auto tuned = tune(product, options);
  ASSERT_TRUE(tuned) << tuned.message();
  EXPECT_EQ(tuned->all.size(), 3u);
  // Others are compared with what is compiled without tuning, where rows are unknown.
  auto processor = cost::Processor::withLanes(options.set->vectorBits / 32);
  EXPECT_EQ(tuned->model, cost::tilesOf(product.projection, processor).front());
  EXPECT_EQ(tuned->all.front().first, tuned->model);
  for (const auto &[tile, milliseconds] : tuned->all)
    EXPECT_GT(milliseconds, 0);
  EXPECT_TRUE(llvm::any_of(tuned->all, [&](const auto &of) { return of.first == tuned->best; }));
  EXPECT_GE(tuned->gain, tuned->gainAtLeast);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ProductTuning,
    testing::Values(Case{"64x256:f32:f32", StorageType::F32, cost::Product::F32},
                    Case{"64x256:bf16:bf16", StorageType::BF16, cost::Product::Pairs},
                    Case{"64x256:f16:f32", StorageType::F16, cost::Product::Widened},
                    Case{"64x256:q4_1:i8", StorageType::Q4_1, cost::Product::Bytes},
                    Case{"64x256:q6_k:i8", StorageType::Q6_K, cost::Product::Bytes}),
    [](const auto &info) { return std::string(storageInfo(info.param.storage).name); });

} // namespace
