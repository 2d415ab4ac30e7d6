//===- PrintProgram.cpp - the text of a random program --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomProgram.h"

#include <cctype>
#include <fmt/format.h>

using namespace heed::random_programs;

static bool isWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

/// Where `word` stands alone in `text` from `from` on, or npos.
static size_t findWord(const std::string &text, const std::string &word, size_t from = 0) {
  for (size_t at = text.find(word, from); at != std::string::npos; at = text.find(word, at + 1)) {
    bool begins = at == 0 || !isWordCharacter(text[at - 1]);
    size_t end = at + word.size();
    if (begins && (end == text.size() || !isWordCharacter(text[end])))
      return at;
  }
  return std::string::npos;
}

static std::string replaceWord(std::string text, const std::string &word, const std::string &by) {
  for (size_t at = findWord(text, word); at != std::string::npos;
       at = findWord(text, word, at + by.size()))
    text.replace(at, word.size(), by);
  return text;
}

/// From the scores S0 to the pattern A.
std::string RandomProgram::printPattern(const std::string &indent) const {
  std::string indices = form == Form::Batch ? "b, h, i, j" : hasHeads() ? "h, i, j" : "i, j";
  std::string text;
  for (size_t m = 0; m < modifiers.size(); ++m)
    text += fmt::format("{}S{}[{}] = {}\n", indent, m + 1, indices,
                        replaceWord(modifiers[m], "S", fmt::format("S{}[{}]", m, indices)));
  text += fmt::format("{}A[{}] = softmax[j] S{}[{}]", indent, indices, modifiers.size(), indices);
  if (hasMask)
    text += " where " + mask.print();
  if (!sink.empty())
    text += " with " + sink;
  return text + "\n";
}

std::string RandomProgram::printPlain() const {
  std::string b = form == Form::Batch ? "b, " : "", batch = form == Form::Batch ? "batch, " : "";
  std::string h = hasHeads() ? "h, " : "", g = !hasHeads() ? "" : group > 1 ? "h / group, " : "h, ";
  std::string keys = form == Form::Cross ? "m" : "n";
  std::string qHeads = hasHeads() ? "heads, " : "", kHeads = hasHeads() ? "key_heads, " : "";
  std::string body =
      fmt::format("  S0[{0}{1}i, j] = sum[c] q[{0}{1}i, c] * k[{0}{2}j, c] / sqrt(depth)\n", b, h,
                  g) +
      printPattern("  ") +
      fmt::format("  O[{0}{1}i, c] = sum[j] A[{0}{1}i, j] * v[{0}{2}j, c]\n  return O\n", b, h, g);

  std::string params =
      fmt::format("q: [{0}{1}n, depth], k: [{0}{2}{3}, depth], v: [{0}{2}{3}, width]", batch,
                  qHeads, kHeads, keys);
  const std::pair<std::string, std::string> others[] = {
      {"prefix", "int"},
      {"length", form == Form::Batch ? "int[batch]" : "int"},
      {"segment", "int[n]"},
      {"ask", "int[n]"},
      {"keep", "int[" + keys + "]"},
      {"col", "[" + keys + "]"},
      {"row", "[n]"},
      {"temperature", "[heads]"},
      {"bias", "[heads, 8]"},
      {"sink", "[heads]"}};
  for (const auto &[name, type] : others)
    if (findWord(body, name) != std::string::npos)
      params += ", " + name + ": " + type;
  return fmt::format("use std\nsize depth = {}, width = {}, key_heads = {}, group = {}\n"
                     "size heads = key_heads * group\nsize n{}{}\n"
                     "fn f({}) -> [{}{}n, width] {{\n{}}}\n",
                     depth, width, keyHeads, group, form == Form::Cross ? ", m" : "",
                     form == Form::Batch ? ", batch" : "", params, batch, qHeads, body);
}

std::string RandomProgram::printStep() const {
  const char *turn = rope == Rope::Pairs ? "rope" : rope == Rope::Halves ? "rope_half" : "";
  auto turned = [&](const std::string &x) {
    return *turn ? fmt::format("{}({}, 10000.0)", turn, x) : x;
  };
  auto normed = [&](const std::string &x, const char *weight) {
    return normalised ? fmt::format("rms_norm({}, {}, 1e-5)", x, weight) : x;
  };
  std::string g = group > 1 ? "h / group" : "h";
  std::string input = sharedKeys ? "X" : "E", layer = sharedKeys ? "" : "[l]";
  std::string keys, indent = sharedKeys ? "  " : "    ";
  if (latent)
    keys = fmt::format("    C[j, r] = sum[c] Wc[l][r, c] * E[j, c]\n"
                       "    K[g, j, k] = {}\n"
                       "    V[g, j, k] = sum[r] Wv[l][g, k, r] * C[j, r]\n",
                       turned(normed("sum[r] Wk[l][g, k, r] * C[j, r]", "k_norm")));
  else
    keys = fmt::format(
        "{0}K[g, j, k] = {1}\n{0}V[g, j, k] = sum[c] Wv{2}[g, k, c] * {3}[j, c]\n", indent,
        turned(normed(fmt::format("sum[c] Wk{}[g, k, c] * {}[j, c]", layer, input), "k_norm")),
        layer, input);
  std::string weighed = "Z[h, i, k] = sum[j] A[h, i, j] * V[" + g + ", j, k]";
  std::string pattern = printPattern("    ");
  std::string body = fmt::format(
      "  X[i, c] = embed[tokens[i], c]\n  E = X\n{}"
      "  for l in layers {{\n{}"
      "    Q[h, i, k] = {}\n"
      "    S0[h, i, j] = sum[k] Q[h, i, k] * K[{}, j, k] * ({:.6f} / sqrt(float(depth)))\n{}    "
      "{}\n{}"
      "    E[i, e] += sum[h, k] Wo[l][e, h, k] * {}[h, i, k]\n"
      "  }}\n"
      "  return linear(E, embed)\n",
      sharedKeys ? keys : "", sharedKeys ? "" : keys,
      turned(normed("sum[c] Wq[l][h, k, c] * E[i, c]", "q_norm")), g, scale, pattern, weighed,
      gated ? "    G[h, i, k] = sigmoid(sum[c] Wg[l][h, k, c] * E[i, c]) * Z[h, i, k]\n" : "",
      gated ? "G" : "Z");

  std::string shared = "  weight Wk : [key_heads, depth, d]\n  weight Wv : [key_heads, width, d]\n";
  std::string perLayer = "  weight Wq : [heads, depth, d]\n  weight Wo : [d, heads, width]\n";
  if (latent)
    perLayer += "  weight Wc : [narrow, d]\n  weight Wk : [key_heads, depth, narrow]\n"
                "  weight Wv : [key_heads, width, narrow]\n";
  else if (!sharedKeys)
    perLayer += shared;
  if (gated)
    perLayer += "  weight Wg : [heads, width, d]\n";
  std::string declarations = "weight embed : [vocab, d]\n";
  if (sharedKeys)
    declarations += shared;
  if (normalised)
    declarations += "weight q_norm, k_norm : [depth]\n";
  const std::pair<std::string, std::string> others[] = {
      {"temperature", "[heads]"}, {"bias", "[heads, 8]"}, {"sink", "[heads]"}};
  for (const auto &[name, type] : others)
    if (findWord(body, name) != std::string::npos)
      declarations += "weight " + name + " : " + type + "\n";
  return fmt::format("use std\nsize d = 32, narrow = 8, vocab = 40, layers = {}\n"
                     "size depth = {}, width = {}, key_heads = {}, group = {}\n"
                     "size heads = key_heads * group\nsize n <= 256\n{}per layer l {{\n{}}}\n"
                     "fn f(tokens: int[n]) -> [n, vocab] {{\n{}}}\n",
                     layers, depth, width, keyHeads, group, declarations, perLayer, body);
}

std::string RandomProgram::print() const { return form == Form::Step ? printStep() : printPlain(); }
