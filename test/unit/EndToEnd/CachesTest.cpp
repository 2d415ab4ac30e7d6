//===- CachesTest.cpp - texts fed through derived caches ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The same formulas are compiled twice: as `logits`, a step that keeps caches, and
// as `plain`, which is given the embedded text and keeps nothing. However a text is
// cut into calls, and however often it goes round a ring, the results must agree.
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include <cmath>
#include <gtest/gtest.h>
#include <map>

using namespace heed;
using namespace heed::endtoend;

namespace {

constexpr int64_t kVocab = 40, kWidth = 32, kKeyHeads = 2, kHeads = 4, kDepth = 8, kLayers = 4;

Weights someWeights() {
  Weights weights;
  weights.add("embed", {kVocab, kWidth});
  for (int64_t l = 0; l < kLayers; ++l) {
    std::string layer = std::to_string(l) + ".";
    weights.add(layer + "q", {kHeads, kDepth, kWidth}, 0.2f);
    weights.add(layer + "k", {kKeyHeads, kDepth, kWidth}, 0.2f);
    weights.add(layer + "v", {kKeyHeads, kDepth, kWidth}, 0.2f);
    weights.add(layer + "o", {kWidth, kHeads, kDepth}, 0.2f);
  }
  return weights;
}

/// A program whose `body` makes F of E0, `[n, d]`, and that exports both functions.
std::string programOf(const std::string &body) {
  return R"(
use std
size d = 32, vocab = 40, heads = 4, kv_heads = 2, group = 2, dk = 8, layers = 4, n
weight embed : [vocab, d]
per layer l {
  weight Wq : [heads, dk, d] = "{l}.q"
  weight Wk, Wv : [kv_heads, dk, d] = "{l}.{k,v}"
  weight Wo : [d, heads, dk] = "{l}.o"
}
fn plain(E0: [n, d]) -> [n, vocab] {
  E[i, c] = E0[i, c]
)" + body +
         R"(
  L[i, t] = sum[c] embed[t, c] * E[i, c]
  return L
}
fn logits(tokens: int[n]) -> [n, vocab] {
  E[i, c] = embed[tokens[i], c]
)" + body +
         R"(
  L[i, t] = sum[c] embed[t, c] * E[i, c]
  return L
}
)";
}

std::string keysAndValues(const std::string &layer) {
  return "K[g, j, k] = rope(sum[c] Wk[" + layer + "][g, k, c] * E[j, c], 10000.0)\n" +
         "V[g, j, k] = sum[c] Wv[" + layer + "][g, k, c] * E[j, c]\n";
}

std::string attentionOf(const std::string &layer, const std::string &mask) {
  return "Q[h, i, k] = rope(sum[c] Wq[" + layer + "][h, k, c] * E[i, c], 10000.0)\n" +
         "S[h, i, j] = sum[k] Q[h, i, k] * K[h / group, j, k] / sqrt(dk)\n" +
         "A[h, i, j] = softmax[j] S[h, i, j] where " + mask + "\n" + "E[i, e] += sum[h, k, j] Wo[" +
         layer + "][e, h, k] * A[h, i, j] * V[h / group, j, k]\n";
}

std::string layersOf(const std::string &mask) {
  return "for l in layers {\n" + keysAndValues("l") + attentionOf("l", mask) + "}\n";
}

std::vector<int32_t> someTokens(int64_t count) {
  std::vector<int32_t> tokens;
  uint32_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525 + 1013904223;
    tokens.push_back(static_cast<int32_t>((state >> 16) % kVocab));
  }
  return tokens;
}

using Logits = std::vector<std::vector<float>>;

Logits plainLogits(CompiledProgram &program, const Weights &weights,
                   const std::vector<int32_t> &tokens) {
  Numbers rows = embedded(weights["embed"], tokens, kWidth);
  std::vector<float> text(rows.begin(), rows.end());
  int64_t n = tokens.size();
  return program.call("plain", {n}, {text.data()}, n * kVocab);
}

/// The mean squared difference over the mean square.
double normalizedError(const std::vector<float> &found, const std::vector<float> &expected) {
  double error = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += std::pow(double(found[i]) - expected[i], 2);
    size += std::pow(double(expected[i]), 2);
  }
  return error / size;
}

const heed_function &step(const CompiledProgram &program) {
  for (int64_t f = 0; f < program.artifact()->n_functions; ++f)
    if (program.artifact()->functions[f].kind == HEED_STEP)
      return program.artifact()->functions[f];
  static const heed_function none{};
  ADD_FAILURE() << "no step";
  return none;
}

/// Rows of each cache's ring by its name; 0 where it holds the context.
std::map<std::string, int64_t> ringsOf(const CompiledProgram &program) {
  std::map<std::string, int64_t> rings;
  const heed_function &function = step(program);
  for (int32_t c = 0; c < function.n_caches; ++c)
    rings[function.caches[c].name] = function.caches[c].rows;
  return rings;
}

/// Feeds a text in several ways, which must agree with one another but for the order of sums, and
/// with no caches at all: within 1e-5 in f32, with a normalised error below `tolerance` in narrower
/// types.
void expectCachedIsPlain(const std::string &body, const std::string &flags, int64_t count,
                         const std::map<std::string, int64_t> &rings, double tolerance = 0) {
  Weights weights = someWeights();
  CompiledProgram program(programOf(body), &weights, CompiledProgram::Format::Safetensors, flags);
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(ringsOf(program), rings);
  std::vector<int32_t> tokens = someTokens(count);
  Logits expected = plainLogits(program, weights, tokens);
  Logits whole = program.feed("logits", tokens, count);
  ASSERT_EQ(whole.size(), expected.size());
  for (size_t set = 0; set < whole.size(); ++set) {
    if (tolerance == 0)
      expectNear(whole[set], Numbers(expected[set].begin(), expected[set].end()), 1e-5, "cached");
    else
      EXPECT_LT(normalizedError(whole[set], expected[set]), tolerance);
  }
  for (int64_t piece : {1, 5, 16, 33, 100}) {
    Logits pieces = program.feed("logits", tokens, piece);
    for (size_t set = 0; set < whole.size(); ++set) {
      ASSERT_EQ(pieces[set].size(), whole[set].size());
      EXPECT_LT(normalizedError(pieces[set], whole[set]), 1e-12 + tolerance * 1e-6)
          << "pieces of " << piece;
    }
  }
}

const std::string kCausal = "j <= i", kWindow = "j <= i && i - j < 11";

} // namespace

TEST(Caches, Full) { expectCachedIsPlain(layersOf(kCausal), "", 150, {{"K", 0}, {"V", 0}}); }

// 11 - 1 + 20 rows in whole tiles of 64: five times round.
TEST(Caches, Ring) {
  expectCachedIsPlain(layersOf(kWindow), "--chunk=20", 330, {{"K", 64}, {"V", 64}});
}

TEST(Caches, RingLargerThanATile) {
  expectCachedIsPlain(layersOf("j <= i && i - j < 130"), "--chunk=64", 600,
                      {{"K", 256}, {"V", 256}});
}

// A window whose first row is always visible can't be a ring.
TEST(Caches, WindowWithSinks) {
  expectCachedIsPlain(layersOf("j <= i && (i - j < 11 || j < 2)"), "--chunk=20", 150,
                      {{"K", 0}, {"V", 0}});
}

// Keys and values of the first layer serve all of them.
TEST(Caches, SharedByLayers) {
  std::string body = keysAndValues("0") + "for l in layers {\n" + attentionOf("l", kWindow) + "}\n";
  expectCachedIsPlain(body, "--chunk=20", 200, {{"K", 64}, {"V", 64}});
}

// Where one of the readers sees everything, everything is kept.
TEST(Caches, SharedByReadersOfDifferentReach) {
  std::string body = keysAndValues("0") + attentionOf("0", kWindow) + attentionOf("1", kCausal);
  expectCachedIsPlain(body, "--chunk=20", 150, {{"K", 0}, {"V", 0}});
}

// Two loops in a row, of layers that see a window and layers that see everything.
TEST(Caches, LoopsInARow) {
  std::string body = "for l in 2 {\n" + keysAndValues("l") + attentionOf("l", kWindow) + "}\n" +
                     "for m in 2 {\n" + keysAndValues("m + 2") + attentionOf("m + 2", kCausal) +
                     "}\n";
  expectCachedIsPlain(body, "--chunk=20", 200, {{"K", 64}, {"V", 64}, {"K2", 0}, {"V2", 0}});
}

// Stored in fewer bits, the text still doesn't depend on how it is cut.
TEST(Caches, F16) {
  expectCachedIsPlain(layersOf(kCausal), "--cache-type=f16", 150, {{"K", 0}, {"V", 0}}, 1e-6);
  expectCachedIsPlain(layersOf(kWindow), "--cache-type=f16 --chunk=20", 200, {{"K", 64}, {"V", 64}},
                      1e-6);
}

TEST(Caches, BF16) {
  expectCachedIsPlain(layersOf(kCausal), "--cache-type=bf16", 150, {{"K", 0}, {"V", 0}}, 1e-4);
}

TEST(Caches, Int8) {
  expectCachedIsPlain(layersOf(kCausal), "--cache-type=int8", 150,
                      {{"K", 0}, {"K_scale", 0}, {"V", 0}, {"V_scale", 0}}, 1e-3);
  expectCachedIsPlain(layersOf(kWindow), "--cache-type=int8 --chunk=20", 200,
                      {{"K", 64}, {"K_scale", 64}, {"V", 64}, {"V_scale", 64}}, 1e-3);
}

// A ring that forgot what a shorter text reads can't be cut to it; a little it can.
TEST(Caches, RingsCanBeCutALittle) {
  Weights weights = someWeights();
  CompiledProgram program(programOf(layersOf(kWindow)), &weights,
                          CompiledProgram::Format::Safetensors, "--chunk=20");
  ASSERT_TRUE(program.ok());
  std::vector<int32_t> tokens = someTokens(203), astray(9, 3);
  auto logits = program.feed("logits", tokens, 50)[0];
  heed_session *session = nullptr;
  ASSERT_EQ(heed_session_new(program.model(), heed_model_function(program.model(), "logits"), 0,
                             &session),
            HEED_OK);
  EXPECT_EQ(heed_session_capacity(session), INT32_MAX);
  ASSERT_EQ(heed_session_step(session, tokens.data(), 200, 0, nullptr), HEED_OK);
  EXPECT_EQ(heed_session_truncate(session, 145), HEED_ERROR_INPUT);
  EXPECT_STREQ(
      heed_last_error(),
      "a text of 200 tokens can't be cut to 145: the model keeps the last tokens alone, so "
      "cut it to 146 or more, or to 0 and read it again");
  ASSERT_EQ(heed_session_truncate(session, 170), HEED_OK);
  ASSERT_EQ(heed_session_step(session, astray.data(), 9, 0, nullptr), HEED_OK);
  ASSERT_EQ(heed_session_truncate(session, 160), HEED_OK);
  std::vector<float> rows(3 * kVocab);
  ASSERT_EQ(heed_session_step(session, tokens.data() + 160, 43, 3, rows.data()), HEED_OK);
  std::vector<float> expected(logits.end() - 3 * kVocab, logits.end());
  EXPECT_LT(normalizedError(rows, expected), 1e-12);
  ASSERT_EQ(heed_session_truncate(session, 0), HEED_OK);
  ASSERT_EQ(heed_session_step(session, tokens.data(), 203, 3, rows.data()), HEED_OK);
  EXPECT_LT(normalizedError(rows, expected), 1e-12);
  heed_session_free(session);
}
