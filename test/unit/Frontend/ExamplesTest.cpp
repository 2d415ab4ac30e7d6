//===- ExamplesTest.cpp - the examples are right --------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckText.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace heed;

namespace {

std::string check(const char *name, const char *header = nullptr) {
  return test::checkText(test::readFile(std::string(HEED_EXAMPLES_DIR) + "/" + name), header);
}

void expectLine(const std::string &listing, const std::string &line) {
  EXPECT_NE(("\n" + listing).find("\n" + line + "\n"), std::string::npos) << "expected the line\n"
                                                                          << line << "\nin\n"
                                                                          << listing;
}

} // namespace

TEST(Examples, SingleHeadReadsAsTheFormulas) {
  std::string listing = check("single_head.heed");
  expectLine(listing, "  Q[i < n, k < 128] = sum[c < 12288] (Wq[k, c] * E[i, c])");
  expectLine(listing, "  S[i < n, j < n] = sum[k < 128] ((Q[i, k] * K[j, k]) / 11.3137085f)");
  expectLine(listing, "  A[i < n, j < n] = softmax[j] S where (j <= i)");
  expectLine(listing,
             "  dE[i < n, e < 12288] = sum[k < 128, j < n] ((Vup[e, k] * A[i, j]) * V[j, k])");
  expectLine(listing, "  return head: float[n, 12288]");
}

TEST(Examples, MultiHeadSumsTheUpdatesOfAllHeads) {
  expectLine(check("multi_head.heed"), "  dE[i < n, e < 12288] = sum[h < 96, k < 128, j < n] "
                                       "((Vup[h, e, k] * A[h, i, j]) * V[h, j, k])");
}

TEST(Examples, LlamaIsSizedByItsWeights) {
  std::string listing = check("llama.heed", test::kLlamaHeader);
  expectLine(listing,
             "weight unembed: Q8_0[256, 64] = \"output.weight\" else \"token_embd.weight\"");
  expectLine(listing, "weight Wv: Q4_1[2, 16, 64] = \"blk.{l}.attn_v.weight\" for l < 2");
  expectLine(listing, "  size n <= 128");
  expectLine(listing, "  for l < 2");
  expectLine(listing, "    carry E'1 = E");
  expectLine(listing, "    Q.c[i < n, k < 16] = cos((float(i) * Q.freq[k]))");
  expectLine(listing,
             "    S[h < 4, i < n, j < n] = sum[k < 16] ((Q[h, i, k] * K[(h / 2), j, k]) / 4f)");
  expectLine(listing, "  return logits: float[n, 256]");
}

TEST(Examples, LlamaHasTheSameListingForAnyDepth) {
  std::string shallow = check("llama.heed", test::kLlamaHeader);
  std::string header = test::kLlamaHeader;
  for (size_t at; (at = header.find("{0..1}")) != std::string::npos;)
    header.replace(at, 6, "{0..59}");
  header.replace(header.find("block_count = 2"), 15, "block_count = 60");
  std::string deep = check("llama.heed", header.c_str());
  EXPECT_EQ(std::count(shallow.begin(), shallow.end(), '\n'),
            std::count(deep.begin(), deep.end(), '\n'));
}

TEST(Examples, Gpt2SplitsItsFusedMatrix) {
  std::string listing = check("gpt2.heed", test::kGpt2Header);
  expectLine(listing, "    V.sum[h < 4, j < n, k < 16] = sum[c < 64] "
                      "(Wqkv[l][((128 + (h * 16)) + k), c] * X[j, c])");
  EXPECT_NE(listing.find("+ wpe[i, c])"), std::string::npos) << listing;
}

TEST(Examples, Gemma3ChoosesByTheLayer) {
  std::string listing = check("gemma3.heed", test::kGemma3Header);
  expectLine(listing, "weight down: Q4_K|Q6_K[64, 256] = \"blk.{l}.ffn_down.weight\" for l < 2");
  expectLine(listing, "    A[h < 4, i < n, j < n] = softmax[j] S where ((j <= i) && "
                      "(((l % 6) == 5) || ((i - j) < 8)))");
}

TEST(Examples, StarterNeedsNoWeights) {
  expectLine(check("starter.heed"), "  A[i < n, j < n] = softmax[j] S where (j <= i)");
}

TEST(Examples, PrefixLmTakesTheLengthOfItsQuestion) {
  std::string listing = check("prefix_lm.heed");
  expectLine(listing, "  A[h < 4, i < n, j < n] = softmax[j] S where ((j < prefix) || (j <= i))");
}

TEST(Examples, DocumentComparesNumbersOfRows) {
  std::string listing = check("document.heed");
  expectLine(listing, "  A[h < 4, i < n, j < n] = softmax[j] S where ((j <= i) && (segment[i] == "
                      "segment[j]))");
}

TEST(Examples, LatentAttentionAddsTwoScores) {
  std::string listing = check("mla.heed");
  expectLine(listing, "    K[h < 16, j < n, k < 128] = sum[c < 512] (Wuk[l][h, k, c] * C[j, c])");
  EXPECT_NE(listing.find("bytes_per_token(kv)"), std::string::npos) << listing;
}

TEST(Examples, CrossAttentionHasThreeSizesOfItsCallers) {
  std::string listing = check("cross.heed");
  expectLine(listing, "  size n <= 4096");
  expectLine(listing, "  size m <= 65536");
  expectLine(listing, "  A[s < b, h < 8, i < n, j < m] = softmax[j] S where (j < length[s])");
}
