//===- AttentionTest.cpp - masks, modifiers, heads and sizes of all kinds -===//
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

/// Queries, keys and values.
struct Inputs {
  Tensor q, k, v;

  explicit Inputs(const Attention &a)
      : q(randomTensor({a.heads, a.rows, a.depth}, 1, 3)),
        k(randomTensor({a.keyHeads, a.keys, a.depth}, 2, 3)),
        v(randomTensor({a.keyHeads, a.keys, a.width}, 3)) {}
  std::vector<const void *> pointers() const {
    return {q.values.data(), k.values.data(), v.values.data()};
  }
};

/// Calls `name` with inputs of the sizes of `attention`, and compares.
void expectAttention(CompiledProgram &program, const char *name, std::vector<int64_t> sizes,
                     const Attention &attention) {
  Inputs inputs(attention);
  Numbers expected = attention(asNumbers(inputs.q), asNumbers(inputs.k), asNumbers(inputs.v));
  expectAllNear(program.call(name, std::move(sizes), inputs.pointers(), expected.size()), expected,
                1e-5, name);
}

/// A program of functions on the same parameters: grouped heads, whose scores S are given.
/// Each function is its name, how its pattern A comes from S, as formulas.
std::string program(const std::vector<std::pair<std::string, std::string>> &functions,
                    const std::string &declarations = "") {
  std::string text = "use std\nsize heads = 6, group = 3, dk = 16, n\n" + declarations;
  for (const auto &[name, pattern] : functions)
    text += "fn " + name +
            "(q: [heads, n, dk], k: [2, n, dk], v: [2, n, dk]) -> [heads, n, dk] {\n"
            "  S[h, i, j] = sum[c] q[h, i, c] * k[h / group, j, c] / sqrt(dk)\n  " +
            pattern + "\n  O[h, i, c] = sum[j] A[h, i, j] * v[h / group, j, c]\n  return O\n}\n";
  return text;
}

Attention grouped(int64_t n) {
  return {.heads = 6, .keyHeads = 2, .rows = n, .keys = n, .depth = 16, .width = 16, .scale = 0.25};
}

} // namespace

TEST(Attention, Masks) {
  CompiledProgram compiled(program({
      {"all", "A[h, i, j] = softmax[j] S[h, i, j]"},
      {"window", "A[h, i, j] = softmax[j] S[h, i, j] where j <= i && i - j < 7"},
      {"prefix", "A[h, i, j] = softmax[j] S[h, i, j] where j < 5 || j <= i"},
      {"early", "A[h, i, j] = softmax[j] S[h, i, j] where j < i - 4"},
      {"never", "A[h, i, j] = softmax[j] S[h, i, j] where j > n"},
      {"by_head", "A[h, i, j] = softmax[j] S[h, i, j] where j <= i && (i - j) % (h + 1) == 0"},
  }));
  ASSERT_TRUE(compiled.ok());
  for (int64_t n : {1, 2, 50, 150}) {
    Attention attention = grouped(n);
    expectAttention(compiled, "all", {n}, attention);
    attention.visible = [](int64_t, int64_t i, int64_t j) { return j <= i && i - j < 7; };
    expectAttention(compiled, "window", {n}, attention);
    attention.visible = [](int64_t, int64_t i, int64_t j) { return j < 5 || j <= i; };
    expectAttention(compiled, "prefix", {n}, attention);
    attention.visible = [](int64_t, int64_t i, int64_t j) { return j < i - 4; };
    expectAttention(compiled, "early", {n}, attention); // rows 0 … 4 see nothing: zeros
    attention.visible = [](int64_t, int64_t, int64_t) { return false; };
    expectAttention(compiled, "never", {n}, attention);
    attention.visible = [](int64_t h, int64_t i, int64_t j) {
      return j <= i && (i - j) % (h + 1) == 0;
    };
    expectAttention(compiled, "by_head", {n}, attention);
  }
}

TEST(Attention, Modifiers) {
  Weights weights;
  weights.add("slopes", {6});
  weights.add("table", {6, 64, 64});
  CompiledProgram compiled(
      program(
          {
              {"capped", "A[h, i, j] = softmax[j] 5.0 * tanh(S[h, i, j] / 5.0) where j <= i"},
              {"sloped",
               "A[h, i, j] = softmax[j] (S[h, i, j] + slopes[h] * float(j - i)) where j <= i"},
              {"library", "B = alibi(S)\n  A[h, i, j] = softmax[j] B[h, i, j] where j <= i"},
              {"biased",
               "A[h, i, j] = softmax[j] (S[h, i, j] + table[h, i % 64, j % 64]) where j <= i"},
              {"both", "A[h, i, j] = softmax[j] (2.0 * tanh(S[h, i, j]) + slopes[h] * float(j - "
                       "i)) where j <= i && i - j < 9"},
          },
          "weight slopes : [heads]\nweight table : [heads, 64, 64]\n"),
      &weights);
  ASSERT_TRUE(compiled.ok());
  for (int64_t n : {1, 70}) {
    Attention attention = grouped(n);
    attention.visible = causal;
    attention.modify = [](double s, int64_t, int64_t, int64_t) { return 5 * std::tanh(s / 5); };
    expectAttention(compiled, "capped", {n}, attention);
    attention.modify = [&](double s, int64_t h, int64_t i, int64_t j) {
      return s + weights["slopes"][h] * double(j - i);
    };
    expectAttention(compiled, "sloped", {n}, attention);
    attention.modify = [](double s, int64_t h, int64_t i, int64_t j) {
      return s + std::exp2(-8.0 * double(h + 1) / 6) * double(j - i);
    };
    expectAttention(compiled, "library", {n}, attention);
    attention.modify = [&](double s, int64_t h, int64_t i, int64_t j) {
      return s + weights["table"][(h * 64 + i % 64) * 64 + j % 64];
    };
    expectAttention(compiled, "biased", {n}, attention);
    attention.modify = [&](double s, int64_t h, int64_t i, int64_t j) {
      return 2 * std::tanh(s) + weights["slopes"][h] * double(j - i);
    };
    attention.visible = [](int64_t, int64_t i, int64_t j) { return j <= i && i - j < 9; };
    expectAttention(compiled, "both", {n}, attention);
  }
}

// Cross attention: as many keys as another text has tokens.
TEST(Attention, TwoLengths) {
  CompiledProgram compiled(R"(
use std
size heads = 8, dk = 72, dv = 5, n, m
fn ends_together(q: [heads, n, dk], k: [1, m, dk], v: [1, m, dv]) -> [heads, n, dv] {
  S[h, i, j] = sum[c] q[h, i, c] * k[0, j, c] / sqrt(dk)
  A[h, i, j] = softmax[j] S[h, i, j] where j <= i + m - n
  O[h, i, c] = sum[j] A[h, i, j] * v[0, j, c]
  return O
}
fn whole(q: [n, dk], k: [m, dk], v: [m, dv]) -> [n, dv] {
  return attention_full(q, k, v)
}
fn own(q: [n, dk], k: [n, dk], v: [n, dv]) -> [n, dv] {
  return attention(q, k, v)
}
)");
  ASSERT_TRUE(compiled.ok());
  for (auto [n, m] :
       {std::pair<int64_t, int64_t>(1, 40), {3, 3}, {7, 2}, {33, 65}, {0, 4}, {4, 0}}) {
    Attention attention{.heads = 8,
                        .keyHeads = 1,
                        .rows = n,
                        .keys = m,
                        .depth = 72,
                        .width = 5,
                        .scale = 1 / std::sqrt(72)};
    attention.visible = [n = n, m = m](int64_t, int64_t i, int64_t j) { return j <= i + m - n; };
    expectAttention(compiled, "ends_together", {n, m}, attention);
    attention.heads = 1;
    attention.visible = nullptr;
    expectAttention(compiled, "whole", {n, m}, attention);
    attention.keys = n;
    attention.visible = causal;
    expectAttention(compiled, "own", {n}, attention);
  }
}

TEST(Attention, IntegersInMasks) {
  constexpr int64_t n = 45, dk = 80;
  CompiledProgram compiled(R"(
size n, dk = 80
fn segments(q: [n, dk], k: [n, dk], v: [n, dk], segment: int[n]) -> [n, dk] {
  S[i, j] = sum[c] q[i, c] * k[j, c] / sqrt(dk)
  A[i, j] = softmax[j] S[i, j] where segment[i] == segment[j] && j <= i
  O[i, c] = sum[j] A[i, j] * v[j, c]
  return O
}
)");
  ASSERT_TRUE(compiled.ok());
  std::vector<int32_t> segment;
  for (int64_t i = 0; i < n; ++i)
    segment.push_back(static_cast<int32_t>(i / 10 % 3));
  Attention attention{.rows = n, .keys = n, .depth = dk, .width = dk, .scale = 1 / std::sqrt(dk)};
  attention.visible = [&](int64_t, int64_t i, int64_t j) {
    return segment[i] == segment[j] && j <= i;
  };
  Inputs inputs(attention);
  std::vector<const void *> params = inputs.pointers();
  params.push_back(segment.data());
  expectAllNear(compiled.call("segments", {n}, params, n * dk),
                attention(asNumbers(inputs.q), asNumbers(inputs.k), asNumbers(inputs.v)), 1e-5,
                "segments");
}

// A pattern that is asked for, or read twice, can't be fused: softmax by itself.
TEST(Attention, PatternsByThemselves) {
  CompiledProgram compiled(R"(
size n, dk = 16
fn pattern(q: [n, dk], k: [n, dk]) -> [n, n] {
  S[i, j] = sum[c] q[i, c] * k[j, c] / sqrt(dk)
  A[i, j] = softmax[j] S[i, j] where j < i
  return A
}
fn twice(q: [n, dk], k: [n, dk], v: [n, dk]) -> [n, dk] {
  S[i, j] = sum[c] q[i, c] * k[j, c] / sqrt(dk)
  A[i, j] = softmax[j] S[i, j] where j <= i
  T[i] = sum[j] A[i, j] * A[i, j]
  O[i, c] = sum[j] A[i, j] * v[j, c]
  P[i, c] = O[i, c] * T[i]
  return P
}
)");
  ASSERT_TRUE(compiled.ok());
  for (int64_t n : {1, 19}) {
    Attention attention{.rows = n, .keys = n, .depth = 16, .width = 16, .scale = 0.25};
    Inputs inputs(attention);
    Numbers q = asNumbers(inputs.q), k = asNumbers(inputs.k);
    attention.visible = [](int64_t, int64_t i, int64_t j) { return j < i; };
    expectAllNear(
        compiled.call("pattern", {n}, {inputs.q.values.data(), inputs.k.values.data()}, n * n),
        attention.pattern(q, k), 1e-5, "pattern");
    attention.visible = causal;
    Numbers A = attention.pattern(q, k), P = attention(q, k, asNumbers(inputs.v));
    for (int64_t i = 0; i < n; ++i) {
      double squares = 0;
      for (int64_t j = 0; j < n; ++j)
        squares += A[i * n + j] * A[i * n + j];
      for (int64_t c = 0; c < 16; ++c)
        P[i * 16 + c] *= squares;
    }
    expectAllNear(compiled.call("twice", {n}, inputs.pointers(), n * 16), P, 1e-5, "twice");
  }
}

// Axes that attn.attention can't have: plain loops compute the same. Rows of a fixed number.
TEST(Attention, AxesOfAllKinds) {
  CompiledProgram compiled(R"(
size n, b, dk = 16, two = 2, three = 3, rows = 8
fn four_axes(q: [two, three, n, dk], k: [two, three, n, dk], v: [two, three, n, dk]) -> [two, three, n, dk] {
  S[x, h, i, j] = sum[c] q[x, h, i, c] * k[x, h, j, c] / sqrt(dk)
  A[x, h, i, j] = softmax[j] S[x, h, i, j] where j <= i
  O[x, h, i, c] = sum[j] A[x, h, i, j] * v[x, h, j, c]
  return O
}
fn batched(q: [b, n, dk], k: [b, n, dk], v: [b, n, dk]) -> [b, n, dk] {
  S[h, i, j] = sum[c] q[h, i, c] * k[h, j, c] / sqrt(dk)
  A[h, i, j] = softmax[j] S[h, i, j] where j <= i
  O[h, i, c] = sum[j] A[h, i, j] * v[h, j, c]
  return O
}
fn fixed_rows(q: [rows, dk], k: [rows, dk], v: [rows, dk]) -> [rows, dk] {
  S[i, j] = sum[c] q[i, c] * k[j, c] / sqrt(dk)
  A[i, j] = softmax[j] S[i, j] where j <= i
  O[i, c] = sum[j] A[i, j] * v[j, c]
  return O
}
)");
  ASSERT_TRUE(compiled.ok());
  for (int64_t n : {1, 13}) {
    Attention attention{.heads = 6,
                        .keyHeads = 6,
                        .rows = n,
                        .keys = n,
                        .depth = 16,
                        .width = 16,
                        .scale = 0.25,
                        .visible = causal};
    expectAttention(compiled, "four_axes", {n}, attention);
    attention.heads = attention.keyHeads = 4;
    bool rowsFirst = std::string(compiled.artifact()->functions[1].sizes[0]) == "n";
    expectAttention(compiled, "batched",
                    rowsFirst ? std::vector{n, int64_t(4)} : std::vector{int64_t(4), n}, attention);
  }
  Attention attention{
      .rows = 8, .keys = 8, .depth = 16, .width = 16, .scale = 0.25, .visible = causal};
  expectAttention(compiled, "fixed_rows", {}, attention);
}
