//===- SentencePieceTest.cpp - merges by score, bytes where none is left --===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallVocabulary.h"
#include "heed/Text/StreamDecoder.h"

#include <gtest/gtest.h>
#include <limits>

using namespace heed;
using Ids = std::vector<int32_t>;

namespace {

/// <unk> 0, <s> 1, </s> 2, then what a test adds, each with a score.
class Vocabulary {
public:
  TokenizerSpec spec;

  Vocabulary() {
    spec.model = "llama";
    special("<unk>", TokenType::Unknown);
    special("<s>", TokenType::Control);
    special("</s>", TokenType::Control);
    spec.unk = 0;
    spec.bos = 1;
    spec.eos = 2;
  }
  int32_t add(const std::string &text, float score, TokenType type = TokenType::Normal) {
    spec.scores.push_back(score);
    return addToken(spec, text, type);
  }
  int32_t special(const std::string &text, TokenType type) { return add(text, -1000, type); }
  /// <0x00> to <0xFF>; the id of the first.
  int32_t addBytes() {
    int32_t first = int32_t(spec.tokens.size());
    for (int byte = 0; byte < 256; ++byte) {
      constexpr char Digits[] = "0123456789ABCDEF";
      add(std::string("<0x") + Digits[byte / 16] + Digits[byte % 16] + ">", 0, TokenType::Byte);
    }
    return first;
  }

  Tokenizer make() const {
    auto tokenizer = Tokenizer::create(spec);
    EXPECT_TRUE(tokenizer) << tokenizer.message();
    return *tokenizer;
  }
  Ids encode(std::string_view text, EncodeOptions options = {}) const {
    auto ids = make().encode(text, options);
    EXPECT_TRUE(ids) << ids.message();
    return ids ? *ids : Ids();
  }
  std::string error() const {
    auto tokenizer = Tokenizer::create(spec);
    return tokenizer ? "no error" : tokenizer.message();
  }
};

} // namespace

TEST(SentencePiece, MergesTheHighestScoreFirst) {
  Vocabulary v;
  int32_t a = v.add("a", -9), b = v.add("b", -9), c = v.add("c", -9);
  int32_t ab = v.add("ab", -2), bc = v.add("bc", -1);
  EXPECT_EQ(v.encode("abc"), (Ids{a, bc}));
  EXPECT_EQ(v.encode("abab"), (Ids{ab, ab}));
  EXPECT_EQ(v.encode("cba"), (Ids{c, b, a}));
}

TEST(SentencePiece, MergesTheLeftmostOfEqualScores) {
  Vocabulary v;
  int32_t a = v.add("a", -9), aa = v.add("aa", -1), aaa = v.add("aaa", -1);
  EXPECT_EQ(v.encode("aaaa"), (Ids{aaa, a}));
  EXPECT_EQ(v.encode("aa"), (Ids{aa}));
}

TEST(SentencePiece, MergesOnlyThroughTokens) {
  Vocabulary v;
  int32_t a = v.add("a", -9), b = v.add("b", -9), c = v.add("c", -9);
  v.add("abc", -1); // neither ab nor bc is a token
  EXPECT_EQ(v.encode("abc"), (Ids{a, b, c}));
}

TEST(SentencePiece, SpacesAreLetters) {
  Vocabulary v;
  int32_t space = v.add("▁", -9), a = v.add("a", -9), word = v.add("▁a", -1);
  EXPECT_EQ(v.encode("a a  a"), (Ids{a, word, space, word}));
  v.spec.addSpacePrefix = true;
  EXPECT_EQ(v.encode("a"), (Ids{word}));
  EXPECT_EQ(v.encode(" a"), (Ids{space, word}));
  EXPECT_EQ(v.encode("a<s>a"), (Ids{word, 1, word}));
  EXPECT_EQ(v.encode(""), Ids());
  EXPECT_EQ(v.make().decode(Ids{word, space, a}), " a a");
}

TEST(SentencePiece, BeginsAndEndsAsTheFileSays) {
  Vocabulary v;
  int32_t a = v.add("a", -9);
  v.spec.addBos = v.spec.addEos = true;
  EXPECT_EQ(v.encode("a"), (Ids{1, a, 2}));
  EXPECT_EQ(v.encode("", {.addEos = false}), (Ids{1}));
}

TEST(SentencePiece, FallsBackToBytes) {
  Vocabulary v;
  int32_t bytes = v.addBytes(), e = v.add("é", -9);
  EXPECT_EQ(v.encode("éñ\n"), (Ids{e, bytes + 0xC3, bytes + 0xB1, bytes + '\n'}));
  // Bytes that are no UTF-8 come back as well, and a byte's name is text.
  for (const char *text : {"caf\xC3", "\xF0\x9F\x98", "\xFF\x80 x", "<0x0A>", "ñ 🙂"})
    EXPECT_EQ(v.make().decode(v.encode(text)), text);
}

TEST(SentencePiece, BytesStreamAsCharacters) {
  Vocabulary v;
  v.addBytes();
  Tokenizer tokenizer = v.make();
  StreamDecoder decoder;
  std::vector<std::string> parts;
  for (int32_t id : v.encode("é🙂"))
    parts.push_back(decoder.push(tokenizer.decode(id)));
  EXPECT_EQ(parts, (std::vector<std::string>{"", "é", "", "", "", "🙂"}));
  EXPECT_EQ(decoder.flush(), "");
}

TEST(SentencePiece, OneUnknownTokenForACharacterWithoutBytes) {
  Vocabulary v;
  int32_t a = v.add("a", -9);
  EXPECT_EQ(v.encode("a🙂a"), (Ids{a, 0, a}));
  v.spec.types[0] = int32_t(TokenType::Control);
  EXPECT_EQ(v.make().encode("🙂").message(),
            "the text has a byte 0xf0, for which this vocabulary has no token; remove it from the "
            "text");
}

TEST(SentencePiece, PlainTextNeverBecomesAControlToken) {
  Vocabulary v;
  v.addBytes();
  for (const char *part : {"<", "s", ">", "<s"})
    v.add(part, -1);
  Ids plain = v.encode("<s>", {.parseSpecial = false});
  EXPECT_EQ(plain.size(), 2u);
  EXPECT_EQ(v.encode("<s>"), (Ids{1}));
  int32_t tag = v.special("<b>", TokenType::UserDefined);
  EXPECT_EQ(v.encode("<b>", {.parseSpecial = false}), (Ids{tag}));
}

TEST(SentencePiece, LongTextsTakeLittleTime) {
  Vocabulary v;
  v.addBytes();
  std::string run = "a";
  for (int power = 0; power < 12; ++power, run += run)
    v.add(run, -1.0f - power);
  std::string text(1 << 20, 'a');
  Ids ids = v.encode(text);
  EXPECT_EQ(ids.size(), text.size() / 2048);
  EXPECT_EQ(v.make().decode(ids), text);
}

TEST(SentencePiece, RefusesWrongScores) {
  Vocabulary v;
  v.spec.scores[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(v.error(), "the score of token 1 is not a number");
  v.spec.scores[1] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(v.error(), "no error");
  v.spec.scores.pop_back();
  EXPECT_EQ(v.error(), "the tokenizer has 3 tokens but 2 scores");
  v.spec.scores.clear();
  EXPECT_EQ(v.error(), "the tokenizer has no scores, by which a 'llama' tokenizer merges tokens");
}

TEST(SentencePiece, RefusesWrongTokens) {
  Vocabulary v;
  v.add("<0x-1>", 0, TokenType::Byte);
  EXPECT_EQ(v.error(), "byte token 3 is '<0x-1>'; expected '<0x' with two hexadecimal digits and "
                       "'>'");
  Vocabulary small;
  small.spec.eos = 3;
  EXPECT_EQ(small.error(), "the end token's id 3 is outside the vocabulary of 3 tokens");
  // Empty tokens pad some files.
  Vocabulary padded;
  int32_t a = padded.add("a", -1);
  padded.add("", -1);
  padded.add("", -1);
  EXPECT_EQ(padded.encode("aa"), (Ids{a, a}));
}
