//===- SemaTest.cpp - what programs become --------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckText.h"

#include <gtest/gtest.h>

using namespace heed;
using test::checkText;

namespace {

void expectHas(const std::string &listing, const std::string &part) {
  EXPECT_NE(listing.find(part), std::string::npos) << "expected\n" << part << "\nin\n" << listing;
}

std::string inFunction(const std::string &body, const char *declarations = "") {
  return checkText(std::string("use std\nsize n <= 64, d = 4\n") + declarations +
                   "fn f(E: [n, d]) -> [n, d] {\n" + body + "\n  return E\n}\n");
}

} // namespace

TEST(Sema, SplitsNestedReductionsOff) {
  std::string listing = inFunction("  X[i, k] = E[i, k] / sum[c] E[i, c]");
  expectHas(listing, "  X.sum[i < n] = sum[c < 4] E[i, c]\n"
                     "  X[i < n, k < 4] = (E[i, k] / X.sum[i])\n");
}

TEST(Sema, HoistsTheOperandOfSoftmax) {
  std::string listing = inFunction("  A[i, c] = softmax[c] (2 * E[i, c]) where c <= i");
  expectHas(listing, "  A.scores[i < n, c < 4] = (2f * E[i, c])\n"
                     "  A[i < n, c < 4] = softmax[c] A.scores where (c <= i)\n");
}

TEST(Sema, SoftmaxInsideASum) {
  std::string listing = inFunction("  O[i] = sum[c] (softmax[c] E[i, c]) * E[i, c]");
  expectHas(listing, "  O.softmax[i < n, c < 4] = softmax[c] E\n"
                     "  O[i < n] = sum[c < 4] (O.softmax[i, c] * E[i, c])\n");
}

TEST(Sema, FoldsConstantsAndDecidesIf) {
  std::string listing = inFunction("  if group > 1 { X = float(3 / 2) * E } else { X = nonsense }\n"
                                   "  Y[i, c] = E[i, c] * (if d == 4 then 2 ** 3 else nonsense)",
                                   "size group = d / 2\n");
  expectHas(listing, "X[a0 < n, a1 < 4] = (1f * E[a0, a1])");
  expectHas(listing, "Y[i < n, c < 4] = (E[i, c] * 8f)");
}

TEST(Sema, ProvesIndexArithmeticOrClampsIt) {
  std::string listing = inFunction("  X[i, h < 8] = E[i, h / 2]\n"
                                   "  Y[i, k < d] = E[i, k + 1 - 2 * (k % 2)]\n"
                                   "  Z[i < n, k] = E[i + 1, k]\n"
                                   "  R[i < n, k] = E[n - 1 - i, k]");
  expectHas(listing, "E[i, (h / 2)]");
  expectHas(listing, "E[i, ((k + 1) - (2 * (k % 2)))]");
  expectHas(listing, "E[min((i + 1), (n - 1)), k]");
  expectHas(listing, "E[((n - 1) - i), k]");
}

TEST(Sema, ABoundedSizeFitsALongerAxis) {
  expectHas(inFunction("  X[i, c] = E[i, c] + P[i, c]", "weight P : [64, d]\n"), "+ P[i, c])");
  expectHas(inFunction("  X[i, c] = E[i, c] + P[i, c]", "weight P : [63, d]\n"), "E0303");
}

TEST(Sema, SharesWhatHeadsDoNotNeed) {
  std::string listing = checkText("use std\nsize n, heads = 2, dk = 4\n"
                                  "fn f(X: [heads, n, dk]) -> [heads, n, dk] {\n"
                                  "  Q[h, i, k] = rope(2 * X[h, i, k], 10000.0)\n  return Q\n}\n");
  expectHas(listing, "  Q.x[h < 2, i < n, k < 4] = (2f * X[h, i, k])\n");
  expectHas(listing, "  Q.c[i < n, k < 4] = cos(");
  expectHas(listing, "  Q[h < 2, i < n, k < 4] = ((Q.x[h, i, k] * Q.c[i, k]) + ");
}

TEST(Sema, CallsReadAtTheLeftSide) {
  std::string listing = inFunction("  Y[i, e] = linear(E[i, c], W)\n  Z[i, e] = 2 * linear(E, W)",
                                   "weight W : [8, d]\n");
  expectHas(listing, "  Y[i < n, e < 8] = sum[c < 4] (W[e, c] * E[i, c])\n");
  expectHas(listing, "  Z[i < n, e < 8] = (2f * Z.y[i, e])\n");
}

TEST(Sema, ACallsResultHasIndices) {
  const char *head = "use std\nsize n, heads = 2\nfn f(S: [heads, n, n]) -> [heads, n, n] {\n";
  std::string listing =
      checkText(std::string(head) + "  A[h, i, j] = softmax[j] alibi(S)[h, i, j] where j <= i\n"
                                    "  B[h, i, j] = 2 * alibi(A)[h, j, i] + (S + A)[h, i, j]\n"
                                    "  return B\n}\n");
  expectHas(listing, "  A[h < 2, i < n, j < n] = softmax[j] A.y where (j <= i)\n");
  expectHas(listing, "((2f * B.y[h, j, i]) + (S[h, i, j] + A[h, i, j]))");
  expectHas(
      checkText(std::string(head) + "  A[h, i, j] = alibi(S[h, i, j])[h, i, j]\n  return A\n}\n"),
      "`alibi` gives one number here");
}

TEST(Sema, ASinkHasTheOtherIndices) {
  const char *text = "size n, heads = 2\nweight z : [heads]\n"
                     "fn f(S: [heads, n, n], r: [heads, n]) -> [heads, n, n] {\n"
                     "  A[h, i, j] = softmax[j] S[h, i, j] where j <= i with z[h]\n"
                     "  B[h, i, j] = softmax[j] A[h, i, j] with r[h, i]\n  return B\n}\n";
  std::string listing = checkText(text);
  expectHas(listing, "  A.sink[h < 2, i < n] = z[h]\n");
  expectHas(listing, "  A[h < 2, i < n, j < n] = softmax[j] S where (j <= i) with A.sink\n");
  expectHas(listing, "  B[h < 2, i < n, j < n] = softmax[j] A with r\n");
}

TEST(Sema, ReadsDefaultsWhereKeysAreMissing) {
  expectHas(
      checkText(
          "size d = meta(\"a\") else meta(\"b\"), n\nfn f(E: [n, d]) -> [n, d] { return E }\n",
          "meta b = 7"),
      "fn f(E: float[n, 7])");
}

TEST(Sema, MatchesTensorNamesAndSplitsAxes) {
  std::string listing =
      checkText("size layers = 1\nper layer x {\n"
                "  weight Wk, Wv : [2, 3, 4] = \"b.{x}.{k,v}.{name}\" else \"spare\"\n}\n",
                "b.0.k.Wk Q8_0 6x4; spare F16 6x4");
  expectHas(listing, "weight Wk: Q8_0[2, 3, 4] = \"b.{l}.k.Wk\" else \"spare\" for l < 1\n");
  expectHas(listing, "weight Wv: F16[2, 3, 4] = \"b.{l}.v.Wv\" else \"spare\" for l < 1\n");
}

TEST(Sema, UsesOtherFilesAndExportsOnlyItsOwn) {
  std::string listing =
      checkText("use part\nuse part\nfn f(E: [m]) -> [m] { return twice(E) }\n", nullptr,
                {{"part.heed", "use test\nsize m\nfn twice(x) { return 2 * x }\n"
                               "fn g(E: [m]) -> [m] { return E }\n"}});
  expectHas(listing, "fn f(E: float[m])\n  size m\n  f[a0 < m] = (2f * E[a0])\n");
  EXPECT_EQ(listing.find("fn g"), std::string::npos);
}

TEST(Sema, OneMistakeGivesOneError) {
  std::string listing =
      inFunction("  X[i, c] = Nope[i, c]\n  Y = X + X\n  Z[i, c] = Y[i, c] * X[i, c]\n"
                 "  for l in 2 { E[i, c] += Z[i, c] }");
  expectHas(listing, "unknown name `Nope`");
  EXPECT_EQ(listing.find("error:", listing.find("error:") + 1), std::string::npos) << listing;
}

TEST(Sema, SaysWhereAFunctionWasCalled) {
  std::string listing = checkText("size n\nfn g(x: [m]) -> [m] { return x + nope }\n"
                                  "fn f(E: [n]) -> [n] { return g(E) + g(E) }\n");
  expectHas(listing, "note: in this call of `g`");
  EXPECT_EQ(listing.find("error:", listing.find("error:") + 1), std::string::npos) << listing;
}

TEST(Sema, SaysEveryCallOnTheWayToAMistake) {
  std::string listing =
      checkText("size n, d = 4\n"
                "fn product(q: [m, k], w: [k, l]) -> [m, l] {\n"
                "  y[i, e] = sum[c] q[i, c] * w[e, c]\n  return y\n}\n"
                "fn twice(x: [m, k], w: [k, l]) -> [m, l] { return 2 * product(x, w) }\n"
                "weight W : [d, 8]\n"
                "fn f(E: [n, d]) -> [n, 8] { return twice(E, W) }\n");
  expectHas(listing, "test.heed:3:35: error: `c` ranges over `d` = 4 in `q` but over 8 in `w`");
  expectHas(listing, "test.heed:6:55: note: in this call of `product`");
  expectHas(listing, "test.heed:8:36: note: in this call of `twice`");
}

TEST(Sema, NestedCallsStayBounded) {
  std::string text = "size n\nfn f0(x) { return x * x + x }\n";
  for (int i = 1; i < 300; ++i)
    text += "fn f" + std::to_string(i) + "(x) { return f" + std::to_string(i - 1) + "(x) + x }\n";
  text += "fn f(E: [n]) -> [n] { return f299(E) }\n";
  expectHas(checkText(text), "E0609");
}

TEST(Sema, AssertsParametersExactly) {
  const char *text =
      "size d = 12288, dk = 128, layers = 3\nsize n\n"
      "weight Wq, Wk : [dk, d]\n"
      "per layer l { weight Wo : [d, dk] = \"{l}.o\" }\n"
      "fn queries(E: [n, d]) -> [n, dk] {\n"
      "  Q[i, k] = sum[c] Wq[k, c] * E[i, c]\n  return Q\n}\n"
      "fn f(E: [n, d]) -> [n, d] {\n  Q = queries(E)\n"
      "  for l in layers { E[i, e] += sum[k] Wo[l][e, k] * Q[i, k] }\n  return E\n}\n"
      "assert params(Wq) == 1_572_864\n"
      "assert params(Wo) == layers * dk * d; assert params(Wo) / layers == params(Wq)\n"
      "assert params(f) == params(Wq) + params(Wo)\n"
      "assert params(f) < 6.3 M\nassert params(f) <= 6_291.456 K\n"
      "assert params(f) != 6.291_455 M\nassert 0.007G >= params(f)\n"
      "assert params(f) == 6 MiB\nassert 6144KiB == params(f)\n"
      "assert params(f) > 1e-3 GiB\n";
  std::string listing = checkText(text);
  EXPECT_EQ(listing.find("error:"), std::string::npos) << listing;
}

TEST(Sema, CountsTiedWeightsOnce) {
  const char *text = "size n, d = 4, vocab = 32\n"
                     "weight embed : [vocab, d]\nweight unembed : [vocab, d] = \"out\" else embed\n"
                     "fn f(t: int[n]) -> [n, vocab] {\n  E[i, c] = embed[t[i], c]\n"
                     "  L[i, v] = sum[c] unembed[v, c] * E[i, c]\n  return L\n}\n"
                     "assert params(unembed) == 128\nassert params(f) == ";
  for (auto [header, count] :
       {std::pair{"embed F16 32x4", "128\n"}, std::pair{"embed F16 32x4; out F16 32x4", "256\n"}}) {
    std::string listing = checkText(std::string(text) + count, header);
    EXPECT_EQ(listing.find("error:"), std::string::npos) << listing;
  }
}

TEST(Sema, SaysWhatAnAssertionFound) {
  std::string listing = checkText("weight W : [128, 12288]\nassert params(W)  ==  1_572_865\n"
                                  "assert -params(W) > 0.5\n");
  expectHas(listing,
            "test.heed:2:8: error: `params(W) == 1_572_865` doesn't hold: the left side is "
            "1,572,864, the right side 1,572,865");
  expectHas(listing, "the left side is -1,572,864, the right side 0.5");
}

TEST(Sema, LeavesAssertionsOnTheCacheToTheCompiler) {
  std::string listing = checkText("size n\nfn f(E: [n]) -> [n] { return E }\n"
                                  "assert bytes_per_token(kv) <=\n  24 KiB\n");
  expectHas(listing, "assert bytes_per_token(kv) <= 24 KiB\n");
}

TEST(Sema, AFunctionWithErrorsHasNoCost) {
  std::string listing = inFunction("  X[i, c] = Nope[i, c]", "assert params(f) == 1\n");
  EXPECT_EQ(listing.find("error:", listing.find("error:") + 1), std::string::npos) << listing;
}
