//===- EmbeddingTest.cpp - rows of tables, however they lie in memory -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include "heed/Runtime/Artifact.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

namespace {

/// Elements of 32 columns are whole vectors and whole blocks, those of 24 neither.
const char kProgram[] = R"(
size n, rows = 70, even = 32, odd = 24
weight Even : [rows, even]
weight Odd : [rows, odd]
weight Shared : [rows, even]

fn evens(ids: int[n], factor: [n]) -> [n, even] {
  X[i, c] = factor[i] * Even[ids[i], c]
  return X
}
fn odds(ids: int[n], factor: [n]) -> [n, odd] {
  X[i, c] = factor[i] * Odd[ids[i], c]
  return X
}
fn shared(ids: int[n], factor: [n]) -> [n, rows] {
  X[i, c] = factor[i] * Shared[ids[i], c]
  Y[i, r] = sum[c] Shared[r, c] * X[i, c]
  return Y
}
)";

class Embedding : public testing::TestWithParam<StorageType> {};

} // namespace

TEST_P(Embedding, IsARowOfItsTable) {
  constexpr int64_t rows = 70, even = 32, odd = 24;
  Weights weights;
  StorageType ofOdd = GetParam() == StorageType::Q8_0 ? StorageType::F16 : GetParam();
  weights.add("Even", {rows, even}, 1, GetParam());
  weights.add("Odd", {rows, odd}, 1, ofOdd);
  weights.add("Shared", {rows, even}, 0.3f, GetParam());
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "--precise");
  ASSERT_TRUE(program.ok());
  // Rows of 16 bits that nothing multiplies lie one after another.
  bool isHalf = GetParam() == StorageType::F16 || GetParam() == StorageType::BF16;
  for (int64_t w = 0; w < program.artifact()->n_weights; ++w) {
    const heed_weight &weight = program.artifact()->weights[w];
    EXPECT_EQ(weight.layout == HEED_LAYOUT_ROWS, isHalf && !std::strcmp(weight.name, "Even"))
        << weight.name;
  }
  // No row, one, the edges of panels, and several tasks of rows.
  for (int64_t n : {0, 1, 4, 21, 70}) {
    std::vector<int32_t> ids;
    for (int64_t i = 0; i < n; ++i)
      ids.push_back(static_cast<int32_t>(i == 1 ? rows - 1 : i * 37 % rows));
    Tensor factor = randomTensor({n}, 41);
    auto call = [&](const char *name, Numbers expected, double allowed) {
      for (size_t e = 0; e < expected.size(); ++e)
        expected[e] *= factor[e / (expected.size() / n)];
      expectAllNear(program.call(name, {n}, {ids.data(), factor.values.data()}, expected.size()),
                    expected, allowed, name);
    };
    call("evens", embedded(weights["Even"], ids, even), 1e-6);
    call("odds", embedded(weights["Odd"], ids, odd), 1e-6);
    call("shared", linear(embedded(weights["Shared"], ids, even), weights["Shared"], rows), 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Storage, Embedding,
                         testing::Values(StorageType::F32, StorageType::F16, StorageType::BF16,
                                         StorageType::Q8_0),
                         [](const auto &param) {
                           return std::string(storageInfo(param.param).name);
                         });
