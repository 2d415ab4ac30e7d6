//===- RoundedProjectionTest.cpp - rows in eight bits, as they are rounded --===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include "heed/Runtime/Artifact.h"
#include "heed/Runtime/Cpu.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

namespace {

const char kProgram[] = R"(
size n, heads = 3, columns = 96, features = 72
weight W : [features, columns]
weight H : [heads, features, columns]

fn project(X: [n, columns]) -> [n, features] {
  Y[i, f] = sum[c] W[f, c] * X[i, c]
  return Y
}
fn of_heads(X: [n, heads, columns]) -> [n, heads, features] {
  Y[i, h, f] = sum[c] H[h, f, c] * X[i, h, c]
  return Y
}
)";

/// Blocks of 32 numbers as multiples of a -128th of the one that is furthest from 0: what
/// attn.quantize is said to do.
Numbers rounded(const Tensor &x) {
  Numbers result;
  for (int64_t first = 0; first < x.size(); first += 32) {
    float furthest = 0;
    for (int64_t e = first; e < first + 32; ++e)
      if (std::abs(x.values[e]) > std::abs(furthest))
        furthest = x.values[e];
    float scale = furthest / -128, inverse = furthest == 0 ? 0 : -128 / furthest;
    for (int64_t e = first; e < first + 32; ++e)
      result.push_back(double(scale) * std::fmin(std::nearbyint(x.values[e] * inverse), 127));
  }
  return result;
}

class RoundedProjection : public testing::TestWithParam<StorageType> {
protected:
  void SetUp() override {
    if (cpuFeatures() & HEED_AVX512_VNNI)
      sets.push_back("avx512vnni");
    if (cpuFeatures() & HEED_AVX_VNNI)
      sets.push_back("avx2vnni");
    if (sets.empty())
      GTEST_SKIP() << "this processor has no dot products of bytes (AVX-512 VNNI, AVX-VNNI)";
  }
  std::vector<std::string> sets; // those that round rows and that this processor has
};

TEST_P(RoundedProjection, IsThatOfRoundedRows) {
  constexpr int64_t h = 3, c = 96, f = 72;
  Weights weights;
  weights.add("W", {f, c}, 0.4f, GetParam());
  weights.add("H", {h, f, c}, 0.4f, GetParam());
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "", sets);
  ASSERT_TRUE(program.ok());
  const Tensor &W = weights["W"], &H = weights["H"];

  // Few rows, and as many as make tiles of every height.
  for (int64_t n : {0, 1, 3, 4, 6, 17}) {
    Tensor x = randomTensor({n, c}, 21), ofHeads = randomTensor({n, h, c}, 22);
    if (n > 3) // a block of zeros has no scale
      std::fill_n(x.values.begin() + c, 32, 0.0f);
    Numbers xr = rounded(x), hr = rounded(ofHeads);
    expectAllNear(program.call("project", {n}, {x.values.data()}, n * f), linear(xr, W, f), 1e-5,
                  "project");
    Numbers heads;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t head = 0; head < h; ++head)
        for (int64_t feature = 0; feature < f; ++feature) {
          double sum = 0;
          for (int64_t column = 0; column < c; ++column)
            sum += H[(head * f + feature) * c + column] * hr[(i * h + head) * c + column];
          heads.push_back(sum);
        }
    expectAllNear(program.call("of_heads", {n}, {ofHeads.values.data()}, n * h * f), heads, 1e-5,
                  "of_heads");
  }
}

TEST_P(RoundedProjection, ARowDoesNotDependOnOthers) {
  constexpr int64_t c = 96, f = 72, n = 17;
  Weights weights;
  weights.add("W", {f, c}, 0.4f, GetParam());
  weights.add("H", {3, f, c}, 0.4f, GetParam());
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "", sets);
  ASSERT_TRUE(program.ok());
  Tensor x = randomTensor({n, c}, 23);
  program.expectSameAlone("project", x.values.data(), n, c, f);
}

INSTANTIATE_TEST_SUITE_P(Storage, RoundedProjection,
                         testing::Values(StorageType::Q8_0, StorageType::Q4_1, StorageType::Q5_0),
                         [](const auto &param) {
                           return std::string(storageInfo(param.param).name);
                         });

} // namespace
