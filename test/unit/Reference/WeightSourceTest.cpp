//===- WeightSourceTest.cpp - random weights and their bytes --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Reference/WeightSource.h"

#include "heed/Weights/PanelLayout.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::reference;

namespace {

/// A module with one weight, @W.
class OneWeight {
public:
  OneWeight(const std::string &type, const std::string &rest)
      : context(mlir::MLIRContext::Threading::DISABLED) {
    context.loadDialect<attn::AttnDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(
        "attn.weight @W : !attn.weight<" + type + "> tensor \"w\" " + rest, &context);
  }
  attn::WeightOp get() { return *module->getOps<attn::WeightOp>().begin(); }

private:
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

const char *const kStorages[] = {"f32",  "f16",  "bf16", "q4_0", "q4_1", "q5_0", "q5_1",
                                 "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k"};

TEST(RandomWeights, HaveTheSizeThatKeepsActivations) {
  for (const char *storage : kStorages) {
    OneWeight weight(std::string("256x256, ") + storage, "");
    RandomWeights random;
    auto values = llvm::cantFail(random.dense(weight.get(), 0));
    double sum = 0, squares = 0;
    for (double value : values) {
      ASSERT_TRUE(std::isfinite(value)) << storage;
      sum += value, squares += value * value;
    }
    double mean = sum / values.size(), deviation = std::sqrt(squares / values.size());
    EXPECT_LT(std::abs(mean), 0.15 / 16) << storage;
    EXPECT_GT(deviation, 0.6 / 16) << storage;
    EXPECT_LT(deviation, 1.6 / 16) << storage;
  }
}

TEST(RandomWeights, DependOnSeedAndLayerOnly) {
  OneWeight weight("4x32, q8_0", ""), other("2x2x32, q8_0", "");
  RandomWeights a, b, c(1);
  auto first = llvm::cantFail(a.dense(weight.get(), 0));
  EXPECT_EQ(first, llvm::cantFail(b.dense(other.get(), 0)));
  EXPECT_NE(first, llvm::cantFail(c.dense(weight.get(), 0)));
  EXPECT_NE(first, llvm::cantFail(a.dense(weight.get(), 1)));
}

TEST(PackWeight, PanelsHoldTheDenseElements) {
  for (const char *storage : kStorages) {
    OneWeight weight(std::string("20x512, ") + storage,
                     "{heed.layout = 1 : i64, heed.rows = 20 : i64, heed.cols = 512 : i64}");
    RandomWeights random;
    auto values = llvm::cantFail(random.dense(weight.get(), 0));
    std::vector<std::byte> bytes = llvm::cantFail(packWeight(random, weight.get(), 0));
    StorageType type = llvm::cantFail(random.stored(weight.get(), 0)).storage;
    for (int64_t row = 0; row < 20; ++row)
      for (int64_t col = 0; col < 512; ++col)
        ASSERT_EQ(panelElement(panelLayout(type), bytes.data(), 20, 512, row, col),
                  values[row * 512 + col])
            << storage << " " << row << " " << col;
  }
}

TEST(PackWeight, AxesChangeTheirOrder) {
  OneWeight weight("2x3x32, q8_0", "{heed.layout = 0 : i64, heed.rows = 192 : i64, "
                                   "heed.cols = 1 : i64, heed.permuted = array<i64: 1, 0, 2>}");
  RandomWeights random;
  auto values = llvm::cantFail(random.dense(weight.get(), 0));
  std::vector<std::byte> bytes = llvm::cantFail(packWeight(random, weight.get(), 0));
  std::vector<float> packed(192);
  ASSERT_EQ(bytes.size(), packed.size() * sizeof(float));
  std::memcpy(packed.data(), bytes.data(), bytes.size());
  for (int64_t a = 0; a < 2; ++a)
    for (int64_t b = 0; b < 3; ++b)
      for (int64_t c = 0; c < 32; ++c)
        EXPECT_EQ(packed[(b * 2 + a) * 32 + c], values[(a * 3 + b) * 32 + c]);
}

TEST(PackWeight, HeadsBeginWithPanelsOfTheirOwn) {
  OneWeight weight("2x3x32, q8_0", "{heed.layout = 1 : i64, heed.rows = 6 : i64, "
                                   "heed.cols = 32 : i64, heed.matrices = 2 : i64}");
  RandomWeights random;
  auto values = llvm::cantFail(random.dense(weight.get(), 0));
  std::vector<std::byte> bytes = llvm::cantFail(packWeight(random, weight.get(), 0));
  PanelLayout layout = panelLayout(StorageType::Q8_0);
  ASSERT_EQ(static_cast<int64_t>(bytes.size()), 2 * panelBytes(layout, 3, 32));
  for (int64_t row = 0; row < 3; ++row)
    EXPECT_EQ(panelElement(layout, bytes.data() + bytes.size() / 2, 3, 32, row, 7),
              values[(3 + row) * 32 + 7]);
}

TEST(PackWeight, NeedsALayoutThatFits) {
  RandomWeights random;
  OneWeight none("4x32, q8_0", "");
  EXPECT_EQ(llvm::toString(packWeight(random, none.get(), 0).takeError()),
            "weight 'W' has no layout: attn-assign-layouts gives it one");
  OneWeight other("4x32, q8_0",
                  "{heed.layout = 1 : i64, heed.rows = 4 : i64, heed.cols = 64 : i64}");
  EXPECT_EQ(
      llvm::toString(packWeight(random, other.get(), 0).takeError()),
      "weight 'W' has 128 elements, which aren't 1 matrices of 4 rows together and 64 columns");
}

} // namespace
