//===- RoundedProjectionTest.cpp - rows of integers, as they are rounded ---===//
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
#include <bit>
#include <cmath>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

namespace {

const char kProgram[] = R"(
size n, heads = 3, columns = 96, features = 88
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

float nearestBF16(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
}

/// Instruction sets that round rows alike.
struct Rounding {
  std::vector<std::string> sets;
  int reach; ///< of quants from 0
  bool isCentred;
  double tolerance; ///< of the largest result: centred rows meet bf16
};

/// What attn.quantize is said to do. The number of a block of 32 that is furthest from 0 becomes
/// the opposite of the reach; of centred rows the middle of its extremes is taken off first, and
/// what is furthest from that becomes the reach or its opposite.
Numbers rounded(const Tensor &x, const Rounding &rounding) {
  Numbers result;
  for (int64_t first = 0; first < x.size(); first += 32) {
    float furthest = 0, low = 0, high = 0;
    for (int64_t e = first; e < first + 32; ++e) {
      if (std::abs(x.values[e]) > std::abs(furthest))
        furthest = x.values[e];
      low = std::min(low, x.values[e]);
      high = std::max(high, x.values[e]);
    }
    auto reach = static_cast<float>(rounding.reach);
    float centre = 0, to = -reach;
    if (rounding.isCentred) {
      centre = nearestBF16((low + high) / 2);
      furthest = std::max(high - centre, centre - low);
      to = reach;
    }
    float scale = furthest / to, inverse = furthest == 0 ? 0 : to / furthest;
    for (int64_t e = first; e < first + 32; ++e)
      result.push_back(double(scale) * std::fmin(std::nearbyint((x.values[e] - centre) * inverse),
                                                 rounding.isCentred ? reach : reach - 1) +
                       double(centre));
  }
  return result;
}

class RoundedProjection : public testing::TestWithParam<StorageType> {
protected:
  void SetUp() override {
    bool fewBits = GetParam() != StorageType::Q8_0;
    std::vector<std::string> plain, ofWords;
    if (cpuFeatures() & HEED_AVX512_VNNI)
      plain.push_back("avx512vnni");
    if (cpuFeatures() & HEED_AVX_VNNI)
      plain.push_back("avx2vnni");
    // Without such dot products weights of few bits add up in words, others meet words.
    if (cpuFeatures() & HEED_AVX512)
      (fewBits ? plain : ofWords).emplace_back("avx512");
    if ((cpuFeatures() & HEED_AVX2_FMA_F16C) == HEED_AVX2_FMA_F16C)
      (fewBits ? plain : ofWords).emplace_back("avx2");
    if (cpuFeatures() & HEED_AVX512_BF16) {
      if (fewBits)
        roundings.push_back(
            {{"avx512bf16"}, GetParam() == StorageType::Q5_0 ? 112 : 120, true, 2e-3});
      else
        plain.push_back("avx512bf16");
    }
    if (!plain.empty())
      roundings.push_back({plain, 128, false, 1e-5});
    if (!ofWords.empty())
      roundings.push_back({ofWords, 32768, false, 1e-5});
    if (roundings.empty())
      GTEST_SKIP() << "this processor has none of the instruction sets that round rows";
  }
  std::vector<Rounding> roundings; // those that this processor has
};

TEST_P(RoundedProjection, IsThatOfRoundedRows) {
  constexpr int64_t h = 3, c = 96, f = 88;
  Weights weights;
  weights.add("W", {f, c}, 0.4f, GetParam());
  weights.add("H", {h, f, c}, 0.4f, GetParam());
  const Tensor &W = weights["W"], &H = weights["H"];
  for (const Rounding &rounding : roundings) {
    CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "", rounding.sets);
    ASSERT_TRUE(program.ok());
    // Few rows, and as many as make tiles of every height.
    for (int64_t n : {0, 1, 3, 4, 6, 17}) {
      Tensor x = randomTensor({n, c}, 21), ofHeads = randomTensor({n, h, c}, 22);
      if (n > 3) // a block of zeros has no scale
        std::fill_n(x.values.begin() + c, 32, 0.0f);
      if (n > 4) // nor has one with nothing below 0 a middle at 0
        std::fill_n(x.values.begin() + 2 * c, 32, 3.25f);
      Numbers xr = rounded(x, rounding), hr = rounded(ofHeads, rounding);
      expectAllNear(program.call("project", {n}, {x.values.data()}, n * f), linear(xr, W, f),
                    rounding.tolerance, "project");
      Numbers heads;
      for (int64_t i = 0; i < n; ++i)
        for (int64_t head = 0; head < h; ++head)
          for (int64_t feature = 0; feature < f; ++feature) {
            double sum = 0;
            for (int64_t column = 0; column < c; ++column)
              sum += H[(head * f + feature) * c + column] * hr[(i * h + head) * c + column];
            heads.push_back(sum);
          }
      expectAllNear(program.call("of_heads", {n}, {ofHeads.values.data()}, n * h * f), heads,
                    rounding.tolerance, "of_heads");
    }
  }
}

TEST_P(RoundedProjection, ARowDoesNotDependOnOthers) {
  constexpr int64_t c = 96, f = 88, n = 17;
  Weights weights;
  weights.add("W", {f, c}, 0.4f, GetParam());
  weights.add("H", {3, f, c}, 0.4f, GetParam());
  for (const Rounding &rounding : roundings) {
    CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "", rounding.sets);
    ASSERT_TRUE(program.ok());
    Tensor x = randomTensor({n, c}, 23);
    program.expectSameAlone("project", x.values.data(), n, c, f);
  }
}

/// Products of the largest numbers fill words of 16 bits without exceeding them.
TEST_P(RoundedProjection, TheLargestProductsAddUp) {
  constexpr int64_t h = 3, c = 96, f = 88;
  Weights weights;
  weights.addLargest("W", {f, c}, GetParam());
  weights.add("H", {h, f, c}, 0.4f, GetParam());
  for (const Rounding &rounding : roundings) {
    CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "", rounding.sets);
    ASSERT_TRUE(program.ok());
    for (int64_t n : {1, 6}) {
      Tensor x = randomTensor({n, c}, 24);
      for (float sign : {1.0f, -1.0f}) {
        std::fill(x.values.begin(), x.values.end(), sign * 3.25f);
        expectAllNear(program.call("project", {n}, {x.values.data()}, n * f),
                      linear(rounded(x, rounding), weights["W"], f), rounding.tolerance, "project");
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Storage, RoundedProjection,
                         testing::Values(StorageType::Q8_0, StorageType::Q4_0, StorageType::Q4_1,
                                         StorageType::Q5_0),
                         [](const auto &param) {
                           return std::string(storageInfo(param.param).name);
                         });

} // namespace
