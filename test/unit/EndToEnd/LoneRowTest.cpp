//===- LoneRowTest.cpp - one row and many keys, as decoding has it --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A lone row's keys are divided into parts of 256, whose running softmaxes are
// joined. Sizes of keys here end within a group of four, a vector, a tile and a
// part, and at the end of each.
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include <cmath>
#include <gtest/gtest.h>
#include <span>

using namespace heed;
using namespace heed::endtoend;

namespace {

constexpr int64_t kKeys[] = {1, 2, 4, 15, 16, 63, 64, 65, 255, 256, 257, 700, 1024};

using Visible = std::function<bool(int64_t m, int64_t h, int64_t j)>;

/// How a pattern A comes from scores S, in the language and in C++. The lone row is row m - 1.
struct Kind {
  const char *name, *pattern;
  Visible visible = {};
  bool isBiased = false, hasSink = false;
};

bool inWindow(int64_t m, int64_t, int64_t j) { return m - 1 - j < 70; }

const Kind kKinds[] = {
    {"all", "S[h, i, j]"},
    {"window", "S[h, i, j] where i + m - n - j < 70", inWindow},
    {"first_ones", "S[h, i, j] where i + m - n - j < 20 || j < 3",
     [](int64_t m, int64_t, int64_t j) { return m - 1 - j < 20 || j < 3; }},
    {"striped", "S[h, i, j] where (j + h) % 5 != 1",
     [](int64_t, int64_t h, int64_t j) { return (j + h) % 5 != 1; }},
    {"chosen", "S[h, i, j] where chosen[j] == 1",
     [](int64_t, int64_t, int64_t j) { return j % 300 > 260; }},
    {"never", "S[h, i, j] where j > m", [](int64_t, int64_t, int64_t) { return false; }},
    {"biased", "(2.0 * tanh(S[h, i, j]) + table[h, j % 64])", {}, true},
    {"sunk", "S[h, i, j] where i + m - n - j < 70 with 1.5", inWindow, false, true},
};

/// Compares each of `kinds`, for every number of keys.
void expectAll(std::span<const Kind> kinds, int64_t heads, int64_t keyHeads, int64_t dk,
               int64_t dv) {
  Weights weights;
  weights.add("table", {heads, 64}, 2);
  std::string sizes = "size heads = " + std::to_string(heads) +
                      ", shared = " + std::to_string(keyHeads) + ", dk = " + std::to_string(dk) +
                      ", dv = " + std::to_string(dv) + ", group = heads / shared, n, m\n";
  std::string text = "use std\n" + sizes + "weight table : [heads, 64]\n";
  for (const Kind &kind : kinds)
    text += std::string("fn ") + kind.name +
            "(q: [heads, n, dk], k: [shared, m, dk], v: [shared, m, dv], chosen: int[m]) -> "
            "[heads, n, dv] {\n"
            "  S[h, i, j] = sum[c] q[h, i, c] * k[h / group, j, c] / sqrt(dk)\n"
            "  A[h, i, j] = softmax[j] " +
            kind.pattern +
            "\n  O[h, i, c] = sum[j] A[h, i, j] * v[h / group, j, c]\n  return O\n}\n";
  CompiledProgram program(text, &weights);
  ASSERT_TRUE(program.ok());
  for (int64_t m : kKeys) {
    Tensor q = randomTensor({heads, 1, dk}, 1, 3), k = randomTensor({keyHeads, m, dk}, 2, 3),
           v = randomTensor({keyHeads, m, dv}, 3);
    std::vector<int32_t> chosen;
    for (int64_t j = 0; j < m; ++j)
      chosen.push_back(j % 300 > 260);
    for (const Kind &kind : kinds) {
      Attention attention{.heads = heads, .keyHeads = keyHeads, .rows = 1, .keys = m};
      attention.depth = dk;
      attention.width = dv;
      attention.scale = 1 / std::sqrt(double(dk));
      if (kind.visible)
        attention.visible = [&](int64_t h, int64_t, int64_t j) { return kind.visible(m, h, j); };
      if (kind.isBiased)
        attention.modify = [&](double score, int64_t h, int64_t, int64_t j) {
          return 2 * std::tanh(score) + weights["table"][h * 64 + j % 64];
        };
      if (kind.hasSink)
        attention.sink = [](int64_t, int64_t) { return 1.5; };
      Numbers expected = attention(asNumbers(q), asNumbers(k), asNumbers(v));
      std::string what = std::string(kind.name) + " of " + std::to_string(m) + " keys";
      expectAllNear(program.call(kind.name, {1, m},
                                 {q.values.data(), k.values.data(), v.values.data(), chosen.data()},
                                 static_cast<int64_t>(expected.size())),
                    expected, 1e-5, what.c_str());
    }
  }
}

} // namespace

TEST(LoneRow, GroupOfThree) { expectAll(kKinds, 6, 2, 16, 48); }

// The largest group that has the form, and a depth that is a loop of its own.
TEST(LoneRow, GroupOfEight) { expectAll(std::span(kKinds).first(2), 8, 1, 80, 32); }

TEST(LoneRow, NoGroup) { expectAll(std::span(kKinds).first(2), 3, 3, 128, 128); }
