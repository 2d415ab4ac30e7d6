//===- PreTokenizerTest.cpp - where texts are cut -------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PreTokenizer.h"

#include <gtest/gtest.h>
#include <string>

using namespace heed;

/// The pieces of `text`, joined by bars.
static std::string cut(std::string_view pre, std::string_view text) {
  auto preTokenizer = PreTokenizer::create(pre);
  if (!preTokenizer)
    return preTokenizer.message();
  std::vector<std::string_view> pieces;
  PreTokenizer::Splitter splitter(*preTokenizer);
  if (auto done = splitter.split(text, pieces); !done)
    return done.message();
  std::string joined;
  for (std::string_view piece : pieces)
    (joined += joined.empty() ? "" : "|") += piece;
  return joined;
}

TEST(PreTokenizer, Gpt2) {
  EXPECT_EQ(cut("gpt-2", "I'll can't 'S"), "I|'ll| can|'t| '|S");
  EXPECT_EQ(cut("gpt-2", "a  b   12345  "), "a| | b|  | 12345|  ");
  EXPECT_EQ(cut("gpt-2", "x\n\n y\n"), "x|\n\n| y|\n");
  EXPECT_EQ(cut("gpt-2", "f(x)!= 3;"), "f|(|x|)!=| 3|;");
  EXPECT_EQ(cut("gpt-2", "na\xC3\xAFve \xE4\xB8\xAD\xE6\x96\x87"),
            "na\xC3\xAFve| \xE4\xB8\xAD\xE6\x96\x87");
}

TEST(PreTokenizer, SmollmCutsEveryDigit) {
  EXPECT_EQ(cut("smollm", "a 123 b"), "a| |1|2|3| b");
  // Before a digit all spaces stay together; before a word the last one joins it.
  EXPECT_EQ(cut("smollm", "a   1   b"), "a|   |1|  | b");
  EXPECT_EQ(cut("smollm", "x\xC2\xB2y"), "x|\xC2\xB2|y");
  EXPECT_EQ(cut("smollm", "it's 9's"), "it|'s| |9|'s");
}

TEST(PreTokenizer, LlamaCutsThreeDigits) {
  EXPECT_EQ(cut("llama-bpe", "I'LL 1234567"), "I|'LL| |123|456|7");
  EXPECT_EQ(cut("llama-bpe", "a.b \n\n c!!\n\nd"), "a|.b| \n\n| c|!!\n\n|d");
  EXPECT_EQ(cut("llama-bpe", "\tx   y"), "\tx|  | y");
}

TEST(PreTokenizer, Qwen2CutsEveryDigit) {
  EXPECT_EQ(cut("qwen2", "I'LL 123"), "I|'LL| |1|2|3");
  EXPECT_EQ(cut("qwen2", "a\r\n\r\nb"), "a|\r\n\r\n|b");
}

TEST(PreTokenizer, CountsSpacesAsUnicodeDoes) {
  // U+180E was a space until Unicode 6.3; U+3000 is one.
  EXPECT_EQ(cut("gpt-2", "a\xE1\xA0\x8E"
                         "b"),
            "a|\xE1\xA0\x8E|b");
  EXPECT_EQ(cut("gpt-2", "a\xE3\x80\x80"
                         "b"),
            "a|\xE3\x80\x80|b");
  EXPECT_EQ(cut("gpt-2", "a\xE3\x80\x80 b"), "a|\xE3\x80\x80| b");
  EXPECT_EQ(cut("gpt-2", " \x1C"), " \x1C");
}

TEST(PreTokenizer, CutsOutWrongBytes) {
  EXPECT_EQ(cut("gpt-2", "ab\xFF\xFF  c"), "ab|\xFF|\xFF| | c");
  EXPECT_EQ(cut("gpt-2", "a\xE4\xB8"), "a|\xE4|\xB8");
}

TEST(PreTokenizer, NothingGivesNothing) { EXPECT_EQ(cut("gpt-2", ""), ""); }
