//===- ScoreModifiersTest.cpp - captured tensors and arithmetic in scores -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

namespace {

constexpr int64_t kHeads = 4, kDepth = 16;

struct Variant {
  std::string name, pattern;
  std::function<double(double score, int64_t h, int64_t i, int64_t j)> modify;
};

} // namespace

// Each captures other tensors: by head, by key, by row, by a computed place, of integers; in rows
// and keys of any number, under a mask.
TEST(ScoreModifiers, CapturedTensors) {
  constexpr int64_t n = 75;
  Weights weights;
  weights.add("temperature", {kHeads});
  weights.add("table", {kHeads, 12});
  const Tensor &temperature = weights["temperature"], &table = weights["table"];
  std::vector<int32_t> group;
  Tensor byKey = randomTensor({n}, 11), byRow = randomTensor({n}, 12);
  for (int64_t i = 0; i < n; ++i)
    group.push_back(static_cast<int32_t>(i * 7 % 5) - 1);
  auto distance = [](int64_t i, int64_t j) {
    return std::min<int64_t>(std::max<int64_t>(i - j, 0), 11);
  };
  const std::vector<Variant> variants = {
      {"by_head", "S[h, i, j] * exp(temperature[h])",
       [&](double s, int64_t h, int64_t, int64_t) { return s * std::exp(temperature[h]); }},
      {"by_key", "(S[h, i, j] + bias[j])",
       [&](double s, int64_t, int64_t, int64_t j) { return s + byKey[j]; }},
      {"by_row", "S[h, i, j] * bend[i]",
       [&](double s, int64_t, int64_t i, int64_t) { return s * byRow[i]; }},
      {"by_place", "(S[h, i, j] + table[h, min(max(i - j, 0), 11)])",
       [&](double s, int64_t h, int64_t i, int64_t j) {
         return s + table[h * 12 + distance(i, j)];
       }},
      {"clamped", "(S[h, i, j] + table[h, i - j])",
       [&](double s, int64_t h, int64_t i, int64_t j) {
         return s + table[h * 12 + distance(i, j)];
       }},
      {"by_integer", "(S[h, i, j] + table[h, group[j] + 1] + float(group[i]))",
       [&](double s, int64_t h, int64_t i, int64_t j) {
         return s + table[h * 12 + group[j] + 1] + group[i];
       }},
      {"selected", "(if group[i] == group[j] then tanh(S[h, i, j]) else S[h, i, j] - 2.0)",
       [&](double s, int64_t, int64_t i, int64_t j) {
         return group[i] == group[j] ? std::tanh(s) : s - 2;
       }},
      {"powers", "(S[h, i, j] - 0.5 ** float(h + 1) * float(i - j) ** 2.0 / 64.0)",
       [&](double s, int64_t h, int64_t i, int64_t j) {
         return s - std::exp2(-double(h + 1)) * double((i - j) * (i - j)) / 64;
       }},
      {"logarithm", "S[h, i, j] * log(float(i + 2)) * sqrt(abs(bias[j]))",
       [&](double s, int64_t, int64_t i, int64_t j) {
         return s * std::log(double(i + 2)) * std::sqrt(std::fabs(byKey[j]));
       }},
      {"gaussian", "(S[h, i, j] + erf(bias[j] - bend[i]) + sigmoid(S[h, i, j]))",
       [&](double s, int64_t, int64_t i, int64_t j) {
         return s + std::erf(byKey[j] - byRow[i]) + 1 / (1 + std::exp(-s));
       }},
  };
  std::string text = "use std\nsize heads = 4, dk = 16, n\nweight temperature : [heads]\n"
                     "weight table : [heads, 12]\n";
  for (const Variant &variant : variants)
    text += "fn " + variant.name +
            "(q: [heads, n, dk], k: [heads, n, dk], v: [heads, n, dk], bias: [n], bend: [n], "
            "group: int[n]) -> [heads, n, dk] {\n"
            "  S[h, i, j] = sum[c] q[h, i, c] * k[h, j, c] / sqrt(dk)\n"
            "  A[h, i, j] = softmax[j] " +
            variant.pattern +
            " where j <= i\n  O[h, i, c] = sum[j] A[h, i, j] * v[h, j, c]\n  return O\n}\n";
  CompiledProgram compiled(text, &weights);
  ASSERT_TRUE(compiled.ok());
  Tensor q = randomTensor({kHeads, n, kDepth}, 1, 3), k = randomTensor({kHeads, n, kDepth}, 2, 3),
         v = randomTensor({kHeads, n, kDepth}, 3);
  for (const Variant &variant : variants) {
    Attention attention = causalSelfAttention(kHeads, kHeads, n, kDepth);
    attention.modify = variant.modify;
    expectAllNear(compiled.call(variant.name, {n},
                                {q.values.data(), k.values.data(), v.values.data(),
                                 byKey.values.data(), byRow.values.data(), group.data()},
                                kHeads * n * kDepth),
                  attention(asNumbers(q), asNumbers(k), asNumbers(v)), 2e-5, variant.name.c_str());
  }
}

// Norms of queries and keys before the scores, a gate on each head's values after them.
TEST(ScoreModifiers, NormsAndGates) {
  constexpr int64_t n = 33;
  Weights weights;
  weights.add("gain", {kDepth});
  CompiledProgram compiled(R"(
use std
size heads = 4, dk = 16, n
weight gain : [dk]
fn gated(q: [heads, n, dk], k: [heads, n, dk], v: [heads, n, dk], G: [n, heads, dk]) -> [n, heads, dk] {
  Q = rms_norm(q, gain, 1e-5)
  K = rms_norm(k, gain, 1e-5)
  S[h, i, j] = sum[c] Q[h, i, c] * K[h, j, c] / sqrt(dk)
  A[h, i, j] = softmax[j] S[h, i, j] where j <= i
  Z[i, h, c] = sum[j] A[h, i, j] * v[h, j, c]
  Y[i, h, c] = sigmoid(G[i, h, c]) * Z[i, h, c]
  return Y
}
)",
                           &weights);
  ASSERT_TRUE(compiled.ok());
  Tensor q = randomTensor({kHeads, n, kDepth}, 1, 3), k = randomTensor({kHeads, n, kDepth}, 2, 3),
         v = randomTensor({kHeads, n, kDepth}, 3), gate = randomTensor({n, kHeads, kDepth}, 4, 3);
  Attention attention = causalSelfAttention(kHeads, kHeads, n, kDepth);
  Numbers Z = attention(rmsNorm(asNumbers(q), weights["gain"], 1e-5),
                        rmsNorm(asNumbers(k), weights["gain"], 1e-5), asNumbers(v));
  Numbers Y = swapAxes(Z, kHeads, n, kDepth);
  for (size_t e = 0; e < Y.size(); ++e)
    Y[e] /= 1 + std::exp(-gate[static_cast<int64_t>(e)]);
  expectAllNear(
      compiled.call("gated", {n},
                    {q.values.data(), k.values.data(), v.values.data(), gate.values.data()},
                    n * kHeads * kDepth),
      Y, 2e-5, "gated");
}
