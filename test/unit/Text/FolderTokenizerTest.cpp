//===- FolderTokenizerTest.cpp - the tokenizer beside a safetensors file --===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FolderTokenizer.h"

#include "../Weights/ScratchFolder.h"
#include "TokenizerJson.h"

#include <gtest/gtest.h>

using namespace heed;

namespace {

class FolderTokenizer : public testing::Test {
protected:
  ScratchFolder folder;

  ErrorOr<TokenizerSpec> read() const { return folderTokenizerSpec(folder.path() + "/"); }
  std::string error() const {
    auto spec = read();
    return spec ? "no error" : spec.message();
  }
};

/// A tokenizer.json with other parts where they are given.
std::string
json(std::string vocabulary = R"({"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"a":4,"##b":5})",
     std::string added = R"([{"id":1,"content":"[UNK]","special":true}])",
     std::string normalizer = R"({"type":"BertNormalizer","clean_text":true,)"
                              R"("handle_chinese_chars":false,"strip_accents":null,)"
                              R"("lowercase":false})") {
  return R"({"version":"1.0","truncation":{"max_length":128},"added_tokens":)" + added +
         R"(,"normalizer":)" + normalizer +
         R"(,"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"x":[{"y":[[1]]}]},)"
         R"("model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",)"
         R"("max_input_chars_per_word":100,"vocab":)" +
         vocabulary + "}}";
}

std::string jsonError(const std::string &text) {
  auto spec = parseTokenizerJson(text);
  return spec ? "no error" : spec.message();
}

} // namespace

TEST_F(FolderTokenizer, ReadsVocabularies) {
  folder.write("vocab.txt", "[PAD]\n[UNK]\r\n[CLS]\n[SEP]\nthe\n##s");
  auto spec = read();
  ASSERT_TRUE(spec) << spec.message();
  EXPECT_EQ(spec->model, "wordpiece");
  EXPECT_EQ(spec->tokens,
            (std::vector<std::string>{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "##s"}));
  EXPECT_EQ(spec->types, (std::vector<int32_t>{3, 3, 3, 3, 1, 1}));
  EXPECT_EQ(spec->pad, 0);
  EXPECT_EQ(spec->unk, 1);
  EXPECT_EQ(spec->bos, 2);
  EXPECT_EQ(spec->eos, 3);
  EXPECT_TRUE(spec->addBos && spec->addEos && spec->lowerCase && spec->spaceIdeographs);
  EXPECT_EQ(spec->stripAccents, std::nullopt);
}

TEST_F(FolderTokenizer, ReadsTheConfiguration) {
  folder.write("vocab.txt", "<unk>\n<s>\n</s>\n");
  folder.write("tokenizer_config.json",
               R"({"do_lower_case": false, "strip_accents": true, "tokenize_chinese_chars": false,
                   "unk_token": "<unk>", "cls_token": {"content": "<s>", "lstrip": false},
                   "sep_token": "</s>"})");
  auto spec = read();
  ASSERT_TRUE(spec) << spec.message();
  EXPECT_FALSE(spec->lowerCase || spec->spaceIdeographs);
  EXPECT_EQ(spec->stripAccents, true);
  EXPECT_EQ(spec->unk, 0);
  EXPECT_EQ(spec->bos, 1);
  EXPECT_EQ(spec->eos, 2);
}

TEST_F(FolderTokenizer, PrefersTokenizerJson) {
  folder.write("vocab.txt", "a\n");
  folder.write("tokenizer.json", json());
  auto spec = read();
  ASSERT_TRUE(spec) << spec.message();
  EXPECT_EQ(spec->tokens,
            (std::vector<std::string>{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##b"}));
  EXPECT_EQ(spec->types, (std::vector<int32_t>{3, 3, 3, 3, 1, 1}));
  EXPECT_FALSE(spec->lowerCase || spec->spaceIdeographs);
  EXPECT_EQ(spec->stripAccents, std::nullopt);
  EXPECT_EQ(spec->bos, 2);
}

TEST_F(FolderTokenizer, NamesWhatIsMissing) {
  EXPECT_EQ(error(), folder.path() + "/: there is no tokenizer.json or vocab.txt beside the "
                                     "weights; put the model's tokenizer there");
  std::string path = folder.write("vocab.txt", "[UNK]\n[CLS]\n");
  EXPECT_EQ(error(), path + ": the vocabulary has no token '[SEP]', the tokenizer's sep_token");
  folder.write("tokenizer_config.json", "[]");
  EXPECT_EQ(error(), folder.path("tokenizer_config.json") +
                         ": unexpected an array where an object should begin");
}

TEST(TokenizerJson, RefusesOtherKinds) {
  EXPECT_EQ(jsonError("{}"), "the tokenizer's model is '', and beside safetensors 'WordPiece' is "
                             "supported; use a GGUF file of the model");
  EXPECT_NE(jsonError(json("{}", "[]", R"({"type":"Lowercase"})"))
                .find("the tokenizer's normalizer is 'Lowercase', and beside safetensors "
                      "'BertNormalizer' is supported"),
            std::string::npos);
  EXPECT_NE(jsonError(json("{}", "[]", R"({"type":"BertNormalizer","clean_text":false})"))
                .find("doesn't clean text"),
            std::string::npos);
  EXPECT_NE(jsonError("[1]").find("unexpected an array where the tokenizer's object"),
            std::string::npos);
  EXPECT_NE(jsonError("{\"model\":").find("is not valid JSON"), std::string::npos);
}

TEST(TokenizerJson, RefusesWrongIds) {
  EXPECT_EQ(jsonError(json(R"({"[UNK]":1,"a":9000000000})")),
            "token 'a' has the id 9000000000, and there are 3 tokens");
  EXPECT_EQ(jsonError(json(R"({"[UNK]":1,"a":2})")),
            "no token has the id 0, and the ids go up to 2");
  EXPECT_EQ(jsonError(json(R"({"[UNK]":1,"a":0,"b":0})")), "tokens 'a' and 'b' have the same id 0");
  EXPECT_EQ(jsonError(json(R"({"a":0})", R"([{"content":"x"}])")), "added token 'x' has no id");
  EXPECT_EQ(jsonError(json(R"({"a":0})", "[]")),
            "the unknown token '[UNK]' is not in the vocabulary");
}

TEST(TokenizerJson, NestsWithoutHarm) {
  std::string deep = std::string(200000, '[') + std::string(200000, ']');
  EXPECT_EQ(jsonError(json(R"({"[UNK]":0})", "[]").insert(1, "\"deep\":" + deep + ",")),
            "no error");
}
