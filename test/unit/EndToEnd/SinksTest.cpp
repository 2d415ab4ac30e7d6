//===- SinksTest.cpp - caps, masks and sinks in every combination -===//
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

constexpr int64_t kHeads = 6, kKeyHeads = 2, kDepth = 16;
constexpr double kCap = 4;

struct Choice {
  std::string name, formula;
};

const std::vector<Choice> kScores = {{"plain", "S[h, i, j]"},
                                     {"capped", "softcap(S[h, i, j], 4.0)"}};
const std::vector<Choice> kMasks = {{"all", ""},
                                    {"window", " where j <= i && i - j < 5"},
                                    {"late", " where j < i - 20"},
                                    {"never", " where j < 0"}};
const std::vector<Choice> kSinks = {{"learned", " with sink[h]"},
                                    {"large", " with 100.0"},
                                    {"rows", " with sink[h] * float(i % 3)"}};

bool visible(const std::string &mask, int64_t i, int64_t j) {
  if (mask == "never")
    return false;
  if (mask == "late")
    return j < i - 20;
  return mask == "all" || (j <= i && i - j < 5);
}

double sink(const std::string &name, double learned, int64_t i) {
  if (name == "large")
    return 100;
  return name == "rows" ? learned * double(i % 3) : learned;
}

} // namespace

// exp2 of scores in units of log2 stands for exp: all that changes a score's unit or range meets
// all that hides it. Scores of more than 100 would overflow if the maximum weren't subtracted.
TEST(Sinks, CapsMasksAndSinks) {
  Weights weights;
  weights.add("sink", {kHeads}, 3);
  std::string text = "use std\nsize heads = 6, group = 3, dk = 16, n\nweight sink : [heads]\n";
  for (const Choice &score : kScores)
    for (const Choice &mask : kMasks)
      for (const Choice &row : kSinks)
        text += "fn " + score.name + "_" + mask.name + "_" + row.name +
                "(q: [heads, n, dk], k: [2, n, dk], v: [2, n, dk]) -> [heads, n, dk] {\n"
                "  S[h, i, j] = sum[c] q[h, i, c] * k[h / group, j, c] * 2.5\n"
                "  A[h, i, j] = softmax[j] " +
                score.formula + mask.formula + row.formula +
                "\n  O[h, i, c] = sum[j] A[h, i, j] * v[h / group, j, c]\n  return O\n}\n";
  CompiledProgram compiled(text, &weights);
  ASSERT_TRUE(compiled.ok());
  for (int64_t n : {1, 70}) {
    Tensor q = randomTensor({kHeads, n, kDepth}, 1, 3),
           k = randomTensor({kKeyHeads, n, kDepth}, 2, 3),
           v = randomTensor({kKeyHeads, n, kDepth}, 3);
    for (const Choice &score : kScores)
      for (const Choice &mask : kMasks)
        for (const Choice &row : kSinks) {
          Attention attention{.heads = kHeads,
                              .keyHeads = kKeyHeads,
                              .rows = n,
                              .keys = n,
                              .depth = kDepth,
                              .width = kDepth,
                              .scale = 2.5};
          if (score.name == "capped")
            attention.modify = [](double s, int64_t, int64_t, int64_t) {
              return kCap * std::tanh(s / kCap);
            };
          attention.visible = [&](int64_t, int64_t i, int64_t j) {
            return visible(mask.name, i, j);
          };
          attention.sink = [&](int64_t h, int64_t i) {
            return sink(row.name, weights["sink"][h], i);
          };
          Numbers expected = attention(asNumbers(q), asNumbers(k), asNumbers(v));
          std::string name = score.name + "_" + mask.name + "_" + row.name;
          expectAllNear(compiled.call(name, {n},
                                      {q.values.data(), k.values.data(), v.values.data()},
                                      expected.size()),
                        expected, 2e-5, name.c_str());
        }
  }
}

// A pattern that is read by itself isn't fused.
TEST(Sinks, OfAPatternByItself) {
  constexpr int64_t n = 9;
  Weights weights;
  weights.add("sink", {1}, 3);
  CompiledProgram compiled(R"(
size n, dk = 16
weight sink : [1]
fn pattern(q: [n, dk], k: [n, dk]) -> [n, n] {
  S[i, j] = sum[c] q[i, c] * k[j, c]
  A[i, j] = softmax[j] S[i, j] where j < i with sink[0]
  return A
}
)",
                           &weights);
  ASSERT_TRUE(compiled.ok());
  Tensor q = randomTensor({n, kDepth}, 1), k = randomTensor({n, kDepth}, 2);
  Attention attention{.rows = n, .keys = n, .depth = kDepth, .width = kDepth};
  attention.visible = [](int64_t, int64_t i, int64_t j) { return j < i; };
  attention.sink = [&](int64_t, int64_t) { return weights["sink"][0]; };
  expectAllNear(compiled.call("pattern", {n}, {q.values.data(), k.values.data()}, n * n),
                attention.pattern(asNumbers(q), asNumbers(k)), 1e-5, "pattern");
}
