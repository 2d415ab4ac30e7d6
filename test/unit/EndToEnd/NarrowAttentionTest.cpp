//===- NarrowAttentionTest.cpp - attention in bf16, as it is rounded ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Queries, keys and values are rounded here in another way than the code does it, so
// what is left to differ are the powers: each is off by at most 2^-9 of itself, and so
// is their sum. A result, their quotient, is off by at most 2^-8 of the largest value.
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
#include <numbers>

using namespace heed;
using namespace heed::endtoend;

namespace {

constexpr double kPowers = 0x1p-8;

/// The nearest number of eight significant bits, ties to even: what bf16 is said to be. It is
/// `factor` times the number that is rounded.
Numbers rounded(const Tensor &x, double factor = 1) {
  Numbers result;
  for (float number : x.values) {
    int exponent = 0;
    double fraction = std::frexp(number * factor, &exponent);
    result.push_back(std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8) / factor);
  }
  return result;
}

std::string program(int64_t depth, int64_t width) {
  return "use std\nsize heads = 6, group = 3, dk = " + std::to_string(depth) +
         ", dv = " + std::to_string(width) + R"(, n, m
fn all(q: [heads, n, dk], k: [2, m, dk], v: [2, m, dv]) -> [heads, n, dv] {
  S[h, i, j] = sum[c] q[h, i, c] * k[h / group, j, c] / sqrt(dk)
  A[h, i, j] = softmax[j] S[h, i, j]
  O[h, i, c] = sum[j] A[h, i, j] * v[h / group, j, c]
  return O
}
fn late(q: [heads, n, dk], k: [2, m, dk], v: [2, m, dv]) -> [heads, n, dv] {
  S[h, i, j] = sum[c] q[h, i, c] * k[h / group, j, c] / sqrt(dk)
  A[h, i, j] = softmax[j] S[h, i, j] where j <= i && i - j < 71
  O[h, i, c] = sum[j] A[h, i, j] * v[h / group, j, c]
  return O
}
fn capped(q: [heads, n, dk], k: [2, m, dk], v: [2, m, dv]) -> [heads, n, dv] {
  S[h, i, j] = sum[c] q[h, i, c] * k[h / group, j, c] / sqrt(dk)
  A[h, i, j] = softmax[j] softcap(S[h, i, j], 2.0) where j <= i
  O[h, i, c] = sum[j] A[h, i, j] * v[h / group, j, c]
  return O
}
)";
}

struct Sizes {
  int64_t depth, width;
};

class NarrowAttention : public testing::TestWithParam<Sizes> {
protected:
  void SetUp() override {
    if (!(cpuFeatures() & HEED_AVX512_BF16))
      GTEST_SKIP() << "this processor has no dot products of bf16 (AVX512-BF16)";
  }
};

TEST_P(NarrowAttention, IsThatOfRoundedNumbers) {
  auto [depth, width] = GetParam();
  CompiledProgram compiled(program(depth, width), nullptr, CompiledProgram::Format::Safetensors,
                           "--attention-type=bf16", {"avx512bf16"});
  ASSERT_TRUE(compiled.ok());
  // Rows for half a tile of lanes, one tile and several; keys of an odd and an even number.
  for (int64_t rows : {2, 9, 50, 150}) {
    for (int64_t keys : {rows, rows + 1}) {
      Tensor q = randomTensor({6, rows, depth}, 1, 3), k = randomTensor({2, keys, depth}, 2, 3),
             v = randomTensor({2, keys, width}, 3);
      auto expectNarrow = [&](const char *name, Attention attention) {
        attention.heads = 6;
        attention.keyHeads = 2;
        attention.rows = rows;
        attention.keys = keys;
        attention.depth = depth;
        attention.width = width;
        attention.scale = 1 / std::sqrt(double(depth));
        double ofQueries = attention.scale * (attention.modify ? 1 : std::numbers::log2e);
        Numbers expected = attention(rounded(q, ofQueries), rounded(k), rounded(v));
        expectAllNear(compiled.call(name, {rows, keys},
                                    {q.values.data(), k.values.data(), v.values.data()},
                                    expected.size()),
                      expected, kPowers, name);
      };
      expectNarrow("all", {});
      expectNarrow("late",
                   {.visible = [](int64_t, int64_t i, int64_t j) { return j <= i && i - j < 71; }});
      expectNarrow("capped", {.modify = [](double s, int64_t, int64_t,
                                           int64_t) { return 2 * std::tanh(s / 2); },
                              .visible = causal});
    }
  }
}

/// Rounded powers are divided by their own sum, so that what all values have in common is kept.
TEST_P(NarrowAttention, WeightsAddUpToOne) {
  auto [depth, width] = GetParam();
  CompiledProgram compiled(program(depth, width), nullptr, CompiledProgram::Format::Safetensors,
                           "--attention-type=bf16", {"avx512bf16"});
  ASSERT_TRUE(compiled.ok());
  constexpr int64_t rows = 40, keys = 301;
  Tensor q = randomTensor({6, rows, depth}, 4), k = randomTensor({2, keys, depth}, 5);
  Tensor v = randomTensor({2, keys, width}, 6);
  std::fill(v.values.begin(), v.values.end(), 1.0f);
  expectAllNear(compiled.call("all", {rows, keys},
                              {q.values.data(), k.values.data(), v.values.data()},
                              6 * rows * width),
                Numbers(6 * rows * width, 1.0), 1e-6, "all");
}

INSTANTIATE_TEST_SUITE_P(Sizes, NarrowAttention,
                         testing::Values(Sizes{16, 16}, Sizes{64, 32}, Sizes{24, 40}, Sizes{10, 3}),
                         [](const auto &param) {
                           return "Depth" + std::to_string(param.param.depth) + "Width" +
                                  std::to_string(param.param.width);
                         });

/// Expects `rows` to see 70 keys as if nothing were rounded.
void expectExact(const std::string &flags, Sizes sizes, int64_t rows) {
  if (!(cpuFeatures() & HEED_AVX512_BF16))
    GTEST_SKIP() << "this processor has no dot products of bf16 (AVX512-BF16)";
  auto [depth, width] = sizes;
  CompiledProgram compiled(program(depth, width), nullptr, CompiledProgram::Format::Safetensors,
                           flags, {"avx512bf16"});
  ASSERT_TRUE(compiled.ok());
  Attention attention{.heads = 6,
                      .keyHeads = 2,
                      .rows = rows,
                      .keys = 70,
                      .depth = depth,
                      .width = width,
                      .scale = 1 / std::sqrt(double(depth))};
  Tensor q = randomTensor({6, rows, depth}, 1, 3), k = randomTensor({2, 70, depth}, 2, 3),
         v = randomTensor({2, 70, width}, 3);
  Numbers expected = attention(asNumbers(q), asNumbers(k), asNumbers(v));
  expectAllNear(compiled.call("all", {rows, 70},
                              {q.values.data(), k.values.data(), v.values.data()}, expected.size()),
                expected, 1e-5, "all");
}

TEST(ExactAttention, WithoutWeightsThatAreRounded) { expectExact("", {16, 16}, 30); }
TEST(ExactAttention, WhereAskedFor) { expectExact("--attention-type=f32", {16, 16}, 30); }
TEST(ExactAttention, OfALoneRow) { expectExact("--attention-type=bf16", {16, 16}, 1); }
TEST(ExactAttention, OfVectorsWithoutPairs) { expectExact("--attention-type=bf16", {7, 5}, 30); }

} // namespace
