//===- BesideTest.cpp - sums of two weights, joined before they are stored ===//
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
#include <numeric>

using namespace heed;
using namespace heed::endtoend;

namespace {

/// 72 features are four panels and a half; a head's 16 are a panel.
const char kProgram[] = R"(
use std
size n, c = 96, f = 72, heads = 3, k = 16
weight G : [f, c]
weight U : [f, c]
weight B : [f]
weight D : [f]
weight HG : [heads, f, c]
weight HU : [heads, f, c]
weight KG : [heads, k, c]
weight KU : [heads, k, c]

fn gated(X: [n, c]) -> [n, f] { return silu(linear(X, G)) * linear(X, U) }
fn biased(X: [n, c], E: [n, f]) -> [n, f] {
  O = linear_bias(X, G, B)
  S = linear_bias(X, U, D)
  Y[i, e] = E[i, e] + tanh(O[i, e]) * S[i, e]
  return Y
}
fn per_head(X: [n, heads, c]) -> [n, heads, f] {
  O[i, h, e] = sum[x] HG[h, e, x] * X[i, h, x]
  S[i, h, e] = sum[x] HU[h, e, x] * X[i, h, x]
  return silu(O) * S
}
fn of_heads(X: [n, c]) -> [n, heads, k] {
  O[i, h, e] = sum[x] KG[h, e, x] * X[i, x]
  S[i, h, e] = sum[x] KU[h, e, x] * X[i, x]
  return silu(O) * S
}
fn one_row(x: [c]) -> [f] {
  o[e] = sum[i] G[e, i] * x[i]
  s[e] = sum[i] U[e, i] * x[i]
  return silu(o) * s
}
)";
constexpr int64_t c = 96, f = 72, heads = 3, k = 16;

double silu(double x) { return x / (1 + std::exp(-x)); }

/// silu(open) * sum of each.
Numbers gate(Numbers open, const Numbers &sums) {
  for (size_t e = 0; e < open.size(); ++e)
    open[e] = silu(open[e]) * sums[e];
  return open;
}

/// Whole numbers that bf16 and eight bits hold as they are, whatever an instruction set rounds rows
/// to: the largest in each 32 is 128, and 120 from the middle, or 112 beside five bits, as the
/// least is. What 32 add up to is a multiple of 16, so that bf16 holds it, too.
Tensor exactTensor(std::vector<int64_t> shape, uint32_t seed, StorageType storage) {
  Tensor x = randomTensor(std::move(shape), seed);
  const float least = storage == StorageType::Q5_0 ? -96 : -112;
  for (int64_t first = 0; first < x.size(); first += 32) {
    float *block = x.values.data() + first;
    for (int64_t e = 0; e < 32; ++e)
      block[e] = std::clamp(std::nearbyint(block[e] * 60), -80.0f, 100.0f);
    block[5] = 128;
    block[6] = least;
    block[7] -= std::remainder(std::accumulate(block, block + 32, 0.0f), 16.0f);
  }
  return x;
}

class Beside : public testing::TestWithParam<StorageType> {
protected:
  /// `bound`: of matrices' numbers.
  static void addAll(Weights &weights, float bound) {
    for (const char *name : {"G", "U"})
      weights.add(name, {f, c}, bound, GetParam());
    for (const char *name : {"B", "D"})
      weights.add(name, {f});
    for (const char *name : {"HG", "HU"})
      weights.add(name, {heads, f, c}, bound, GetParam());
    for (const char *name : {"KG", "KU"})
      weights.add(name, {heads, k, c}, bound, GetParam());
  }
  Beside() {
    for (auto [set, feature] : {std::pair{"avx512vnni", HEED_AVX512_VNNI},
                                {"avx512bf16", HEED_AVX512_BF16},
                                {"avx2vnni", HEED_AVX_VNNI}})
      if (cpuFeatures() & feature)
        sets.push_back(set);
  }
  Weights weights;
  std::vector<std::string> sets = {"avx512", "avx2"};
};

TEST_P(Beside, MeansTwoProjections) {
  addAll(weights, 0.004f);
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "", sets);
  ASSERT_TRUE(program.ok());
  const Tensor &G = weights["G"], &U = weights["U"];
  // Few rows, tiles of every height, several parts.
  for (int64_t n : {0, 1, 3, 4, 6, 17, 70}) {
    Tensor X = exactTensor({n, c}, 41, GetParam()), E = randomTensor({n, f}, 42);
    Numbers x = asNumbers(X);
    expectAllNear(program.call("gated", {n}, {X.values.data()}, n * f),
                  gate(linear(x, G, f), linear(x, U, f)), 1e-5, "gated");

    Numbers open = linear(x, G, f, &weights["B"]), sums = linear(x, U, f, &weights["D"]);
    for (int64_t e = 0; e < n * f; ++e)
      sums[e] = E[e] + std::tanh(open[e]) * sums[e];
    expectAllNear(program.call("biased", {n}, {X.values.data(), E.values.data()}, n * f), sums,
                  1e-5, "biased");

    Tensor ofHeads = exactTensor({n, heads, c}, 43, GetParam());
    auto perHead = [&](const Tensor &w) {
      Numbers all;
      for (int64_t row = 0; row < n * heads; ++row)
        for (int64_t e = 0; e < f; ++e) {
          double sum = 0;
          for (int64_t column = 0; column < c; ++column)
            sum += w[(row % heads * f + e) * c + column] * ofHeads[row * c + column];
          all.push_back(sum);
        }
      return all;
    };
    expectAllNear(program.call("per_head", {n}, {ofHeads.values.data()}, n * heads * f),
                  gate(perHead(weights["HG"]), perHead(weights["HU"])), 1e-5, "per_head");

    expectAllNear(program.call("of_heads", {n}, {X.values.data()}, n * heads * k),
                  gate(linear(x, weights["KG"], heads * k), linear(x, weights["KU"], heads * k)),
                  1e-5, "of_heads");
  }
  Tensor x = exactTensor({c}, 44, GetParam());
  expectAllNear(program.call("one_row", {}, {x.values.data()}, f),
                gate(linear(asNumbers(x), G, f), linear(asNumbers(x), U, f)), 1e-5, "one_row");
}

TEST_P(Beside, ARowDoesNotDependOnOthers) {
  constexpr int64_t n = 17;
  addAll(weights, 0.4f);
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "--invariant", sets);
  ASSERT_TRUE(program.ok());
  Tensor X = randomTensor({n, c}, 45);
  program.expectSameAlone("gated", X.values.data(), n, c, f);
}

INSTANTIATE_TEST_SUITE_P(Storage, Beside,
                         testing::Values(StorageType::F32, StorageType::F16, StorageType::BF16,
                                         StorageType::Q8_0, StorageType::Q4_1, StorageType::Q5_0),
                         [](const auto &param) {
                           return std::string(storageInfo(param.param).name);
                         });

} // namespace
