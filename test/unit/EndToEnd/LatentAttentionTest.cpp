//===- LatentAttentionTest.cpp - mla.heed, in small -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiled program attends to latents; the reference computes every head's
// keys and values from them, as the formulas read.
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

struct LatentSizes {
  int64_t d, heads, dk, dr, dv, r, vocab = 37, layers = 2;
  /// How the per-head matrices are stored.
  StorageType storage = StorageType::F32;
};

std::string latentProgram(const LatentSizes &sizes) {
  std::string text = exampleText("mla.heed");
  auto set = [&](const std::string &name, const std::string &old, int64_t size) {
    text = replaced(text, name + " = " + old, name + " = " + std::to_string(size));
  };
  set("d ", "2048", sizes.d);
  set("heads", "16", sizes.heads);
  set("layers", "4", sizes.layers);
  set("vocab", "32000", sizes.vocab);
  set("dk", "128", sizes.dk);
  set("dr", "64", sizes.dr);
  set("dv", "128", sizes.dv);
  set("r ", "512", sizes.r);
  return text;
}

Weights latentWeights(const LatentSizes &s) {
  Weights weights;
  weights.add("embed", {s.vocab, s.d});
  weights.add("unembed", {s.vocab, s.d}, 0.4f);
  weights.add("out_norm", {s.d});
  for (int64_t l = 0; l < s.layers; ++l) {
    std::string block = "blk." + std::to_string(l) + ".";
    weights.add(block + "norm", {s.d});
    weights.add(block + "latent_norm", {s.r});
    weights.add(block + "Wq", {s.heads, s.dk, s.d}, 0.4f);
    weights.add(block + "Wqr", {s.heads, s.dr, s.d}, 0.4f);
    weights.add(block + "Wc", {s.r, s.d}, 0.4f);
    weights.add(block + "Wkr", {s.dr, s.d}, 0.4f);
    weights.add(block + "Wuk", {s.heads, s.dk, s.r}, 0.4f, s.storage);
    weights.add(block + "Wuv", {s.heads, s.dv, s.r}, 0.4f, s.storage);
    weights.add(block + "Wo", {s.d, s.heads, s.dv}, 0.4f);
  }
  return weights;
}

/// [heads, rows, dk + dr]: each head's components for content, then those for position.
Numbers joined(const Numbers &content, int64_t dk, const Numbers &position, int64_t dr) {
  Numbers both;
  for (size_t row = 0; row * dk < content.size(); ++row) {
    both.insert(both.end(), content.begin() + row * dk, content.begin() + (row + 1) * dk);
    both.insert(both.end(), position.begin() + row * dr, position.begin() + (row + 1) * dr);
  }
  return both;
}

Numbers latentLogits(const Weights &weights, const LatentSizes &s,
                     const std::vector<int32_t> &tokens) {
  int64_t n = tokens.size();
  Numbers E = embedded(weights["embed"], tokens, s.d);
  Attention attention = causalSelfAttention(s.heads, s.heads, n, s.dk + s.dr);
  attention.width = s.dv;
  for (int64_t l = 0; l < s.layers; ++l) {
    auto weight = [&](const char *name) -> const Tensor & {
      return weights["blk." + std::to_string(l) + "." + name];
    };
    auto byHead = [&](const Numbers &x, const char *name, int64_t width) {
      return swapAxes(linear(x, weight(name), s.heads * width), n, s.heads, width);
    };
    Numbers X = rmsNorm(E, weight("norm"), 1e-6);
    Numbers C = rmsNorm(linear(X, weight("Wc"), s.r), weight("latent_norm"), 1e-6);
    Numbers R = rope(linear(X, weight("Wkr"), s.dr), n, s.dr, 10000), everyHead;
    for (int64_t h = 0; h < s.heads; ++h)
      everyHead.insert(everyHead.end(), R.begin(), R.end());
    Numbers Q =
        joined(byHead(X, "Wq", s.dk), s.dk, rope(byHead(X, "Wqr", s.dr), n, s.dr, 10000), s.dr);
    Numbers K = joined(byHead(C, "Wuk", s.dk), s.dk, everyHead, s.dr);
    Numbers Z = attention(Q, K, byHead(C, "Wuv", s.dv));
    addTo(E, linear(swapAxes(Z, s.heads, n, s.dv), weight("Wo"), s.d));
  }
  return linear(rmsNorm(E, weights["out_norm"], 1e-6), weights["unembed"], s.vocab);
}

/// Bytes that a token takes in all caches together.
int64_t cachedBytes(const heed_artifact &artifact) {
  int64_t bytes = 0;
  const heed_function &function = artifact.functions[0];
  for (int32_t c = 0; c < function.n_caches; ++c)
    bytes += function.caches[c].layers * function.caches[c].heads * function.caches[c].width *
             (function.caches[c].element == HEED_F32 ? 4 : 2);
  return bytes;
}

void testLatentAttention(const LatentSizes &sizes, int64_t bytesPerToken, const std::string &text,
                         const std::string &flags = "", double tolerance = 1e-4) {
  Weights weights = latentWeights(sizes);
  CompiledProgram program(text, &weights, CompiledProgram::Format::Safetensors, flags);
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(cachedBytes(*program.artifact()), bytesPerToken);
  std::vector<int32_t> tokens = someTokens(45, sizes.vocab);
  Numbers expected = latentLogits(weights, sizes, tokens);
  auto whole = program.feed("logits", tokens, tokens.size());
  expectAllNear(whole, expected, tolerance, "whole");
  for (int64_t piece : {1, 6}) {
    auto pieces = program.feed("logits", tokens, piece);
    ASSERT_EQ(pieces.size(), whole.size());
    for (size_t set = 0; set < whole.size(); ++set)
      expectNear(pieces[set], Numbers(whole[set].begin(), whole[set].end()), 2e-5, "in pieces");
  }
}

void testAbsorbed(const LatentSizes &sizes) {
  testLatentAttention(sizes, 4 * sizes.layers * (sizes.r + sizes.dr), latentProgram(sizes));
}

/// Drops the assertion, which is of f32 and of absorbed projections.
std::string withoutAssertion(const std::string &text) {
  return text.substr(0, text.find("assert bytes_per_token"));
}

} // namespace

TEST(LatentAttention, CachesTheLatents) {
  testAbsorbed({.d = 48, .heads = 4, .dk = 16, .dr = 8, .dv = 16, .r = 24});
}

// No size is a multiple of sixteen, and keys and values differ.
TEST(LatentAttention, OddSizes) {
  testAbsorbed({.d = 36, .heads = 5, .dk = 18, .dr = 6, .dv = 13, .r = 21});
}

TEST(LatentAttention, InF16) {
  testAbsorbed(
      {.d = 56, .heads = 3, .dk = 32, .dr = 16, .dv = 48, .r = 20, .storage = StorageType::F16});
}

// Keys and values, which are parts of them, come from one cache in any storage, ring or not.
TEST(LatentAttention, InOtherCaches) {
  LatentSizes sizes{.d = 48, .heads = 4, .dk = 16, .dr = 8, .dv = 16, .r = 24};
  std::string text = latentProgram(sizes);
  testLatentAttention(sizes, 2 * sizes.layers * (sizes.r + sizes.dr), text, "--cache-type=bf16",
                      3e-2);
}

// A latent as long as keys and values together saves nothing: these are cached as usual.
TEST(LatentAttention, LongLatentsAreNotAbsorbed) {
  LatentSizes sizes{.d = 48, .heads = 2, .dk = 16, .dr = 8, .dv = 16, .r = 64};
  testLatentAttention(sizes, 4 * sizes.layers * sizes.heads * (16 + 8 + 16),
                      withoutAssertion(latentProgram(sizes)));
}

// Queries may come from a latent of their own, and need no position apart.
TEST(LatentAttention, WithoutPositions) {
  constexpr int64_t vocab = 29, d = 32, heads = 4, dk = 16, r = 16, n = 37;
  Weights weights;
  weights.add("embed", {vocab, d});
  weights.add("Wdq", {r, d}, 0.5f);
  weights.add("Wuq", {heads, dk, r}, 0.5f);
  weights.add("Wc", {r, d}, 0.5f);
  weights.add("Wuk", {heads, dk, r}, 0.5f);
  weights.add("Wuv", {heads, dk, r}, 0.5f);
  weights.add("Wo", {d, heads, dk}, 0.5f);
  CompiledProgram program(R"(
use std
size n, d = 32, heads = 4, dk = 16, r = 16
weight embed : [29, d]
weight Wdq, Wc : [r, d]
weight Wuq, Wuk, Wuv : [heads, dk, r]
weight Wo : [d, heads, dk]
fn update(tokens: int[n]) -> [n, d] {
  X[i, c] = embed[tokens[i], c]
  B = linear(X, Wdq)
  C = linear(X, Wc)
  Q[h, i, k] = sum[c] Wuq[h, k, c] * B[i, c]
  K[h, j, k] = sum[c] Wuk[h, k, c] * C[j, c]
  V[h, j, k] = sum[c] Wuv[h, k, c] * C[j, c]
  S[h, i, j] = sum[k] Q[h, i, k] * K[h, j, k] / sqrt(dk)
  A[h, i, j] = softmax[j] S[h, i, j] where j <= i
  Y[i, e]    = sum[h, k, j] Wo[e, h, k] * A[h, i, j] * V[h, j, k]
  return X + Y
}
assert bytes_per_token(kv) == 4 * r
)",
                          &weights);
  ASSERT_TRUE(program.ok());
  std::vector<int32_t> tokens = someTokens(n, vocab);
  Numbers X = embedded(weights["embed"], tokens, d);
  auto byHead = [&](const Numbers &x, const char *name) {
    return swapAxes(linear(x, weights[name], heads * dk), n, heads, dk);
  };
  Numbers B = linear(X, weights["Wdq"], r), C = linear(X, weights["Wc"], r);
  Numbers Z = causalSelfAttention(heads, heads, n, dk)(byHead(B, "Wuq"), byHead(C, "Wuk"),
                                                       byHead(C, "Wuv"));
  addTo(X, linear(swapAxes(Z, heads, n, dk), weights["Wo"], d));
  for (int64_t piece : {n, int64_t(1), int64_t(5)})
    expectAllNear(program.feed("update", tokens, piece), X, 1e-5, "update");
}
