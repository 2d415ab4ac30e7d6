//===- LanguageModelsTest.cpp - llama, mistral and gpt2, in small ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All are compiled into a step with derived caches. Whether a text is fed whole,
// in pieces or token by token must make no difference, and the logits must be
// those of the formulas over the whole text.
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

namespace {

constexpr int64_t kVocab = 75; // not a whole number of panels

/// Feeds `tokens` in several ways, all of which must give `expected`, and the same numbers but for
/// rounding.
void expectLogits(CompiledProgram &program, const std::vector<int32_t> &tokens,
                  const Numbers &expected) {
  auto whole = program.feed("logits", tokens, tokens.size());
  expectAllNear(whole, expected, 1e-4, "whole");
  for (int64_t piece : {1, 3, 7}) {
    auto pieces = program.feed("logits", tokens, piece);
    ASSERT_EQ(pieces.size(), whole.size());
    for (size_t set = 0; set < whole.size(); ++set)
      expectNear(pieces[set], Numbers(whole[set].begin(), whole[set].end()), 1e-5, "in pieces");
  }
}

struct LlamaSizes {
  uint32_t layers = 2, heads = 4, keyHeads = 2, dk = 16, ff = 96;
  uint32_t context = 64, window = 0; ///< 0: rows see all earlier ones
  uint32_t d() const { return heads * dk; }
};

Weights llamaWeights(const LlamaSizes &sizes, StorageType storage) {
  int64_t d = sizes.d(), dk = sizes.dk, ff = sizes.ff;
  Weights weights;
  weights.set("general.architecture", "llama");
  weights.set("llama.block_count", sizes.layers);
  weights.set("llama.embedding_length", sizes.d());
  weights.set("llama.attention.head_count", sizes.heads);
  weights.set("llama.attention.head_count_kv", sizes.keyHeads);
  weights.set("llama.feed_forward_length", sizes.ff);
  weights.set("llama.context_length", sizes.context);
  if (sizes.window > 0)
    weights.set("llama.attention.sliding_window", sizes.window);
  weights.set("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  weights.set("llama.rope.freq_base", 10000.0f);
  weights.add("token_embd.weight", {kVocab, d}, 0.4f, storage);
  weights.add("output_norm.weight", {d});
  for (uint32_t l = 0; l < sizes.layers; ++l) {
    std::string block = "blk." + std::to_string(l) + ".";
    weights.add(block + "attn_norm.weight", {d});
    weights.add(block + "ffn_norm.weight", {d});
    weights.add(block + "attn_q.weight", {d, d}, 0.4f, storage);
    weights.add(block + "attn_k.weight", {sizes.keyHeads * dk, d}, 0.4f, storage);
    weights.add(block + "attn_v.weight", {sizes.keyHeads * dk, d}, 0.4f, storage);
    weights.add(block + "attn_output.weight", {d, d}, 0.4f, storage);
    weights.add(block + "ffn_gate.weight", {ff, d}, 0.4f, storage);
    weights.add(block + "ffn_up.weight", {ff, d}, 0.4f, storage);
    weights.add(block + "ffn_down.weight", {d, ff}, 0.4f, storage);
  }
  return weights;
}

Numbers llamaLogits(const Weights &weights, const LlamaSizes &sizes,
                    const std::vector<int32_t> &tokens) {
  int64_t d = sizes.d(), dk = sizes.dk, heads = sizes.heads, keyHeads = sizes.keyHeads;
  int64_t n = tokens.size();
  double eps = 1e-5f;
  Numbers E = embedded(weights["token_embd.weight"], tokens, d);
  Attention attention = causalSelfAttention(heads, keyHeads, n, dk);
  if (sizes.window > 0)
    attention.visible = [&](int64_t, int64_t i, int64_t j) {
      return j <= i && i - j < sizes.window;
    };
  for (uint32_t l = 0; l < sizes.layers; ++l) {
    auto weight = [&](const char *name) -> const Tensor & {
      return weights["blk." + std::to_string(l) + "." + name + ".weight"];
    };
    Numbers X = rmsNorm(E, weight("attn_norm"), eps);
    auto project = [&](const char *name, int64_t of) {
      return swapAxes(linear(X, weight(name), of * dk), n, of, dk);
    };
    Numbers Z =
        attention(rope(project("attn_q", heads), n, dk, 10000),
                  rope(project("attn_k", keyHeads), n, dk, 10000), project("attn_v", keyHeads));
    addTo(E, linear(swapAxes(Z, heads, n, dk), weight("attn_output"), d));
    Numbers Y = rmsNorm(E, weight("ffn_norm"), eps);
    Numbers gate = linear(Y, weight("ffn_gate"), sizes.ff),
            up = linear(Y, weight("ffn_up"), sizes.ff);
    for (size_t e = 0; e < gate.size(); ++e)
      gate[e] = gate[e] / (1 + std::exp(-gate[e])) * up[e];
    addTo(E, linear(gate, weight("ffn_down"), d));
  }
  return linear(rmsNorm(E, weights["output_norm.weight"], eps), weights["token_embd.weight"],
                kVocab);
}

void testLlama(const LlamaSizes &sizes, StorageType storage) {
  Weights weights = llamaWeights(sizes, storage);
  CompiledProgram program(exampleText("llama.heed"), &weights, CompiledProgram::Format::Gguf,
                          "--precise");
  ASSERT_TRUE(program.ok());
  std::vector<int32_t> tokens = someTokens(39, kVocab);
  expectLogits(program, tokens, llamaLogits(weights, sizes, tokens));
}

Weights gpt2Weights(uint32_t layers, uint32_t d, uint32_t heads, uint32_t ff, int64_t context) {
  Weights weights;
  weights.set("general.architecture", "gpt2");
  weights.set("gpt2.block_count", layers);
  weights.set("gpt2.embedding_length", d);
  weights.set("gpt2.attention.head_count", heads);
  weights.set("gpt2.feed_forward_length", ff);
  weights.set("gpt2.attention.layer_norm_epsilon", 1e-5f);
  weights.add("token_embd.weight", {kVocab, d}, 0.4f);
  weights.add("position_embd.weight", {context, d}, 0.4f);
  weights.add("output_norm.weight", {d});
  weights.add("output_norm.bias", {d});
  for (uint32_t l = 0; l < layers; ++l) {
    std::string block = "blk." + std::to_string(l) + ".";
    auto add = [&](const std::string &name, std::vector<int64_t> shape) {
      weights.add(block + name + ".weight", shape, 0.4f);
      weights.add(block + name + ".bias", {shape.front()}, 0.4f);
    };
    add("attn_norm", {d});
    add("ffn_norm", {d});
    add("attn_qkv", {3 * d, d});
    add("attn_output", {d, d});
    add("ffn_up", {ff, d});
    add("ffn_down", {d, ff});
  }
  return weights;
}

Numbers gpt2Logits(const Weights &weights, int64_t layers, int64_t heads,
                   const std::vector<int32_t> &tokens) {
  int64_t d = weights["output_norm.weight"].size(), dk = d / heads, n = tokens.size();
  double eps = 1e-5f;
  Numbers E = embedded(weights["token_embd.weight"], tokens, d);
  for (int64_t e = 0; e < n * d; ++e)
    E[e] += weights["position_embd.weight"][e];
  Attention attention = causalSelfAttention(heads, heads, n, dk);
  for (int64_t l = 0; l < layers; ++l) {
    auto part = [&](const std::string &name) -> const Tensor & {
      return weights["blk." + std::to_string(l) + "." + name];
    };
    auto affine = [&](const Numbers &x, const std::string &name) {
      const Tensor &bias = part(name + ".bias");
      return linear(x, part(name + ".weight"), bias.size(), &bias);
    };
    auto norm = [&](const std::string &name) {
      return layerNorm(E, part(name + ".weight"), part(name + ".bias"), eps);
    };
    // [n, 3 of q, k, v, heads, dk]
    Numbers fused = swapAxes(affine(norm("attn_norm"), "attn_qkv"), n, 3 * heads, dk);
    auto third = [&](int64_t which) {
      return Numbers(fused.begin() + which * n * d, fused.begin() + (which + 1) * n * d);
    };
    addTo(E,
          affine(swapAxes(attention(third(0), third(1), third(2)), heads, n, dk), "attn_output"));
    Numbers hidden = affine(norm("ffn_norm"), "ffn_up");
    for (double &x : hidden)
      x = 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    addTo(E, affine(hidden, "ffn_down"));
  }
  return linear(layerNorm(E, weights["output_norm.weight"], weights["output_norm.bias"], eps),
                weights["token_embd.weight"], kVocab);
}

} // namespace

TEST(LanguageModels, LlamaInBlocks) { testLlama({}, StorageType::Q8_0); }

// One head in all, and sizes that are no multiples of anything.
TEST(LanguageModels, LlamaOfOddSizes) {
  testLlama({.layers = 1, .heads = 1, .keyHeads = 1, .dk = 50, .ff = 33}, StorageType::F16);
}

// More heads share a key head than there are lanes.
TEST(LanguageModels, LlamaOfManyQueries) {
  testLlama({.layers = 1, .heads = 40, .keyHeads = 1, .dk = 4, .ff = 17}, StorageType::F32);
}

// Three times round a ring of 64 rows.
TEST(LanguageModels, Mistral) {
  LlamaSizes sizes{.context = 1000, .window = 19};
  Weights weights = llamaWeights(sizes, StorageType::Q8_0);
  CompiledProgram program(exampleText("mistral.heed"), &weights, CompiledProgram::Format::Gguf,
                          "--chunk=40 --precise");
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program.artifact()->functions[0].caches[0].rows, 64);
  std::vector<int32_t> tokens = someTokens(230, kVocab);
  expectLogits(program, tokens, llamaLogits(weights, sizes, tokens));
}

TEST(LanguageModels, Gpt2) {
  constexpr int64_t context = 48;
  Weights weights = gpt2Weights(2, 40, 4, 24, context);
  CompiledProgram program(exampleText("gpt2.heed"), &weights, CompiledProgram::Format::Gguf);
  ASSERT_TRUE(program.ok());
  std::vector<int32_t> tokens = someTokens(context, kVocab); // to the last learned position
  expectLogits(program, tokens, gpt2Logits(weights, 2, 4, tokens));

  heed_session *session = nullptr;
  ASSERT_EQ(heed_session_new(program.model(), 0, context + 1, &session), HEED_ERROR_INPUT);
  EXPECT_STREQ(heed_last_error(),
               "a context of 49 tokens was asked for, and 'logits' allows 1 … 48");
}

// A model without a loop over layers, whose rows see the last five.
TEST(LanguageModels, WindowWithoutLayers) {
  constexpr int64_t d = 32;
  Weights weights;
  weights.add("embed", {kVocab, d});
  for (const char *name : {"Wq", "Wk", "Wv"})
    weights.add(name, {d, d}, 0.5f);
  CompiledProgram program(R"(
size d = 32, vocab = 75, n
weight embed : [vocab, d]
weight Wq, Wk, Wv : [d, d]
fn logits(tokens: int[n]) -> [n, vocab] {
  E[i, c] = embed[tokens[i], c]
  Q[i, k] = sum[c] Wq[k, c] * E[i, c]
  K[j, k] = sum[c] Wk[k, c] * E[j, c]
  V[j, k] = sum[c] Wv[k, c] * E[j, c]
  S[i, j] = sum[k] Q[i, k] * K[j, k] / sqrt(d)
  A[i, j] = softmax[j] S[i, j] where j <= i && i - j < 5
  E[i, k] += sum[j] A[i, j] * V[j, k]
  L[i, t] = sum[c] embed[t, c] * E[i, c]
  return L
}
)",
                          &weights);
  ASSERT_TRUE(program.ok());
  std::vector<int32_t> tokens = someTokens(41, kVocab);
  int64_t n = tokens.size();
  Numbers E = embedded(weights["embed"], tokens, d);
  Attention attention{.rows = n, .keys = n, .depth = d, .width = d, .scale = 1 / std::sqrt(d)};
  attention.visible = [](int64_t, int64_t i, int64_t j) { return j <= i && i - j < 5; };
  addTo(E, attention(linear(E, weights["Wq"], d), linear(E, weights["Wk"], d),
                     linear(E, weights["Wv"], d)));
  expectLogits(program, tokens, linear(E, weights["embed"], kVocab));
}

TEST(LanguageModels, CodeDoesNotGrowWithLayers) {
  TemporaryFolder folder;
  uintmax_t sizes[2];
  for (uint32_t layers : {2u, 60u}) {
    std::string path = folder.file("m.gguf"), so = folder.file("m.so");
    llamaWeights({.layers = layers, .heads = 2, .keyHeads = 1, .dk = 16, .ff = 32},
                 StorageType::Q8_0)
        .writeGguf(path);
    CommandResult compiled =
        runHeed("compile " HEED_EXAMPLES_DIR "/llama.heed --weights " + path + " -o " + so);
    ASSERT_EQ(compiled.status, 0) << compiled.output;
    sizes[layers == 60] = std::filesystem::file_size(so);
  }
  // Constants of one byte or four, and what is aligned behind them, may differ.
  EXPECT_NEAR(static_cast<double>(sizes[0]), static_cast<double>(sizes[1]), 1024);
#ifdef NDEBUG // with a runtime that is optimised, too
  EXPECT_LT(sizes[0], 800000u);
#endif
}
