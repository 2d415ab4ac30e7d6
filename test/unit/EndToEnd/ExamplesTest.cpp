//===- ExamplesTest.cpp - examples/ compute what their formulas say -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

TEST(Examples, SingleHead) {
  constexpr int64_t d = 12288, dk = 128;
  Weights weights;
  for (const char *name : {"Wq", "Wk", "Vdown"})
    weights.add(name, {dk, d}, 0.05f);
  weights.add("Vup", {d, dk}, 0.05f);
  CompiledProgram program(exampleText("single_head.heed"), &weights);
  ASSERT_TRUE(program.ok());
  for (int64_t n : {1, 6}) {
    Tensor input = randomTensor({n, d}, 100 + n);
    Numbers E = asNumbers(input);
    Attention attention = causalSelfAttention(1, 1, n, dk);
    Numbers Z = attention(linear(E, weights["Wq"], dk), linear(E, weights["Wk"], dk),
                          linear(E, weights["Vdown"], dk));
    addTo(E, linear(Z, weights["Vup"], d));
    expectAllNear(program.call("head", {n}, {input.values.data()}, n * d), E, 1e-5, "head");
  }
  // An empty text has an empty update.
  EXPECT_EQ(program.call("head", {0}, {nullptr}, 0).front().size(), 0u);
}

/// multi_head.heed of other sizes than GPT-3's, odd ones.
static void testMultiHead(int64_t d, int64_t heads, int64_t dk, StorageType storage) {
  std::string text = exampleText("multi_head.heed");
  text = replaced(text, "= 12288", "= " + std::to_string(d));
  text = replaced(text, "= 96", "= " + std::to_string(heads));
  text = replaced(text, "= 128", "= " + std::to_string(dk));
  Weights weights;
  for (const char *name : {"Wq", "Wk", "Vdown"})
    weights.add(name, {heads, dk, d}, 0.5f, storage);
  weights.add("Vup", {heads, d, dk}, 0.5f, storage);
  CompiledProgram program(text, &weights);
  ASSERT_TRUE(program.ok());
  // Vup[h, e, k], but its features in front.
  Tensor up{{d, heads, dk}, std::vector<float>(d * heads * dk)};
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t e = 0; e < d; ++e)
      for (int64_t k = 0; k < dk; ++k)
        up.values[(e * heads + h) * dk + k] = weights["Vup"].values[(h * d + e) * dk + k];

  for (int64_t n : {1, 3, 37}) {
    Tensor input = randomTensor({n, d}, 100 + n);
    Numbers E = asNumbers(input);
    auto project = [&](const char *name) {
      return swapAxes(linear(E, weights[name], heads * dk), n, heads, dk);
    };
    Attention attention = causalSelfAttention(heads, heads, n, dk);
    Numbers Z = attention(project("Wq"), project("Wk"), project("Vdown"));
    addTo(E, linear(swapAxes(Z, heads, n, dk), up, d));
    expectAllNear(program.call("block", {n}, {input.values.data()}, n * d), E, 1e-5, "block");
  }
}

TEST(Examples, MultiHead) { testMultiHead(40, 3, 5, StorageType::F32); }
TEST(Examples, MultiHeadInF16) { testMultiHead(24, 2, 72, StorageType::F16); }

TEST(Examples, Starter) {
  constexpr int64_t d = 64, dk = 16, n = 21;
  Weights weights;
  weights.add("gain", {d});
  for (const char *name : {"Wq", "Wk", "Wv"})
    weights.add(name, {dk, d});
  weights.add("Wo", {d, dk});
  CompiledProgram program(exampleText("starter.heed"), &weights);
  ASSERT_TRUE(program.ok());
  Tensor input = randomTensor({n, d}, 7);
  Numbers E = asNumbers(input), X = rmsNorm(E, weights["gain"], 1e-5);
  Attention attention{
      .rows = n, .keys = n, .depth = dk, .width = dk, .scale = 0.25, .visible = causal};
  Numbers Z = attention(linear(X, weights["Wq"], dk), linear(X, weights["Wk"], dk),
                        linear(X, weights["Wv"], dk));
  addTo(E, linear(Z, weights["Wo"], d));
  expectAllNear(program.call("update", {n}, {input.values.data()}, n * d), E, 1e-5, "update");
}
