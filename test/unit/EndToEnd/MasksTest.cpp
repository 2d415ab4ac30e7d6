//===- MasksTest.cpp - masks of run-time numbers and of data --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

namespace {

constexpr int64_t d = 64, heads = 4, dk = 16;

/// The block that prefix_lm.heed and document.heed have in common.
class Block {
public:
  Block() {
    weights.add("gain", {d});
    for (const char *name : {"Wq", "Wk", "Wv"})
      weights.add(name, {heads, dk, d});
    weights.add("Wo", {d, heads, dk});
  }

  Numbers operator()(const Tensor &input,
                     std::function<bool(int64_t, int64_t, int64_t)> visible) const {
    int64_t n = input.size() / d;
    Numbers E = asNumbers(input), X = rmsNorm(E, weights["gain"], 1e-5);
    auto project = [&](const char *name) {
      return swapAxes(linear(X, weights[name], heads * dk), n, heads, dk);
    };
    Attention attention = causalSelfAttention(heads, heads, n, dk);
    attention.visible = std::move(visible);
    Numbers Z = attention(project("Wq"), project("Wk"), project("Wv"));
    addTo(E, linear(swapAxes(Z, heads, n, dk), weights["Wo"], d));
    return E;
  }

  Weights weights;
};

} // namespace

TEST(Masks, PrefixLm) {
  Block block;
  CompiledProgram program(exampleText("prefix_lm.heed"), &block.weights);
  ASSERT_TRUE(program.ok());
  for (int64_t n : {1, 33, 150})
    for (int32_t prefix : {-3, 0, 1, 20, 64, 149, 1000}) {
      Tensor input = randomTensor({n, d}, 10 + n);
      Numbers expected =
          block(input, [&](int64_t, int64_t i, int64_t j) { return j < prefix || j <= i; });
      expectAllNear(program.call("update", {n}, {input.values.data(), &prefix}, n * d), expected,
                    1e-5, "update");
    }
}

TEST(Masks, Documents) {
  Block block;
  CompiledProgram program(exampleText("document.heed"), &block.weights);
  ASSERT_TRUE(program.ok());
  for (int64_t n : {1, 70, 300})
    for (bool sorted : {true, false}) {
      Tensor input = randomTensor({n, d}, 20 + n);
      std::vector<int32_t> segment(n);
      for (int64_t i = 0; i < n; ++i)
        segment[i] = static_cast<int32_t>(sorted ? i / 67 : i * i % 5 - 2);
      Numbers expected = block(
          input, [&](int64_t, int64_t i, int64_t j) { return j <= i && segment[i] == segment[j]; });
      expectAllNear(program.call("update", {n}, {input.values.data(), segment.data()}, n * d),
                    expected, 1e-5, "update");
    }
}

// Every kind of tile: skipped, with the mask, and without it, in ranges with gaps between them.
TEST(Masks, Kinds) {
  using Visible = std::function<bool(int64_t, int64_t, int64_t)>;
  constexpr int64_t n = 210, m = 333;
  int32_t w = 70;
  std::vector<int32_t> reach(m);
  for (int64_t j = 0; j < m; ++j)
    reach[j] = static_cast<int32_t>(j * 37 % 200);
  const std::vector<std::tuple<std::string, std::string, Visible>> kinds = {
      {"sinks", "j <= i + m - n && (i + m - n - j < w || j < 4)",
       [&](int64_t, int64_t i, int64_t j) {
         return j <= i + m - n && (i + m - n - j < w || j < 4);
       }},
      {"dilated", "(i - j) % 3 == 0",
       [](int64_t, int64_t i, int64_t j) { return (i - j) % 3 == 0; }},
      {"blocks", "i / 50 == j / 50 || j % 128 == 7",
       [](int64_t, int64_t i, int64_t j) { return i / 50 == j / 50 || j % 128 == 7; }},
      {"by_head", "j <= i && !(i - j >= 16 * (h + 1))",
       [](int64_t h, int64_t i, int64_t j) { return j <= i && i - j < 16 * (h + 1); }},
      {"reaching", "j <= i && i - j < reach[j]",
       [&](int64_t, int64_t i, int64_t j) { return j <= i && i - j < reach[j]; }},
      {"late", "j <= i && i >= w", [&](int64_t, int64_t i, int64_t j) { return j <= i && i >= w; }},
      {"contradictory", "j <= i && j > i + w - 70",
       [](int64_t, int64_t, int64_t) { return false; }},
  };
  std::string text = "size heads = 6, dk = 16, n, m\n";
  for (const auto &[name, formula, visible] : kinds)
    text += "fn " + name +
            "(q: [heads, n, dk], k: [2, m, dk], v: [2, m, dk], w: int, reach: int[m]) -> "
            "[heads, n, dk] {\n"
            "  S[h, i, j] = sum[c] q[h, i, c] * k[h / 3, j, c] / sqrt(dk)\n"
            "  A[h, i, j] = softmax[j] S[h, i, j] where " +
            formula + "\n  O[h, i, c] = sum[j] A[h, i, j] * v[h / 3, j, c]\n  return O\n}\n";
  CompiledProgram program(text);
  ASSERT_TRUE(program.ok());
  Attention attention{
      .heads = 6, .keyHeads = 2, .rows = n, .keys = m, .depth = 16, .width = 16, .scale = 0.25};
  Tensor q = randomTensor({6, n, 16}, 1, 3), k = randomTensor({2, m, 16}, 2, 3),
         v = randomTensor({2, m, 16}, 3);
  for (const auto &[name, formula, visible] : kinds) {
    attention.visible = visible;
    Numbers expected = attention(asNumbers(q), asNumbers(k), asNumbers(v));
    expectAllNear(
        program.call(name, {n, m},
                     {q.values.data(), k.values.data(), v.values.data(), &w, reach.data()},
                     expected.size()),
        expected, 1e-5, name.c_str());
  }
}

// A row's result is the same, bit by bit, whichever rows are computed with it, where that is asked
// for: a lone row's keys are summed in another order else.
TEST(Masks, RowsDoNotDependOnTheirNeighbours) {
  constexpr int64_t total = 150, width = 16;
  const std::pair<const char *, const char *> masks[] = {
      {"causal", "j <= i + m - n"},
      {"window", "j <= i + m - n && i + m - n - j < 70"},
      {"sinks", "j <= i + m - n && (i + m - n - j < 20 || j < 3)"},
      {"striped", "j <= i + m - n && j % 5 != 1"}};
  std::string text = "size heads = 3, dk = 16, n, m\n";
  for (auto [name, mask] : masks)
    text += std::string("fn ") + name +
            "(q: [heads, n, dk], k: [1, m, dk], v: [1, m, dk]) -> [heads, n, dk] {\n"
            "  S[h, i, j] = sum[c] q[h, i, c] * k[0, j, c] / sqrt(dk)\n"
            "  A[h, i, j] = softmax[j] S[h, i, j] where " +
            mask + "\n  O[h, i, c] = sum[j] A[h, i, j] * v[0, j, c]\n  return O\n}\n";
  CompiledProgram program(text, nullptr, CompiledProgram::Format::Safetensors, "--invariant");
  ASSERT_TRUE(program.ok());
  Tensor q = randomTensor({3, total, width}, 4, 3), k = randomTensor({1, total, width}, 5, 3),
         v = randomTensor({1, total, width}, 6);
  for (auto [name, mask] : masks) {
    auto whole = program.call(name, {total, total},
                              {q.values.data(), k.values.data(), v.values.data()}, q.size());
    for (int64_t piece : {1, 7, 64})
      for (int64_t begin = 0; begin < total; begin += piece) {
        int64_t rows = std::min(piece, total - begin), keys = begin + rows;
        std::vector<float> part;
        for (int64_t h = 0; h < 3; ++h) {
          const float *first = q.values.data() + (h * total + begin) * width;
          part.insert(part.end(), first, first + rows * width);
        }
        auto found =
            program.call(name, {rows, keys}, {part.data(), k.values.data(), v.values.data()},
                         static_cast<int64_t>(part.size()));
        ASSERT_EQ(found.size(), whole.size());
        for (size_t isa = 0; isa < found.size(); ++isa)
          for (int64_t h = 0; h < 3; ++h)
            ASSERT_EQ(std::memcmp(found[isa].data() + h * rows * width,
                                  whole[isa].data() + (h * total + begin) * width,
                                  rows * width * sizeof(float)),
                      0)
                << name << ": head " << h << " of rows from " << begin << ", " << piece
                << " at a time";
      }
  }
}
