//===- TokenizerSpecTest.cpp - what no tokenizer may hold -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each class of untrusted vocabulary has a test here and a seed in
// test/fuzz/seeds/tokenizer.
//
//===----------------------------------------------------------------------===//

#include "SmallVocabulary.h"

#include <gtest/gtest.h>

using namespace heed;

static std::string errorOf(TokenizerSpec spec) {
  auto tokenizer = Tokenizer::create(std::move(spec));
  return tokenizer ? "no error" : tokenizer.message();
}

TEST(TokenizerSpec, NamesTheSupportedModels) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  spec.model = "t5";
  const std::string supported = "; supported are 'gpt2' (byte-level byte-pair encoding), 'llama' "
                                "(SentencePiece), 'bert' and 'wordpiece'";
  EXPECT_EQ(errorOf(spec), "unsupported tokenizer model 't5'" + supported);
  spec.model = "\n\xFF" + std::string(1000, 'x');
  EXPECT_EQ(errorOf(spec),
            "unsupported tokenizer model '\\x0a\\xff" + std::string(38, 'x') + "...'" + supported);
}

TEST(TokenizerSpec, NamesTheSupportedPreTokenizers) {
  for (const char *pre : {"", "default", "gpt2", "Smollm"})
    EXPECT_EQ(errorOf(byteVocabulary(pre)), "unknown pre-tokenizer '" + std::string(pre) +
                                                "'; supported are smollm, gpt-2, llama-bpe, qwen2");
}

TEST(TokenizerSpec, RefusesAnEmptyVocabulary) {
  TokenizerSpec spec;
  spec.model = "gpt2";
  spec.pre = "gpt-2";
  EXPECT_EQ(errorOf(spec), "the tokenizer has no tokens");
}

TEST(TokenizerSpec, RefusesSpecialIdsOutsideTheVocabulary) {
  struct Case {
    int64_t TokenizerSpec::*member;
    const char *name;
  };
  for (auto [member, name] :
       {Case{&TokenizerSpec::bos, "beginning"}, Case{&TokenizerSpec::eos, "end"},
        Case{&TokenizerSpec::unk, "unknown"}, Case{&TokenizerSpec::pad, "padding"},
        Case{&TokenizerSpec::eot, "end-of-turn"}})
    for (int64_t id : {int64_t(256), INT64_MAX, INT64_MIN, int64_t(-2), int64_t(1) << 32}) {
      TokenizerSpec spec = byteVocabulary("gpt-2");
      spec.*member = id;
      EXPECT_EQ(errorOf(spec), "the " + std::string(name) + " token's id " + std::to_string(id) +
                                   " is outside the vocabulary of 256 tokens");
    }
}

TEST(TokenizerSpec, RefusesArraysOfOtherLengths) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  spec.types.pop_back();
  EXPECT_EQ(errorOf(spec), "the tokenizer has 256 tokens but 255 token types");
  spec.types.clear();
  EXPECT_EQ(errorOf(spec), "no error");
  spec.scores.assign(257, 0.f);
  EXPECT_EQ(errorOf(spec), "the tokenizer has 256 tokens but 257 scores");
}

TEST(TokenizerSpec, RefusesUnknownTypes) {
  for (int32_t type : {0, 7, -1, INT32_MAX, INT32_MIN}) {
    TokenizerSpec spec = byteVocabulary("gpt-2");
    spec.types[3] = type;
    EXPECT_EQ(errorOf(spec), "token 3 has type " + std::to_string(type) + "; types are 1 to 6");
  }
}

TEST(TokenizerSpec, RefusesDuplicateTokens) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  addToken(spec, "a", TokenType::Control);
  EXPECT_EQ(errorOf(spec), "tokens 97 and 256 are both 'a'");
}

TEST(TokenizerSpec, RefusesOverlongTokens) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  addToken(spec, std::string(Tokenizer::MaxTokenBytes, 'a'));
  EXPECT_EQ(errorOf(spec), "no error");
  addToken(spec, std::string(Tokenizer::MaxTokenBytes + 1, 'a'));
  EXPECT_EQ(errorOf(spec), "token 257 ('" + std::string(40, 'a') +
                               "...') has 4097 bytes; tokens have at most 4096");
  spec = byteVocabulary("gpt-2");
  addToken(spec, std::string(Tokenizer::MaxSpecialTokenBytes + 1, 'a'), TokenType::UserDefined);
  EXPECT_EQ(errorOf(spec), "token 256 ('" + std::string(40, 'a') +
                               "...') has 513 bytes; special tokens have at most 512");
}

TEST(TokenizerSpec, RefusesMalformedByteTokens) {
  for (const char *text :
       {"<0x-1>", "<0x1>", "<0x100>", "<0xGG>", "<0x 1>", "0x41", "", "<0x4>>"}) {
    TokenizerSpec spec = byteVocabulary("gpt-2");
    addToken(spec, text, TokenType::Byte);
    EXPECT_EQ(errorOf(spec), "byte token 256 is '" + std::string(text) +
                                 "'; expected '<0x' with two hexadecimal digits and '>'");
  }
}

TEST(TokenizerSpec, RefusesMergesThatNameNoToken) {
  auto withMerge = [](std::string merge) {
    TokenizerSpec spec = byteVocabulary("gpt-2");
    addToken(spec, "ab");
    spec.merges = {"a b", std::move(merge)};
    return errorOf(spec);
  };
  EXPECT_EQ(withMerge("a b"), "no error");
  EXPECT_EQ(withMerge("zz b"), "merge 1 is 'zz b', but no token is 'zz'");
  EXPECT_EQ(withMerge("a zz"), "merge 1 is 'a zz', but no token is 'zz'");
  EXPECT_EQ(withMerge("ab b"), "merge 1 is 'ab b', but no token is 'abb'");
  for (const char *merge : {"", " ", "a", "a ", " b", "a  b", "a b ", "a b c"})
    EXPECT_EQ(withMerge(merge),
              "merge 1 is '" + std::string(merge) + "'; expected two tokens with a space between");
}

TEST(TokenizerSpec, RefusesMergesThatChangeTheText) {
  TokenizerSpec spec = byteVocabulary("gpt-2");
  // As a control token this is the letter U+0120 and an a, but its halves are a space and an a.
  addToken(spec, spellBytes(" a"), TokenType::Control);
  spec.merges = {spellBytes(" ") + " a"};
  EXPECT_EQ(errorOf(spec),
            "merge 0 is '\\xc4\\xa0 a', but token 256 does not decode to its halves");
}
