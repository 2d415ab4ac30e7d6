//===- TokenizerTest.cpp - encoding and decoding --------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallVocabulary.h"
#include "Utf8.h"

#include <gtest/gtest.h>

using namespace heed;
using Ids = std::vector<int32_t>;

static Tokenizer make(TokenizerSpec spec) {
  auto tokenizer = Tokenizer::create(std::move(spec));
  EXPECT_TRUE(tokenizer) << tokenizer.message();
  return *tokenizer;
}

static Ids encode(const Tokenizer &tokenizer, std::string_view text, EncodeOptions options = {}) {
  auto ids = tokenizer.encode(text, options);
  EXPECT_TRUE(ids) << ids.message();
  return ids ? *ids : Ids();
}

TEST(Tokenizer, MergesTheLowestRankFirst) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  int32_t bc = addMerge(spec, "b", "c");
  int32_t ab = addMerge(spec, "a", "b");
  Tokenizer tokenizer = make(spec);
  EXPECT_EQ(encode(tokenizer, "abc"), (Ids{'a', bc}));
  EXPECT_EQ(encode(tokenizer, "ab"), (Ids{ab}));
}

TEST(Tokenizer, MergesTheLeftmostOfEqualRanks) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  int32_t aa = addMerge(spec, "a", "a");
  EXPECT_EQ(encode(make(spec), "aaaaa"), (Ids{aa, aa, 'a'}));
}

TEST(Tokenizer, KeepsTheFirstRankOfARepeatedMerge) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  int32_t ab = addMerge(spec, "a", "b");
  addMerge(spec, "b", "c");
  spec.merges.push_back("a b");
  EXPECT_EQ(encode(make(spec), "abc"), (Ids{ab, 'c'}));
}

TEST(Tokenizer, TakesWholePiecesOnlyForLlama) {
  for (const char *pre : {"llama-bpe", "gpt-2"}) {
    TokenizerSpec spec = byteVocabulary(pre);
    int32_t whole = addToken(spec, "abc");
    Ids expected = pre == std::string("gpt-2") ? Ids{'a', 'b', 'c'} : Ids{whole};
    EXPECT_EQ(encode(make(spec), "abc"), expected) << pre;
  }
}

TEST(Tokenizer, FindsTheLongestSpecialToken) {
  TokenizerSpec spec = byteVocabulary("smollm");
  int32_t shorter = addToken(spec, "<|a", TokenType::Control);
  int32_t longer = addToken(spec, "<|a|>", TokenType::Control);
  int32_t user = addToken(spec, "<u>", TokenType::UserDefined);
  Tokenizer tokenizer = make(spec);
  EXPECT_EQ(encode(tokenizer, "x<|a|><|a|y<u><|"),
            (Ids{'x', longer, shorter, '|', 'y', user, '<', '|'}));
  EXPECT_EQ(encode(tokenizer, "<|a<u>", {.parseSpecial = false}), (Ids{'<', '|', 'a', user}));
  EXPECT_TRUE(tokenizer.isControl(longer));
  EXPECT_FALSE(tokenizer.isControl(user));
}

TEST(Tokenizer, AddsBeginningAndEndAsAsked) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  EXPECT_EQ(make(spec).encode("a", {.addBos = true}).message(),
            "a beginning token is asked for, but this vocabulary has none");
  spec.bos = addToken(spec, "<s>", TokenType::Control);
  spec.eos = addToken(spec, "</s>", TokenType::Control);
  spec.addBos = true;
  int32_t bos = int32_t(spec.bos);
  int32_t eos = int32_t(spec.eos);
  Tokenizer tokenizer = make(spec);
  EXPECT_EQ(encode(tokenizer, "a"), (Ids{bos, 'a'}));
  EXPECT_EQ(encode(tokenizer, ""), (Ids{bos}));
  EXPECT_EQ(encode(tokenizer, "a", {.addBos = false, .addEos = true}), (Ids{'a', eos}));
}

TEST(Tokenizer, PrefixesASpaceOnlyWhereThereIsNone) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  spec.addSpacePrefix = true;
  int32_t special = addToken(spec, "<s>", TokenType::Control);
  Tokenizer tokenizer = make(spec);
  EXPECT_EQ(encode(tokenizer, "a"), (Ids{' ', 'a'}));
  EXPECT_EQ(encode(tokenizer, " a"), (Ids{' ', 'a'}));
  EXPECT_EQ(encode(tokenizer, "<s>a"), (Ids{special, 'a'}));
  EXPECT_EQ(encode(tokenizer, ""), Ids());
}

TEST(Tokenizer, KnowsWhatEndsAText) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  spec.eos = addToken(spec, "</s>", TokenType::Control);
  spec.eot = addToken(spec, "</turn>", TokenType::Control);
  int32_t known = addToken(spec, "<|eot_id|>", TokenType::Control);
  int32_t spelled = addToken(spec, "<|im_end|>", TokenType::UserDefined);
  Tokenizer tokenizer = make(spec);
  for (int64_t id : {spec.eos, spec.eot, int64_t(known)})
    EXPECT_TRUE(tokenizer.isEnd(int32_t(id))) << id;
  for (int32_t id : {int32_t('a'), spelled, -1, tokenizer.size()})
    EXPECT_FALSE(tokenizer.isEnd(id)) << id;
}

TEST(Tokenizer, DecodesEachKindOfToken) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  int32_t word = addToken(spec, spellBytes(" \xC3\xA9"));
  int32_t control = addToken(spec, "<|\xC4\xA0|>", TokenType::Control);
  int32_t plain = addToken(spec, "two words");
  int32_t empty = addToken(spec, "");
  addToken(spec, "");
  Tokenizer tokenizer = make(spec);
  EXPECT_EQ(tokenizer.decode(word), " \xC3\xA9");
  EXPECT_EQ(tokenizer.decode(control), "<|\xC4\xA0|>");
  EXPECT_EQ(tokenizer.decode(plain), "two words");
  EXPECT_EQ(tokenizer.decode(empty), "");
  EXPECT_EQ(tokenizer.decode(-1), "");
  EXPECT_EQ(tokenizer.decode(tokenizer.size()), "");
  EXPECT_EQ(tokenizer.decode(Ids{word, 'x', -5}), " \xC3\xA9x");
  EXPECT_EQ(tokenizer.find("two words"), plain);
  EXPECT_EQ(tokenizer.find(""), -1);
}

TEST(Tokenizer, UsesByteTokensWhereTheAlphabetLacksOne) {
  TokenizerSpec spec;
  spec.model = "gpt2";
  spec.pre = "gpt-2";
  spec.tokens = {"a", "<0x41>", "<0xfF>"};
  spec.types = {1, 6, 6};
  Tokenizer tokenizer = make(spec);
  EXPECT_EQ(encode(tokenizer, "aA\xFF"), (Ids{0, 1, 2}));
  EXPECT_EQ(tokenizer.decode(2), "\xFF");
}

TEST(Tokenizer, RefusesAByteThatHasNoToken) {
  TokenizerSpec spec;
  spec.model = "gpt2";
  spec.pre = "gpt-2";
  spec.tokens = {"a", "<unk>"};
  spec.types = {1, 3};
  spec.unk = 1;
  // A control token never stands in for text: here it could end a prompt.
  EXPECT_EQ(make(spec).encode("a\x01").message(),
            "the text has a byte 0x01, for which this vocabulary has no token; remove it from the "
            "text");
  spec.types = {1, 2};
  EXPECT_EQ(encode(make(spec), "a\x01"), (Ids{0, 1}));
}

TEST(Tokenizer, BringsBackEveryByteString) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte)
    all += char(byte);
  const std::string texts[] = {all,
                               all + all,
                               "\xF0\x9F\x98",
                               "a\xC3(\xED\xA0\x80\xC0\xAF\xFF z",
                               std::string("\0\0 \0", 4),
                               "\xE4\xB8\xAD\xE6\x96\x87 123456 \r\n\n\t  x",
                               " "};
  for (std::string_view pre : supportedPreTokenizers()) {
    TokenizerSpec spec = byteVocabulary(std::string(pre));
    addMerge(spec, spellBytes(" "), "z");
    addMerge(spec, spellBytes("\xE4"), spellBytes("\xB8"));
    Tokenizer tokenizer = make(spec);
    for (const std::string &text : texts)
      EXPECT_EQ(tokenizer.decode(encode(tokenizer, text)), text) << pre;
  }
}

TEST(Tokenizer, GivesEachWrongByteItsOwnToken) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  addMerge(spec, spellBytes("\xC3"), "(");
  addMerge(spec, spellBytes("\xFF"), spellBytes("\xFF"));
  EXPECT_EQ(encode(make(spec), "\xC3(\xFF\xFF"), (Ids{0xC3, '(', 0xFF, 0xFF}));
}

TEST(Tokenizer, NormalizesOnlyForQwen) {
  const std::string decomposed = "e\xCC\x81"; // e and a combining acute accent
  const std::string composed = "\xC3\xA9";
  Tokenizer qwen = make(byteVocabulary("qwen2"));
  EXPECT_EQ(qwen.decode(encode(qwen, decomposed)), composed);
  Tokenizer llama = make(byteVocabulary("llama-bpe"));
  EXPECT_EQ(llama.decode(encode(llama, decomposed)), decomposed);
}

// Untrusted text: each takes hours where time is quadratic.
TEST(Tokenizer, TakesLongRunsOfAnything) {
  constexpr size_t Length = 50000;
  for (std::string_view pre : supportedPreTokenizers()) {
    TokenizerSpec spec = byteVocabulary(std::string(pre));
    std::string power = "a";
    for (int i = 0; i < 10; ++i, power += power)
      addMerge(spec, power, power);
    addMerge(spec, spellBytes(" "), spellBytes(" "));
    Tokenizer tokenizer = make(spec);
    for (const char *unit : {"a", " ", "\n", "\r", "1", "!", "\xFF", "a\xFF", "'", " \n",
                             "\xCC\x81", "\xCC\x81\xCC\xA3", "\xE4\xB8\xAD", "<", "a "}) {
      std::string text;
      while (text.size() < Length)
        text += unit;
      Ids ids = encode(tokenizer, text);
      EXPECT_FALSE(ids.empty());
      if (pre != "qwen2") {
        EXPECT_EQ(tokenizer.decode(ids), text) << pre << " " << unit;
      }
    }
    EXPECT_EQ(encode(tokenizer, std::string(1 << 17, 'a')).size(), size_t(1 << 7)) << pre;
  }
}

TEST(Tokenizer, FindsSpecialTokensInTheWorstText) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  addToken(spec, std::string(Tokenizer::MaxSpecialTokenBytes - 1, 'a') + "b", TokenType::Control);
  Tokenizer tokenizer = make(spec);
  EXPECT_EQ(encode(tokenizer, std::string(50000, 'a')).size(), 50000u);
}
