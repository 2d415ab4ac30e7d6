//===- WordPieceTest.cpp - words, and their longest pieces ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BertWords.h"
#include "FolderTokenizer.h"
#include "SmallVocabulary.h"

#include <gtest/gtest.h>

using namespace heed;
using Ids = std::vector<int32_t>;
using Words = std::vector<std::string>;

static Words words(std::string_view text, BertRules rules = {}) {
  Words found;
  forEachBertWord(text, rules, [&](std::string_view word, size_t) { found.emplace_back(word); });
  return found;
}

TEST(BertWords, EndAtSpaceAndPunctuation) {
  EXPECT_EQ(words("don't  stop.\tNow\n(a+b)"),
            (Words{"don", "'", "t", "stop", ".", "now", "(", "a", "+", "b", ")"}));
  EXPECT_EQ(words("a\u00A0b\u2003c\u3000d"), (Words{"a", "b", "c", "d"}));
  EXPECT_EQ(words("«x»…"), (Words{"«", "x", "»", "…"}));
  EXPECT_EQ(words(" \t\n"), Words());
}

TEST(BertWords, LoseCaseAndAccents) {
  EXPECT_EQ(words("Élan İSTANBUL Ångström ŁÓDŹ"), (Words{"elan", "istanbul", "angstrom", "łodz"}));
  EXPECT_EQ(words("Élan", {.lowerCase = false, .stripAccents = false}), Words{"Élan"});
  EXPECT_EQ(words("Éİ", {.lowerCase = true, .stripAccents = false}), Words{"éi\u0307"});
  EXPECT_EQ(words("한"), Words{"\u1112\u1161\u11AB"});
}

TEST(BertWords, IdeographsStandAlone) {
  EXPECT_EQ(words("ab漢字c仮名"), (Words{"ab", "漢", "字", "c", "仮", "名"}));
  EXPECT_EQ(words("カナ"), Words{"カナ"});
  EXPECT_EQ(words("漢字", {.spaceIdeographs = false}), Words{"漢字"});
}

TEST(BertWords, LeaveOutWhatIsNoText) {
  EXPECT_EQ(words(std::string_view("a\0b\x01\u200Bc\uFFFD\uFEFF", 14)), Words{"abc"});
  EXPECT_EQ(words("a\xFF\x62\xC3"), Words{"ab"});
  EXPECT_EQ(words("\u0301"), Words()); // an accent on nothing
}

TEST(BertWords, LongRunsOfMarksTakeLittleTime) {
  std::string text = "a";
  for (int i = 0; i < 100000; ++i)
    text += i % 2 ? "\u0316" : "\u0301"; // of different classes
  EXPECT_EQ(words(text), Words{"a"});
}

namespace {

/// [UNK] 0, [CLS] 1, [SEP] 2, then the lines of a vocab.txt.
TokenizerSpec vocabulary(const std::string &lines) {
  TokenizerSpec spec = parseVocabulary("[UNK]\n[CLS]\n[SEP]\n" + lines);
  for (int id = 0; id < 3; ++id)
    spec.types[id] = int32_t(TokenType::Control);
  spec.unk = 0;
  spec.bos = 1;
  spec.eos = 2;
  spec.addBos = spec.addEos = true;
  return spec;
}

Ids encode(const TokenizerSpec &spec, std::string_view text) {
  auto tokenizer = Tokenizer::create(spec);
  EXPECT_TRUE(tokenizer) << tokenizer.message();
  auto ids = tokenizer->encode(text);
  EXPECT_TRUE(ids) << ids.message();
  return *ids;
}

} // namespace

TEST(WordPiece, TakesTheLongestPiece) {
  TokenizerSpec spec = vocabulary("un\nunder\n##stand\n##s\n##tand\n##der\nd");
  EXPECT_EQ(encode(spec, "Understands under d"), (Ids{1, 4, 5, 6, 4, 9, 2}));
  EXPECT_EQ(encode(spec, ""), (Ids{1, 2}));
}

TEST(WordPiece, AWordWithoutPiecesIsUnknown) {
  TokenizerSpec spec = vocabulary("a\n##b\n##a");
  EXPECT_EQ(encode(spec, "ab abc b a"), (Ids{1, 3, 4, 0, 0, 3, 2}));
  // A longer word is unknown though its pieces are there; so are 101 characters of two bytes.
  EXPECT_EQ(encode(spec, std::string(100, 'a')).size(), 102u);
  EXPECT_EQ(encode(spec, std::string(101, 'a')), (Ids{1, 0, 2}));
}

TEST(WordPiece, SpecialTokensCountAsSuch) {
  TokenizerSpec spec = vocabulary("a\n[\n]\nsep");
  EXPECT_EQ(encode(spec, "a[SEP]a"), (Ids{1, 3, 2, 3, 2}));
  EXPECT_EQ(encode(spec, "[sep]"), (Ids{1, 4, 6, 5, 2}));
}

TEST(WordPiece, DecodesWithSpaces) {
  auto tokenizer = Tokenizer::create(vocabulary("under\n##stand\n."));
  ASSERT_TRUE(tokenizer) << tokenizer.message();
  EXPECT_EQ(tokenizer->decode(Ids{3, 4, 5}), " understand .");
}

TEST(WordPiece, ReadsBothSpellings) {
  TokenizerSpec spec = vocabulary("▁a\n▁un\nder\n##s");
  spec.model = "bert";
  EXPECT_EQ(encode(spec, "Under a"), (Ids{1, 4, 5, 3, 2}));
  EXPECT_EQ(encode(spec, "s"), (Ids{1, 0, 2})); // no mark of GGUF's
  auto tokenizer = Tokenizer::create(spec);
  EXPECT_EQ(tokenizer->decode(Ids{4, 5}), " under");
}

TEST(WordPiece, IsUntrusted) {
  TokenizerSpec spec = vocabulary("a");
  spec.unk = -1;
  EXPECT_EQ(Tokenizer::create(spec).message(),
            "the tokenizer has no unknown token, which stands for words without pieces");
  spec.unk = 4;
  EXPECT_EQ(Tokenizer::create(spec).message(),
            "the unknown token's id 4 is outside the vocabulary of 4 tokens");
  EXPECT_EQ(Tokenizer::create(vocabulary("a\na")).message(), "tokens 3 and 4 are both 'a'");
  // Empty pieces, and one that begins in the middle of a character.
  EXPECT_EQ(encode(vocabulary("\n##\n\n\xC3\n##\xA9\nx"), "é x ##"), (Ids{1, 0, 8, 0, 0, 2}));
}
