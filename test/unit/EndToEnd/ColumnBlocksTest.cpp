//===- ColumnBlocksTest.cpp - rows too long to be multiplied at once ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

namespace {

/// 2,204 columns are four blocks of f32, or two of bf16, the last one shorter; 72 features are four
/// panels and a half.
const char kProgram[] = R"(
size n, heads = 3, c = 2204, f = 72
weight W : [f, c]
weight V : [f, c]
weight H : [heads, f, c]
weight B : [f]
size wide = 17000
weight L : [f, wide]

fn of_sections(X: [n, wide]) -> [n, f] {
  Y[i, e] = sum[x] L[e, x] * X[i, x]
  return Y
}
fn biased(X: [n, c], R: [n, f]) -> [n, f] {
  Y[i, e] = max((sum[x] W[e, x] * X[i, x]) + B[e], -0.5) + R[i, e]
  return Y
}
fn gated(X: [n, c]) -> [n, f] {
  Y[i, e] = max(sum[x] W[e, x] * X[i, x], -0.5) * (sum[x] V[e, x] * X[i, x])
  return Y
}
fn of_heads(X: [n, heads, c]) -> [n, heads, f] {
  Y[i, h, e] = sum[x] H[h, e, x] * X[i, h, x]
  return Y
}
)";
constexpr int64_t heads = 3, c = 2204, f = 72, wide = 17000;

class ColumnBlocks : public testing::TestWithParam<StorageType> {
protected:
  void SetUp() override {
    weights.add("W", {f, c}, 0.4f, GetParam());
    weights.add("V", {f, c}, 0.4f, GetParam());
    weights.add("H", {heads, f, c}, 0.4f, GetParam());
    weights.add("B", {f});
    weights.add("L", {f, wide}, 0.1f, GetParam());
  }
  Weights weights;
};

// Rows of which 8 MB are less than two parts: each part is a section of its own.
TEST_P(ColumnBlocks, InSectionsOfRows) {
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf);
  ASSERT_TRUE(program.ok());
  constexpr int64_t n = 300;
  Tensor x = randomTensor({n, wide}, 36);
  expectAllNear(program.call("of_sections", {n}, {x.values.data()}, n * f),
                linear(asNumbers(x), weights["L"], f), 2e-5, "of_sections");
}

TEST_P(ColumnBlocks, AddUpToTheFormula) {
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf);
  ASSERT_TRUE(program.ok());
  // Tiles of every height, and more than one block of rows.
  for (int64_t n : {5, 31, 330}) {
    Tensor x = randomTensor({n, c}, 31), r = randomTensor({n, f}, 32);
    Numbers y = linear(asNumbers(x), weights["W"], f, &weights["B"]);
    for (int64_t e = 0; e < n * f; ++e)
      y[e] = std::max(y[e], -0.5) + r[e];
    expectAllNear(program.call("biased", {n}, {x.values.data(), r.values.data()}, n * f), y, 1e-5,
                  "biased");
    Numbers open = linear(asNumbers(x), weights["W"], f),
            gated = linear(asNumbers(x), weights["V"], f);
    for (int64_t e = 0; e < n * f; ++e)
      gated[e] *= std::max(open[e], -0.5);
    expectAllNear(program.call("gated", {n}, {x.values.data()}, n * f), gated, 1e-5, "gated");
  }
  constexpr int64_t n = 19;
  Tensor x = randomTensor({n, heads, c}, 33);
  Numbers y;
  for (int64_t row = 0; row < n * heads; ++row)
    for (int64_t e = 0; e < f; ++e) {
      double sum = 0;
      for (int64_t s = 0; s < c; ++s)
        sum += weights["H"][(row % heads * f + e) * c + s] * x[row * c + s];
      y.push_back(sum);
    }
  expectAllNear(program.call("of_heads", {n}, {x.values.data()}, n * heads * f), y, 1e-5,
                "of_heads");
}

// A sum that waited in memory is what it would have been in a register.
TEST_P(ColumnBlocks, RowsDontDependOnOthers) {
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "--invariant");
  ASSERT_TRUE(program.ok());
  constexpr int64_t n = 40;
  Tensor x = randomTensor({n, c}, 34), r = randomTensor({n, f}, 35);
  auto all = program.call("biased", {n}, {x.values.data(), r.values.data()}, n * f);
  for (int64_t first : {1, 3, 7}) {
    auto some = program.call("biased", {first}, {x.values.data(), r.values.data()}, first * f);
    for (size_t set = 0; set < all.size(); ++set)
      EXPECT_EQ(some[set], std::vector<float>(all[set].begin(), all[set].begin() + first * f))
          << first << " rows";
  }
}

INSTANTIATE_TEST_SUITE_P(Storage, ColumnBlocks,
                         testing::Values(StorageType::F32, StorageType::F16, StorageType::BF16));

} // namespace
