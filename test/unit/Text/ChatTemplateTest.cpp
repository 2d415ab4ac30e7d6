//===- ChatTemplateTest.cpp - conversations as text -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/ChatTemplate.h"

#include <gtest/gtest.h>

using namespace heed;
using Role = ChatMessage::Role;

static const std::vector<ChatMessage> Talk = {
    {Role::User, " Hi "}, {Role::Assistant, "Hello"}, {Role::User, "Bye"}};

static std::string apply(std::string_view name, std::optional<std::string_view> system = {}) {
  auto text = applyChat(name, system, Talk);
  return text ? *text : text.message();
}

TEST(ChatTemplate, Chatml) {
  const std::string turns =
      "<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
      "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n";
  EXPECT_EQ(apply("chatml"), turns);
  EXPECT_EQ(apply("chatml", "Be kind"), "<|im_start|>system\nBe kind<|im_end|>\n" + turns);
  EXPECT_EQ(apply("smollm2"), "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, "
                              "trained by Hugging Face<|im_end|>\n" +
                                  turns);
  EXPECT_EQ(apply("smollm2", ""), "<|im_start|>system\n<|im_end|>\n" + turns);
  EXPECT_EQ(apply("qwen2"), "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n" + turns);
  EXPECT_EQ(apply("qwen2.5"), "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are "
                              "a helpful assistant.<|im_end|>\n" +
                                  turns);
}

TEST(ChatTemplate, Llama3) {
  EXPECT_EQ(apply("llama3", "Be kind"),
            "<|start_header_id|>system<|end_header_id|>\n\nBe kind<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplate, GemmaHasNoSystemRole) {
  EXPECT_EQ(apply("gemma", "Be kind "),
            "<start_of_turn>user\nBe kind\n\nHi<end_of_turn>\n"
            "<start_of_turn>model\nHello<end_of_turn>\n"
            "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n");
}

TEST(ChatTemplate, NoneIsTheContents) {
  EXPECT_EQ(apply("none"), " Hi HelloBye");
  EXPECT_EQ(apply("none", "S"), "S\n\n Hi HelloBye");
}

TEST(ChatTemplate, ListsTheNames) {
  EXPECT_EQ(apply("jinja"), "unknown chat template 'jinja'; choose one of chatml, smollm2, qwen2, "
                            "qwen2.5, llama3, gemma, none");
}

TEST(ChatTemplate, IsDetectedByItsMarkers) {
  auto detect = [](std::string text) {
    TokenizerSpec spec;
    spec.chatTemplate = std::move(text);
    auto name = detectChatTemplate(spec);
    return name ? std::string(*name) : name.message();
  };
  EXPECT_EQ(detect("{{'<|im_start|>' + role}}<|im_end|>"), "chatml");
  EXPECT_EQ(detect("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by "
                   "Hugging Face<|im_end|>"),
            "smollm2");
  EXPECT_EQ(detect("<|im_start|>system\nYou are a helpful assistant.<|im_end|>"), "qwen2");
  EXPECT_EQ(detect("<|im_start|>You are Qwen, created by Alibaba Cloud. You are a helpful "
                   "assistant."),
            "qwen2.5");
  EXPECT_EQ(detect("<|start_header_id|>{{ x }}<|eot_id|>"), "llama3");
  EXPECT_EQ(detect("<start_of_turn>model <end_of_turn>"), "gemma");
  const std::string names = "choose one of chatml, smollm2, qwen2, qwen2.5, llama3, gemma, none";
  EXPECT_EQ(detect(""), "the weights file has no chat template; " + names);
  EXPECT_EQ(detect("<|im_start|>user<|im_sep|><|im_end|>"),
            "the chat template of the weights file is not a known one; " + names);
  EXPECT_EQ(detect("{% raw %}"),
            "the chat template of the weights file is not a known one; " + names);
}
