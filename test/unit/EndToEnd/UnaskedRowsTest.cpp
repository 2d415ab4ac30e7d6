//===- UnaskedRowsTest.cpp - some rows asked for of a text ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of the last layer, a step computes the rows that are asked for, besides keys and
// values. Whichever rows those are, and however the layers' loop looks, they are
// the formulas' rows of the whole text.
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

constexpr int64_t kVocab = 75, kWidth = 64, kHeads = 4, kKeyHeads = 2, kDepth = 16, kInner = 96;
constexpr int64_t kWindow = 7;

/// What a model's layers do, in the language and in C++.
struct Model {
  int64_t layers = 3;
  /// Which layers see all earlier rows; the others see a window.
  std::string seesAll = "";
  std::function<bool(int64_t l)> isFar = [](int64_t) { return true; };
  bool hasPostNorm = false;  ///< what is added to the residual is normalised
  bool isBiased = false;     ///< scores know how far a key is, and there is a sink
  bool isInnerFirst = false; ///< the gated product comes before attention
  int64_t splitAt = 0;       ///< layers from here on are in a second loop; 0: in the same
  StorageType storage = StorageType::F32;
};

std::string layerOf(const Model &model, const std::string &l) {
  std::string mask = "j <= i";
  if (!model.seesAll.empty())
    mask += " && (" + model.seesAll + " || i - j < 7)";
  std::string score = model.isBiased ? "(S[h, i, j] + 0.03 * (i - j))" : "S[h, i, j]";
  if (model.isBiased)
    mask += " with sink[" + l + "][h]";
  auto add = [&](const std::string &update, const std::string &norm) {
    return model.hasPostNorm ? "E += rms_norm(" + update + ", " + norm + "[" + l + "], 1e-5)\n"
                             : "E += " + update + "\n";
  };
  std::string attention =
      "X = rms_norm(E, attn_norm[" + l + "], 1e-5)\n" +                         //
      "Q[h, i, k] = rope(sum[c] Wq[" + l + "][h, k, c] * X[i, c], 10000.0)\n" + //
      "K[g, j, k] = rope(sum[c] Wk[" + l + "][g, k, c] * X[j, c], 10000.0)\n" + //
      "V[g, j, k] = sum[c] Wv[" + l + "][g, k, c] * X[j, c]\n" +                //
      "S[h, i, j] = sum[k] Q[h, i, k] * K[h / group, j, k] / sqrt(dk)\n" +      //
      "A[h, i, j] = softmax[j] " + score + " where " + mask + "\n" +            //
      "U[i, e] = sum[h, k, j] Wo[" + l + "][e, h, k] * A[h, i, j] * V[h / group, j, k]\n" +
      add("U", "post_a");
  std::string inner = add("swiglu(rms_norm(E, ffn_norm[" + l + "], 1e-5), gate[" + l + "], up[" +
                              l + "], down[" + l + "])",
                          "post_f");
  return model.isInnerFirst ? inner + attention : attention + inner;
}

std::string programOf(const Model &model) {
  std::string layers = std::to_string(model.layers), first = std::to_string(model.splitAt);
  std::string loops =
      "for l in " + (model.splitAt ? first : layers) + " {\n" + layerOf(model, "l") + "}\n";
  if (model.splitAt)
    loops += "for m in " + std::to_string(model.layers - model.splitAt) + " {\n" +
             layerOf(model, "m + " + first) + "}\n";
  return "use std\nsize d = 64, heads = 4, kv_heads = 2, group = 2, dk = 16, ff = 96, vocab = 75\n"
         "size layers = " +
         layers +
         R"(, n <= 4096
weight embed : [vocab, d]
weight out_norm : [d]
per layer l {
  weight attn_norm, ffn_norm, post_a, post_f : [d] = "{l}.{name}"
  weight sink : [heads] = "{l}.sink"
  weight Wq : [heads, dk, d] = "{l}.q"
  weight Wk, Wv : [kv_heads, dk, d] = "{l}.{k,v}"
  weight Wo : [d, heads, dk] = "{l}.o"
  weight gate, up : [ff, d] = "{l}.{name}"
  weight down : [d, ff] = "{l}.down"
}
fn logits(tokens: int[n]) -> [n, vocab] {
  E[i, c] = embed[tokens[i], c]
)" + loops +
         "  return linear(rms_norm(E, out_norm, 1e-5), embed)\n}\n";
}

Weights weightsOf(const Model &model) {
  Weights weights;
  weights.add("embed", {kVocab, kWidth}, 0.4f, model.storage);
  weights.add("out_norm", {kWidth});
  for (int64_t l = 0; l < model.layers; ++l) {
    std::string layer = std::to_string(l) + ".";
    for (const char *name : {"attn_norm", "ffn_norm", "post_a", "post_f"})
      weights.add(layer + name, {kWidth});
    weights.add(layer + "sink", {kHeads});
    weights.add(layer + "q", {kHeads, kDepth, kWidth}, 0.4f, model.storage);
    weights.add(layer + "k", {kKeyHeads, kDepth, kWidth}, 0.4f, model.storage);
    weights.add(layer + "v", {kKeyHeads, kDepth, kWidth}, 0.4f, model.storage);
    // Its last axis is no whole number of blocks.
    weights.add(layer + "o", {kWidth, kHeads, kDepth}, 0.4f);
    weights.add(layer + "gate", {kInner, kWidth}, 0.4f, model.storage);
    weights.add(layer + "up", {kInner, kWidth}, 0.4f, model.storage);
    weights.add(layer + "down", {kWidth, kInner}, 0.4f, model.storage);
  }
  return weights;
}

Numbers logitsOf(const Model &model, const Weights &weights, const std::vector<int32_t> &tokens) {
  int64_t n = tokens.size();
  Numbers E = embedded(weights["embed"], tokens, kWidth);
  for (int64_t l = 0; l < model.layers; ++l) {
    auto weight = [&](const char *name) -> const Tensor & {
      return weights[std::to_string(l) + "." + name];
    };
    auto add = [&](const Numbers &update, const char *norm) {
      addTo(E, model.hasPostNorm ? rmsNorm(update, weight(norm), 1e-5) : update);
    };
    auto attend = [&] {
      Numbers X = rmsNorm(E, weight("attn_norm"), 1e-5);
      auto project = [&](const char *name, int64_t of) {
        return swapAxes(linear(X, weight(name), of * kDepth), n, of, kDepth);
      };
      Attention attention = causalSelfAttention(kHeads, kKeyHeads, n, kDepth);
      attention.visible = [&](int64_t, int64_t i, int64_t j) {
        return j <= i && (model.isFar(l) || i - j < kWindow);
      };
      if (model.isBiased) {
        attention.modify = [](double s, int64_t, int64_t i, int64_t j) {
          return s + 0.03 * double(i - j);
        };
        attention.sink = [&](int64_t h, int64_t) { return weight("sink")[h]; };
      }
      Numbers Z =
          attention(rope(project("q", kHeads), n, kDepth, 10000),
                    rope(project("k", kKeyHeads), n, kDepth, 10000), project("v", kKeyHeads));
      add(linear(swapAxes(Z, kHeads, n, kDepth), weight("o"), kWidth), "post_a");
    };
    auto widen = [&] {
      Numbers Y = rmsNorm(E, weight("ffn_norm"), 1e-5);
      Numbers gate = linear(Y, weight("gate"), kInner), up = linear(Y, weight("up"), kInner);
      for (size_t e = 0; e < gate.size(); ++e)
        gate[e] = gate[e] / (1 + std::exp(-gate[e])) * up[e];
      add(linear(gate, weight("down"), kWidth), "post_f");
    };
    if (model.isInnerFirst)
      widen();
    attend();
    if (!model.isInnerFirst)
      widen();
  }
  return linear(rmsNorm(E, weights["out_norm"], 1e-5), weights["embed"], kVocab);
}

/// The rows of `all` that are returned where the last `asked` of each piece are.
template <typename Number>
std::vector<Number> rowsAsked(const std::vector<Number> &all, int64_t piece, int64_t asked) {
  int64_t total = all.size() / kVocab;
  std::vector<Number> rows;
  for (int64_t begin = 0; begin < total; begin += piece) {
    int64_t end = std::min(begin + piece, total), first = std::max(begin, end - asked);
    rows.insert(rows.end(), all.begin() + first * kVocab, all.begin() + end * kVocab);
  }
  return rows;
}

/// Asks for one row, for some and for all, of a text fed at once and in pieces. With `flags`
/// "--invariant", a row must have the same bits whoever is asked for beside it.
void expectRows(const Model &model, const std::string &flags = "") {
  Weights weights = weightsOf(model);
  CompiledProgram program(programOf(model), &weights, CompiledProgram::Format::Gguf,
                          flags + " --precise");
  ASSERT_TRUE(program.ok());
  std::vector<int32_t> tokens = someTokens(83, kVocab);
  Numbers expected = logitsOf(model, weights, tokens);
  auto all = program.feed("logits", tokens, tokens.size());
  expectAllNear(all, expected, 1e-4, "all rows");
  for (int64_t piece : {83, 30, 1})
    for (int64_t asked : {1, 2, 7, 29}) {
      if (asked > piece)
        continue;
      std::string what = std::to_string(asked) + " of " + std::to_string(piece);
      auto found = program.feed("logits", tokens, piece, asked);
      expectAllNear(found, rowsAsked(expected, piece, asked), 1e-4, what.c_str());
      if (flags == "--invariant")
        for (size_t set = 0; set < all.size(); ++set)
          EXPECT_EQ(found[set], rowsAsked(all[set], piece, asked)) << what;
    }
}

bool isOdd(int64_t l) { return l % 2 == 1; }

} // namespace

TEST(UnaskedRows, OfALoop) { expectRows({}); }

TEST(UnaskedRows, OfBlocks) { expectRows({.storage = StorageType::Q8_0}); }

TEST(UnaskedRows, AreTheSameBits) {
  expectRows({}, "--invariant");
  expectRows({.layers = 4, .seesAll = "l % 2 == 1", .isFar = isOdd, .storage = StorageType::Q8_0},
             "--invariant");
}

// Residuals that are computed elsewhere; scores, masks and sinks that ask for the row's number.
TEST(UnaskedRows, OfNormsAndBiases) { expectRows({.hasPostNorm = true, .isBiased = true}); }

// A round has two layers, of which the last is narrowed; and one more after the loop.
TEST(UnaskedRows, OfPairs) {
  Model model{.layers = 4, .seesAll = "l % 2 == 1", .isFar = isOdd, .isBiased = true};
  expectRows(model);
  model.layers = 5;
  model.hasPostNorm = true;
  expectRows(model);
}

// A period ends with a loop of two layers, which is in the loop over periods.
TEST(UnaskedRows, OfLoopsInLoops) {
  expectRows({.layers = 6, .seesAll = "l % 3 == 0", .isFar = [](int64_t l) { return l % 3 == 0; }});
}

// Keys and values read all rows of what stands before attention.
TEST(UnaskedRows, OfAttentionAtTheEnd) {
  expectRows({.isInnerFirst = true});
  expectRows({.hasPostNorm = true, .isInnerFirst = true});
}

// The first loop is read whole by the second.
TEST(UnaskedRows, OfTwoLoops) { expectRows({.layers = 4, .splitAt = 2}); }

// A text of which nobody asks anything fills the caches.
TEST(UnaskedRows, OfNothing) {
  Model model{.storage = StorageType::Q8_0};
  Weights weights = weightsOf(model);
  CompiledProgram program(programOf(model), &weights, CompiledProgram::Format::Gguf, "--precise");
  ASSERT_TRUE(program.ok());
  std::vector<int32_t> tokens = someTokens(61, kVocab);
  Numbers expected = logitsOf(model, weights, tokens);
  heed_session *session = nullptr;
  ASSERT_EQ(heed_session_new(program.model(), 0, 0, &session), HEED_OK);
  std::vector<float> row(kVocab);
  ASSERT_EQ(heed_session_step(session, tokens.data(), 60, 0, nullptr), HEED_OK);
  ASSERT_EQ(heed_session_step(session, tokens.data() + 60, 1, 1, row.data()), HEED_OK);
  heed_session_free(session);
  expectNear(row, Numbers(expected.end() - kVocab, expected.end()), 1e-4, "the next row");
}
