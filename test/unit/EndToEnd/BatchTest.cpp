//===- BatchTest.cpp - several texts at once, and memories ----------------===//
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

/// How many rows each element of a batch has, some none at all.
std::vector<int32_t> someLengths(int64_t batch, int64_t most) {
  std::vector<int32_t> lengths;
  for (int64_t b = 0; b < batch; ++b)
    lengths.push_back(static_cast<int32_t>(most - b * 7 % (most + 1)));
  return lengths;
}

/// Element `b` of a batch.
Numbers elementOf(const Tensor &batch, int64_t b) {
  int64_t size = batch.size() / batch.shape[0];
  return Numbers(batch.values.begin() + b * size, batch.values.begin() + (b + 1) * size);
}

} // namespace

// Each text reads its own memory, as far as that goes.
TEST(Batch, CrossAttention) {
  constexpr int64_t d = 40, heads = 4, dk = 24;
  std::string text = exampleText("cross.heed");
  text = replaced(text, "d = 512", "d = 40");
  text = replaced(text, "heads = 8", "heads = 4");
  text = replaced(text, "dk = 64", "dk = 24");
  Weights weights;
  for (const char *name : {"Wq", "Wk", "Wv"})
    weights.add(name, {heads, dk, d}, 0.5f);
  weights.add("Wo", {d, heads, dk}, 0.5f);
  CompiledProgram program(text, &weights);
  ASSERT_TRUE(program.ok());
  const heed_function &function = program.artifact()->functions[0];
  std::vector<std::string> names(function.sizes, function.sizes + function.n_sizes);
  for (int64_t batch : {1, 2, 5})
    for (auto [n, m] : {std::pair<int64_t, int64_t>(1, 70), {9, 9}, {35, 3}}) {
      Tensor X = randomTensor({batch, n, d}, 1), memory = randomTensor({batch, m, d}, 2);
      std::vector<int32_t> lengths = someLengths(batch, m);
      Numbers expected;
      for (int64_t b = 0; b < batch; ++b) {
        Numbers ofText = elementOf(X, b), ofMemory = elementOf(memory, b);
        auto project = [&](const Numbers &x, const char *name, int64_t rows) {
          return swapAxes(linear(x, weights[name], heads * dk), rows, heads, dk);
        };
        Attention attention{.heads = heads, .keyHeads = heads, .rows = n, .keys = m};
        attention.depth = attention.width = dk;
        attention.scale = 1 / std::sqrt(dk);
        attention.visible = [&](int64_t, int64_t, int64_t j) { return j < lengths[b]; };
        Numbers Z = attention(project(ofText, "Wq", n), project(ofMemory, "Wk", m),
                              project(ofMemory, "Wv", m));
        addTo(ofText, linear(swapAxes(Z, heads, n, dk), weights["Wo"], d));
        expected.insert(expected.end(), ofText.begin(), ofText.end());
      }
      std::vector<int64_t> sizes;
      for (const std::string &name : names)
        sizes.push_back(name == "b" ? batch : name == "n" ? n : m);
      expectAllNear(program.call("read", sizes,
                                 {X.values.data(), memory.values.data(), lengths.data()},
                                 expected.size()),
                    expected, 1e-5, "read");
    }
}

// Every size that a program bounds is refused above its bound, before any code runs.
TEST(Batch, EveryBoundIsChecked) {
  CompiledProgram program(R"(
size b <= 3, n, m <= 5
fn f(x: [b, n], y: [m]) -> [b, n] {
  O[s, i] = x[s, i] + sum[j] y[j]
  return O
}
)");
  ASSERT_TRUE(program.ok());
  const heed_function &function = program.artifact()->functions[0];
  ASSERT_EQ(function.n_sizes, 3);
  auto status = [&](int64_t b, int64_t n, int64_t m) {
    std::vector<float> x(b * n), y(m), result(b * n);
    std::vector<int64_t> sizes;
    for (int32_t s = 0; s < 3; ++s)
      sizes.push_back(*function.sizes[s] == 'b' ? b : *function.sizes[s] == 'n' ? n : m);
    const void *params[] = {x.data(), y.data()};
    void *results[] = {result.data()};
    return heed_call(program.model(), 0, sizes.data(), params, results);
  };
  EXPECT_EQ(status(3, 100, 5), HEED_OK) << heed_last_error();
  EXPECT_EQ(status(4, 1, 1), HEED_ERROR_INPUT);
  EXPECT_STREQ(heed_last_error(), "size b is 4, and 'f' allows at most 3");
  EXPECT_EQ(status(1, 1, 6), HEED_ERROR_INPUT);
  EXPECT_STREQ(heed_last_error(), "size m is 6, and 'f' allows at most 5");
}

// Heads may be grouped, absent, or share keys with each other or with the whole batch; masks and
// modifiers may depend on the element of the batch and on the head.
TEST(Batch, KeysOfAllKinds) {
  constexpr int64_t heads = 6, group = 3, dk = 20, dv = 12;
  CompiledProgram program(R"(
size b, n, m, heads = 6, group = 3, groups = 2, dk = 20, dv = 12
fn grouped(q: [b, heads, n, dk], k: [b, groups, m, dk], v: [b, groups, m, dv], t: int[b]) -> [b, heads, n, dv] {
  S[s, h, i, j] = sum[c] q[s, h, i, c] * k[s, h / group, j, c] / sqrt(dk)
  A[s, h, i, j] = softmax[j] (S[s, h, i, j] + 0.1 * float(t[s] - h)) where j <= i && j % (h + 1) != t[s]
  O[s, h, i, c] = sum[j] A[s, h, i, j] * v[s, h / group, j, c]
  return O
}
fn one_head(q: [b, heads, n, dk], k: [b, m, dk], v: [b, m, dv], t: int[b]) -> [b, heads, n, dv] {
  S[s, h, i, j] = sum[c] q[s, h, i, c] * k[s, j, c] / sqrt(dk)
  A[s, h, i, j] = softmax[j] S[s, h, i, j] where j < t[s]
  O[s, h, i, c] = sum[j] A[s, h, i, j] * v[s, j, c]
  return O
}
fn one_memory(q: [b, heads, n, dk], k: [heads, m, dk], v: [heads, m, dv], t: int[b]) -> [b, heads, n, dv] {
  S[s, h, i, j] = sum[c] q[s, h, i, c] * k[h, j, c] / sqrt(dk)
  A[s, h, i, j] = softmax[j] S[s, h, i, j] where j >= t[s]
  O[s, h, i, c] = sum[j] A[s, h, i, j] * v[h, j, c]
  return O
}
fn no_heads(q: [b, n, dk], k: [b, m, dk], v: [b, m, dv], t: int[b]) -> [b, n, dv] {
  S[s, i, j] = sum[c] q[s, i, c] * k[s, j, c] / sqrt(dk)
  A[s, i, j] = softmax[j] S[s, i, j] where j < t[s] && j <= i
  O[s, i, c] = sum[j] A[s, i, j] * v[s, j, c]
  return O
}
)");
  ASSERT_TRUE(program.ok());
  struct Case {
    const char *name;
    int64_t heads, keyHeads;
    bool keysPerBatch;
    std::function<bool(int64_t t, int64_t h, int64_t i, int64_t j)> visible;
  };
  const Case cases[] = {
      {"grouped", heads, heads / group, true,
       [](int64_t t, int64_t h, int64_t i, int64_t j) { return j <= i && j % (h + 1) != t; }},
      {"one_head", heads, 1, true, [](int64_t t, int64_t, int64_t, int64_t j) { return j < t; }},
      {"one_memory", heads, heads, false,
       [](int64_t t, int64_t, int64_t, int64_t j) { return j >= t; }},
      {"no_heads", 1, 1, true,
       [](int64_t t, int64_t, int64_t i, int64_t j) { return j < t && j <= i; }},
  };
  int32_t number = 0;
  for (const Case &one : cases) {
    const heed_function &function = program.artifact()->functions[number++];
    ASSERT_STREQ(function.name, one.name);
    for (int64_t batch : {1, 3, 4})
      for (auto [n, m] : {std::pair<int64_t, int64_t>(1, 67), {40, 40}}) {
        int64_t keyBatch = one.keysPerBatch ? batch : 1;
        Tensor q = randomTensor({batch, one.heads, n, dk}, 1, 3),
               k = randomTensor({keyBatch, one.keyHeads, m, dk}, 2, 3),
               v = randomTensor({keyBatch, one.keyHeads, m, dv}, 3);
        std::vector<int32_t> t = someLengths(batch, m);
        Numbers expected;
        for (int64_t b = 0; b < batch; ++b) {
          Attention attention{
              .heads = one.heads, .keyHeads = one.keyHeads, .rows = n, .keys = m, .depth = dk};
          attention.width = dv;
          attention.scale = 1 / std::sqrt(dk);
          attention.visible = [&](int64_t h, int64_t i, int64_t j) {
            return one.visible(t[b], h, i, j);
          };
          if (one.name == std::string("grouped"))
            attention.modify = [&](double s, int64_t h, int64_t, int64_t) {
              return s + 0.1 * static_cast<double>(t[b] - h);
            };
          int64_t ofKeys = one.keysPerBatch ? b : 0;
          Numbers Z = attention(elementOf(q, b), elementOf(k, ofKeys), elementOf(v, ofKeys));
          expected.insert(expected.end(), Z.begin(), Z.end());
        }
        std::vector<int64_t> sizes;
        for (int32_t s = 0; s < function.n_sizes; ++s)
          sizes.push_back(*function.sizes[s] == 'b' ? batch : *function.sizes[s] == 'n' ? n : m);
        expectAllNear(program.call(one.name, sizes,
                                   {q.values.data(), k.values.data(), v.values.data(), t.data()},
                                   expected.size()),
                      expected, 1e-5, one.name);
      }
  }
}

// Groups may be an axis of their own; a step's cache has them as heads.
TEST(Batch, GroupsAsAnAxis) {
  constexpr int64_t vocab = 23, d = 24, groups = 2, shared = 3, dk = 8, n = 37;
  Weights weights;
  weights.add("embed", {vocab, d});
  weights.add("Wq", {groups, shared, dk, d}, 0.5f);
  for (const char *name : {"Wk", "Wv"})
    weights.add(name, {groups, dk, d}, 0.5f);
  weights.add("Wo", {d, groups, shared, dk}, 0.5f);
  CompiledProgram program(R"(
size n, d = 24, groups = 2, shared = 3, dk = 8
weight embed : [23, d]
weight Wq : [groups, shared, dk, d]
weight Wk, Wv : [groups, dk, d]
weight Wo : [d, groups, shared, dk]
fn update(tokens: int[n]) -> [n, d] {
  X[i, c]       = embed[tokens[i], c]
  Q[g, s, i, k] = sum[c] Wq[g, s, k, c] * X[i, c]
  K[g, j, k]    = sum[c] Wk[g, k, c] * X[j, c]
  V[g, j, k]    = sum[c] Wv[g, k, c] * X[j, c]
  S[g, s, i, j] = sum[k] Q[g, s, i, k] * K[g, j, k] / sqrt(dk)
  A[g, s, i, j] = softmax[j] S[g, s, i, j] where j <= i
  Y[i, e]       = sum[g, s, k, j] Wo[e, g, s, k] * A[g, s, i, j] * V[g, j, k]
  return X + Y
}
assert bytes_per_token(kv) == 2 * 4 * groups * dk
)",
                          &weights);
  ASSERT_TRUE(program.ok());
  std::vector<int32_t> tokens = someTokens(n, vocab);
  Numbers X = embedded(weights["embed"], tokens, d);
  auto byHead = [&](const char *name, int64_t heads) {
    return swapAxes(linear(X, weights[name], heads * dk), n, heads, dk);
  };
  Numbers Z = causalSelfAttention(groups * shared, groups, n, dk)(
      byHead("Wq", groups * shared), byHead("Wk", groups), byHead("Wv", groups));
  addTo(X, linear(swapAxes(Z, groups * shared, n, dk), weights["Wo"], d));
  for (int64_t piece : {n, int64_t(1), int64_t(5)})
    expectAllNear(program.feed("update", tokens, piece), X, 1e-5, "update");
}
