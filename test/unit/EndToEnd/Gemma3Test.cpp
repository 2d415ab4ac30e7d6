//===- Gemma3Test.cpp - gemma3, in small ----------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One loop over layers that differ: by their number in what they see and how
// they turn positions, and by the file in how they are stored.
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

constexpr int64_t kVocab = 75, kLayers = 7, d = 64, heads = 4, keyHeads = 1, dk = 32, ff = 96,
                  kWindow = 9;

bool seesAll(int64_t layer) { return layer % 6 == 5; }

Weights gemma3Weights() {
  Weights weights;
  weights.set("general.architecture", "gemma3");
  for (auto [key, value] : {std::pair("block_count", kLayers),
                            {"embedding_length", d},
                            {"feed_forward_length", ff},
                            {"context_length", 64},
                            {"attention.head_count", heads},
                            {"attention.head_count_kv", keyHeads},
                            {"attention.key_length", dk},
                            {"attention.value_length", dk},
                            {"attention.sliding_window", kWindow}})
    weights.set(std::string("gemma3.") + key, static_cast<uint32_t>(value));
  weights.set("gemma3.attention.layer_norm_rms_epsilon", 1e-6f);
  weights.set("gemma3.rope.freq_base", 1000000.0f);
  weights.add("token_embd.weight", {kVocab, d}, 0.4f, StorageType::Q8_0);
  weights.add("output_norm.weight", {d});
  for (int64_t l = 0; l < kLayers; ++l) {
    auto add = [&](const char *name, std::vector<int64_t> shape, StorageType storage) {
      weights.add("blk." + std::to_string(l) + "." + name + ".weight", std::move(shape), 0.4f,
                  storage);
    };
    for (const char *name : {"attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"})
      add(name, {d}, StorageType::F32);
    for (const char *name : {"attn_q_norm", "attn_k_norm"})
      add(name, {dk}, StorageType::F32);
    add("attn_q", {heads * dk, d}, StorageType::Q4_1);
    add("attn_k", {keyHeads * dk, d}, StorageType::Q8_0);
    add("attn_v", {keyHeads * dk, d}, l % 3 ? StorageType::Q4_1 : StorageType::Q8_0);
    add("attn_output", {d, heads * dk}, StorageType::Q4_1);
    add("ffn_gate", {ff, d}, StorageType::Q4_1);
    add("ffn_up", {ff, d}, StorageType::Q4_1);
    add("ffn_down", {d, ff}, l % 3 ? StorageType::Q4_1 : StorageType::F16);
  }
  return weights;
}

/// Rotary positions on pairs (p, p + depth/2) of [heads, rows, depth].
Numbers ropeHalf(Numbers x, int64_t rows, int64_t depth, double theta) {
  for (size_t row = 0; row * depth < x.size(); ++row)
    for (int64_t p = 0; p < depth / 2; ++p) {
      double angle = static_cast<double>(row % rows) * std::pow(theta, -2.0 * p / depth);
      double &left = x[row * depth + p], &right = x[row * depth + p + depth / 2];
      double turned = left * std::cos(angle) - right * std::sin(angle);
      right = right * std::cos(angle) + left * std::sin(angle);
      left = turned;
    }
  return x;
}

Numbers gemma3Logits(const Weights &weights, const std::vector<int32_t> &tokens) {
  const int64_t n = tokens.size();
  const double eps = 1e-6f;
  Numbers E = embedded(weights["token_embd.weight"], tokens, d);
  for (double &number : E)
    number *= std::sqrt(d);
  for (int64_t l = 0; l < kLayers; ++l) {
    auto weight = [&](const char *name) -> const Tensor & {
      return weights["blk." + std::to_string(l) + "." + name + ".weight"];
    };
    Numbers X = rmsNorm(E, weight("attn_norm"), eps);
    auto project = [&](const char *name, int64_t of) {
      return swapAxes(linear(X, weight(name), of * dk), n, of, dk);
    };
    auto turned = [&](const char *name, const char *norm, int64_t of) {
      return ropeHalf(rmsNorm(project(name, of), weight(norm), eps), n, dk,
                      seesAll(l) ? 1000000.0 : 10000.0);
    };
    Attention attention = causalSelfAttention(heads, keyHeads, n, dk);
    attention.visible = [l](int64_t, int64_t i, int64_t j) {
      return j <= i && (seesAll(l) || i - j < kWindow);
    };
    Numbers Z = attention(turned("attn_q", "attn_q_norm", heads),
                          turned("attn_k", "attn_k_norm", keyHeads), project("attn_v", keyHeads));
    addTo(E, rmsNorm(linear(swapAxes(Z, heads, n, dk), weight("attn_output"), d),
                     weight("post_attention_norm"), eps));
    Numbers Y = rmsNorm(E, weight("ffn_norm"), eps);
    Numbers gate = linear(Y, weight("ffn_gate"), ff), up = linear(Y, weight("ffn_up"), ff);
    for (size_t e = 0; e < gate.size(); ++e) {
      double x = gate[e];
      gate[e] = 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) * up[e];
    }
    addTo(E, rmsNorm(linear(gate, weight("ffn_down"), d), weight("post_ffw_norm"), eps));
  }
  return linear(rmsNorm(E, weights["output_norm.weight"], eps), weights["token_embd.weight"],
                kVocab);
}

} // namespace

TEST(Gemma3, LayersThatDiffer) {
  Weights weights = gemma3Weights();
  CompiledProgram program(exampleText("gemma3.heed"), &weights, CompiledProgram::Format::Gguf,
                          "--precise");
  ASSERT_TRUE(program.ok());
  std::vector<int32_t> tokens = someTokens(41, kVocab);
  Numbers expected = gemma3Logits(weights, tokens);
  for (int64_t piece : {41, 7, 1})
    expectAllNear(program.feed("logits", tokens, piece), expected, 1e-4, "fed in pieces");
}
