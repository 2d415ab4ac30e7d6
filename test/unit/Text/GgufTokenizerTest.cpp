//===- GgufTokenizerTest.cpp - reading a tokenizer out of GGUF metadata ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/ModelTokenizer.h"

#include "heed/Weights/WeightsFile.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace heed;

namespace {

/// Writes a GGUF file that has metadata alone.
class GgufWriter {
public:
  GgufWriter &text(const std::string &key, const std::string &value) {
    begin(key, 8);
    put(value);
    return *this;
  }
  GgufWriter &flag(const std::string &key, bool value) {
    begin(key, 7);
    body += char(value);
    return *this;
  }
  GgufWriter &id(const std::string &key, uint32_t value) {
    begin(key, 4);
    put(value);
    return *this;
  }
  GgufWriter &texts(const std::string &key, const std::vector<std::string> &values) {
    begin(key, 9);
    put(uint32_t(8));
    put(uint64_t(values.size()));
    for (const std::string &value : values)
      put(value);
    return *this;
  }
  GgufWriter &integers(const std::string &key, const std::vector<int32_t> &values) {
    begin(key, 9);
    put(uint32_t(5));
    put(uint64_t(values.size()));
    for (int32_t value : values)
      put(value);
    return *this;
  }

  ErrorOr<TokenizerSpec> read() const {
    std::string file = "GGUF";
    append(file, uint32_t(3));
    append(file, uint64_t(0));
    append(file, count);
    file += body;
    file.resize((file.size() + 31) / 32 * 32);
    auto opened = WeightsFile::fromBytes(std::as_bytes(std::span(file)), "small.gguf");
    if (!opened)
      return opened.error();
    return tokenizerSpecFrom(**opened);
  }

private:
  template <typename T> static void append(std::string &target, T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    target.append(bytes, sizeof(T));
  }
  template <typename T> void put(T value) { append(body, value); }
  void put(const std::string &value) {
    put(uint64_t(value.size()));
    body += value;
  }
  void begin(const std::string &key, uint32_t type) {
    put(key);
    put(type);
    ++count;
  }

  std::string body;
  uint64_t count = 0;
};

} // namespace

TEST(GgufTokenizer, ReadsEveryKey) {
  auto spec = GgufWriter()
                  .text("tokenizer.ggml.model", "gpt2")
                  .text("tokenizer.ggml.pre", "smollm")
                  .texts("tokenizer.ggml.tokens", {"a", "b", "ab"})
                  .integers("tokenizer.ggml.token_type", {1, 1, 4})
                  .texts("tokenizer.ggml.merges", {"a b"})
                  .id("tokenizer.ggml.bos_token_id", 0)
                  .id("tokenizer.ggml.eos_token_id", 1)
                  .id("tokenizer.ggml.unknown_token_id", 2)
                  .id("tokenizer.ggml.padding_token_id", 3)
                  .id("tokenizer.ggml.eot_token_id", 4)
                  .flag("tokenizer.ggml.add_bos_token", true)
                  .flag("tokenizer.ggml.add_eos_token", true)
                  .flag("tokenizer.ggml.add_space_prefix", true)
                  .text("tokenizer.chat_template", "{{ x }}")
                  .read();
  ASSERT_TRUE(spec) << spec.message();
  EXPECT_EQ(spec->model, "gpt2");
  EXPECT_EQ(spec->pre, "smollm");
  EXPECT_EQ(spec->tokens, (std::vector<std::string>{"a", "b", "ab"}));
  EXPECT_EQ(spec->types, (std::vector<int32_t>{1, 1, 4}));
  EXPECT_EQ(spec->merges, (std::vector<std::string>{"a b"}));
  EXPECT_EQ(spec->bos, 0);
  EXPECT_EQ(spec->eos, 1);
  EXPECT_EQ(spec->unk, 2);
  EXPECT_EQ(spec->pad, 3);
  EXPECT_EQ(spec->eot, 4);
  EXPECT_TRUE(spec->addBos && spec->addEos && spec->addSpacePrefix);
  EXPECT_EQ(spec->chatTemplate, "{{ x }}");
}

TEST(GgufTokenizer, KeepsDefaultsForMissingKeys) {
  auto spec = GgufWriter().text("tokenizer.ggml.model", "gpt2").read();
  ASSERT_TRUE(spec) << spec.message();
  EXPECT_EQ(spec->eos, -1);
  EXPECT_FALSE(spec->addBos);
  EXPECT_TRUE(spec->tokens.empty() && spec->chatTemplate.empty());
}

TEST(GgufTokenizer, DefaultsDependOnTheModel) {
  auto llama = GgufWriter().text("tokenizer.ggml.model", "llama").read();
  ASSERT_TRUE(llama) << llama.message();
  EXPECT_EQ(llama->bos, 1);
  EXPECT_EQ(llama->eos, 2);
  EXPECT_EQ(llama->unk, 0);
  EXPECT_TRUE(llama->addBos && llama->addSpacePrefix && !llama->addEos);
  auto without = GgufWriter()
                     .text("tokenizer.ggml.model", "llama")
                     .flag("tokenizer.ggml.add_bos_token", false)
                     .flag("tokenizer.ggml.add_space_prefix", false)
                     .read();
  ASSERT_TRUE(without) << without.message();
  EXPECT_FALSE(without->addBos || without->addSpacePrefix);
}

TEST(GgufTokenizer, ReadsTheKeysOfBert) {
  auto spec = GgufWriter()
                  .text("tokenizer.ggml.model", "bert")
                  .texts("tokenizer.ggml.tokens", {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁a", "b"})
                  .integers("tokenizer.ggml.token_type", {3, 3, 3, 3, 1, 1})
                  .id("tokenizer.ggml.cls_token_id", 2)
                  .id("tokenizer.ggml.seperator_token_id", 3)
                  .id("tokenizer.ggml.unknown_token_id", 1)
                  .read();
  ASSERT_TRUE(spec) << spec.message();
  auto tokenizer = Tokenizer::create(*spec);
  ASSERT_TRUE(tokenizer) << tokenizer.message();
  EXPECT_EQ(*tokenizer->encode("AB x"), (std::vector<int32_t>{2, 4, 5, 1, 3}));
}

TEST(GgufTokenizer, SaysWhenThereIsNone) {
  EXPECT_EQ(GgufWriter().text("general.name", "x").read().message(),
            "small.gguf: the file has no tokenizer (metadata 'tokenizer.ggml.model')");
}

TEST(GgufTokenizer, RefusesOtherTypes) {
  auto error = [](GgufWriter &writer) {
    auto spec = writer.read();
    return spec ? "no error" : spec.message();
  };
  EXPECT_EQ(
      error(GgufWriter().id("tokenizer.ggml.model", 3)),
      "small.gguf: metadata 'tokenizer.ggml.model' is an unsigned integer; expected a string");
  EXPECT_EQ(
      error(
          GgufWriter().text("tokenizer.ggml.model", "gpt2").integers("tokenizer.ggml.tokens", {1})),
      "small.gguf: metadata 'tokenizer.ggml.tokens' is an array of integers; expected an "
      "array of strings");
  EXPECT_EQ(error(GgufWriter()
                      .text("tokenizer.ggml.model", "gpt2")
                      .text("tokenizer.ggml.eos_token_id", "2")),
            "small.gguf: metadata 'tokenizer.ggml.eos_token_id' is a string; expected a token id");
}
