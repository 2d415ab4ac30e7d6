//===- VariantExamplesTest.cpp - ALiBi, T5, differential attention, sinks -===//
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

/// `text` of an example with the size or constant `name` set to something else.
std::string resized(std::string text, const std::string &name, int64_t from, int64_t to) {
  return replaced(std::move(text), name + " = " + std::to_string(from),
                  name + " = " + std::to_string(to));
}

/// Rotary positions on pairs (p, p + depth/2) of [heads, rows, depth].
Numbers ropeHalf(const Numbers &x, int64_t rows, int64_t depth, double theta) {
  Numbers y(x.size());
  int64_t half = depth / 2;
  for (size_t row = 0; row * depth < x.size(); ++row)
    for (int64_t p = 0; p < half; ++p) {
      double angle = static_cast<double>(row % rows) * std::pow(theta, -2.0 * p / depth);
      double first = x[row * depth + p], second = x[row * depth + p + half];
      y[row * depth + p] = first * std::cos(angle) - second * std::sin(angle);
      y[row * depth + p + half] = second * std::cos(angle) + first * std::sin(angle);
    }
  return y;
}

} // namespace

TEST(VariantExamples, Alibi) {
  constexpr int64_t d = 512, heads = 8, keyHeads = 2, dk = 64;
  Weights weights;
  weights.add("gain", {d});
  weights.add("Wq", {heads, dk, d}, 0.2f);
  weights.add("Wk", {keyHeads, dk, d}, 0.2f);
  weights.add("Wv", {keyHeads, dk, d}, 0.2f);
  weights.add("Wo", {d, heads, dk}, 0.2f);
  CompiledProgram program(exampleText("alibi.heed"), &weights);
  ASSERT_TRUE(program.ok());
  for (int64_t n : {1, 43}) {
    Tensor input = randomTensor({n, d}, 5);
    Numbers E = asNumbers(input), X = rmsNorm(E, weights["gain"], 1e-5);
    auto project = [&](const char *name, int64_t of) {
      return swapAxes(linear(X, weights[name], of * dk), n, of, dk);
    };
    Attention attention = causalSelfAttention(heads, keyHeads, n, dk);
    attention.modify = [](double s, int64_t h, int64_t i, int64_t j) {
      return s - std::exp2(-double(h + 1)) * double(i - j);
    };
    Numbers Z = attention(project("Wq", heads), project("Wk", keyHeads), project("Wv", keyHeads));
    addTo(E, linear(swapAxes(Z, heads, n, dk), weights["Wo"], d));
    expectAllNear(program.call("block", {n}, {input.values.data()}, n * d), E, 1e-5, "block");
  }
}

TEST(VariantExamples, Diff) {
  constexpr int64_t d = 64, heads = 4, dk = 8, dv = 16, n = 37;
  Weights weights;
  weights.add("gain", {d});
  for (const char *name : {"Wq1", "Wq2", "Wk1", "Wk2"})
    weights.add(name, {heads, dk, d});
  weights.add("Wv", {heads, dv, d});
  weights.add("Wo", {d, heads, dv});
  for (const char *name : {"lq1", "lq2", "lk1", "lk2"})
    weights.add(name, {dk}, 0.5f);
  weights.add("head_gain", {dv});
  CompiledProgram program(resized(exampleText("diff.heed"), "d", 512, d), &weights);
  ASSERT_TRUE(program.ok());
  Tensor input = randomTensor({n, d}, 5);
  Numbers E = asNumbers(input), X = rmsNorm(E, weights["gain"], 1e-5);
  auto project = [&](const char *name, int64_t width) {
    return swapAxes(linear(X, weights[name], heads * width), n, heads, width);
  };
  Attention attention = causalSelfAttention(heads, heads, n, dk);
  attention.width = dv;
  Numbers V = project("Wv", dv);
  Numbers Z = attention(project("Wq1", dk), project("Wk1", dk), V),
          second = attention(project("Wq2", dk), project("Wk2", dk), V);
  double dots[2] = {0, 0};
  for (int64_t k = 0; k < dk; ++k) {
    dots[0] += weights["lq1"][k] * weights["lk1"][k];
    dots[1] += weights["lq2"][k] * weights["lk2"][k];
  }
  double lambda = std::exp(dots[0]) - std::exp(dots[1]) + 0.8;
  for (size_t e = 0; e < Z.size(); ++e)
    Z[e] -= lambda * second[e];
  Numbers N = rmsNorm(Z, weights["head_gain"], 1e-5);
  for (double &x : N)
    x *= 1 - 0.8;
  addTo(E, linear(swapAxes(N, heads, n, dv), weights["Wo"], d));
  expectAllNear(program.call("block", {n}, {input.values.data()}, n * d), E, 2e-5, "block");
}

/// The first distance of each of T5's buckets from the eighth on, for distances up to 128.
static int64_t t5Bucket(int64_t i, int64_t j) {
  constexpr int64_t kFirst[] = {8, 12, 16, 23, 32, 46, 64, 91};
  int64_t distance = std::abs(j - i), bucket = distance;
  for (int64_t far = 0; far < 8; ++far)
    if (distance >= kFirst[far])
      bucket = 8 + far;
  return bucket + (j > i ? 16 : 0);
}

TEST(VariantExamples, T5) {
  constexpr int64_t d = 48, heads = 3, dk = 16, ff = 80, layers = 2, vocab = 60;
  Weights weights;
  weights.add("token_embd.weight", {vocab, d});
  weights.add("enc.blk.0.attn_rel_b.weight", {32, heads}, 2);
  weights.add("enc.output_norm.weight", {d});
  for (int64_t l = 0; l < layers; ++l) {
    std::string block = "enc.blk." + std::to_string(l) + ".";
    weights.add(block + "attn_norm.weight", {d});
    weights.add(block + "ffn_norm.weight", {d});
    for (const char *name : {"attn_q", "attn_k", "attn_v", "attn_o"})
      weights.add(block + name + ".weight", {d, d}, 0.2f);
    weights.add(block + "ffn_up.weight", {ff, d}, 0.2f);
    weights.add(block + "ffn_down.weight", {d, ff}, 0.2f);
  }
  std::string text = exampleText("t5.heed");
  for (auto [name, from, to] : {std::tuple("d", 512, d),
                                {"heads", 8, heads},
                                {"dk", 64, dk},
                                {"ff", 2048, ff},
                                {"layers", 6, layers},
                                {"vocab", 32128, vocab}})
    text = resized(text, name, from, to);
  CompiledProgram program(text, &weights);
  ASSERT_TRUE(program.ok());
  for (int64_t n : {1, 150}) { // beyond the furthest distance
    std::vector<int32_t> tokens = someTokens(n, vocab);
    Numbers E = embedded(weights["token_embd.weight"], tokens, d);
    Attention attention{
        .heads = heads, .keyHeads = heads, .rows = n, .keys = n, .depth = dk, .width = dk};
    attention.modify = [&](double s, int64_t h, int64_t i, int64_t j) {
      return s + weights["enc.blk.0.attn_rel_b.weight"][t5Bucket(i, j) * heads + h];
    };
    for (int64_t l = 0; l < layers; ++l) {
      auto weight = [&](const char *name) -> const Tensor & {
        return weights["enc.blk." + std::to_string(l) + "." + name + ".weight"];
      };
      Numbers X = rmsNorm(E, weight("attn_norm"), 1e-6);
      auto project = [&](const char *name) {
        return swapAxes(linear(X, weight(name), d), n, heads, dk);
      };
      Numbers Z = attention(project("attn_q"), project("attn_k"), project("attn_v"));
      addTo(E, linear(swapAxes(Z, heads, n, dk), weight("attn_o"), d));
      Numbers U = linear(rmsNorm(E, weight("ffn_norm"), 1e-6), weight("ffn_up"), ff);
      for (double &x : U)
        x = std::max(x, 0.0);
      addTo(E, linear(U, weight("ffn_down"), d));
    }
    expectAllNear(program.call("encode", {n}, {tokens.data()}, n * d),
                  rmsNorm(E, weights["enc.output_norm.weight"], 1e-6), 5e-5, "encode");
  }
}

// The text is longer than the window; it is fed whole and in pieces, so the derived cache is read.
TEST(VariantExamples, Sink) {
  constexpr int64_t d = 64, heads = 4, keyHeads = 2, dk = 16, ff = 48, layers = 2, vocab = 75,
                    n = 39;
  Weights weights;
  weights.add("embed", {vocab, d}, 0.4f);
  weights.add("out_norm", {d});
  for (int64_t l = 0; l < layers; ++l) {
    std::string block = "blk." + std::to_string(l) + ".";
    weights.add(block + "attn_norm", {d});
    weights.add(block + "ffn_norm", {d});
    weights.add(block + "sink", {heads}, 3);
    weights.add(block + "q", {heads, dk, d}, 0.4f);
    weights.add(block + "k", {keyHeads, dk, d}, 0.4f);
    weights.add(block + "v", {keyHeads, dk, d}, 0.4f);
    weights.add(block + "o", {d, heads, dk}, 0.4f);
    weights.add(block + "gate", {ff, d}, 0.4f);
    weights.add(block + "up", {ff, d}, 0.4f);
    weights.add(block + "down", {d, ff}, 0.4f);
  }
  std::string text = exampleText("sink.heed");
  for (auto [name, from, to] : {std::tuple("d", 256, d),
                                {" heads", 8, heads},
                                {"ff", 512, ff},
                                {"layers", 4, layers},
                                {"window", 128, 7},
                                {"vocab", 1024, vocab}})
    text = resized(text, name, from, to);
  CompiledProgram program(text, &weights);
  ASSERT_TRUE(program.ok());

  std::vector<int32_t> tokens = someTokens(n, vocab);
  Numbers E = embedded(weights["embed"], tokens, d);
  Attention attention = causalSelfAttention(heads, keyHeads, n, dk);
  attention.modify = [](double s, int64_t, int64_t, int64_t) { return 30 * std::tanh(s / 30); };
  for (int64_t l = 0; l < layers; ++l) {
    auto weight = [&](const char *name) -> const Tensor & {
      return weights["blk." + std::to_string(l) + "." + name];
    };
    attention.visible = [l](int64_t, int64_t i, int64_t j) {
      return j <= i && (l % 2 == 1 || i - j < 7);
    };
    attention.sink = [&](int64_t h, int64_t) { return weight("sink")[h]; };
    Numbers X = rmsNorm(E, weight("attn_norm"), 1e-5);
    auto project = [&](const char *name, int64_t of) {
      return swapAxes(linear(X, weight(name), of * dk), n, of, dk);
    };
    Numbers Z = attention(ropeHalf(project("q", heads), n, dk, 10000),
                          ropeHalf(project("k", keyHeads), n, dk, 10000), project("v", keyHeads));
    addTo(E, linear(swapAxes(Z, heads, n, dk), weight("o"), d));
    Numbers Y = rmsNorm(E, weight("ffn_norm"), 1e-5), gate = linear(Y, weight("gate"), ff),
            up = linear(Y, weight("up"), ff);
    for (size_t e = 0; e < gate.size(); ++e)
      gate[e] = gate[e] / (1 + std::exp(-gate[e])) * up[e];
    addTo(E, linear(gate, weight("down"), d));
  }
  Numbers expected = linear(rmsNorm(E, weights["out_norm"], 1e-5), weights["embed"], vocab);
  for (int64_t piece : {n, int64_t(1), int64_t(5)})
    expectAllNear(program.feed("logits", tokens, piece), expected, 1e-4, "logits");
}
