//===- GenerateTest.cpp ---------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "heed/Runtime/Generate.h"

#include <gtest/gtest.h>
#include <string>

using namespace heed;

namespace {

struct Outcome {
  Status status;
  std::string text;
  GenerateStats stats;
};

Outcome runTiny(const GenerateOptions &options, const heed_artifact &artifact = tiny::artifact) {
  tiny::WeightsOnDisk file;
  Outcome outcome;
  outcome.status = generate(
      artifact, file.path(), options,
      [&](std::string_view text) {
        outcome.text += text;
        return true;
      },
      outcome.stats);
  return outcome;
}

GenerateOptions greedy(const std::string &prompt, int64_t tokens) {
  GenerateOptions options;
  options.prompt = prompt;
  options.tokens = tokens;
  options.sampler.temperature = 0;
  options.threads = 2;
  return options;
}

TEST(Generate, ContinuesAText) {
  Outcome outcome = runTiny(greedy("abc", 5));
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message;
  EXPECT_EQ(outcome.text, "defgh");
  EXPECT_EQ(outcome.stats.promptTokens, 3);
  EXPECT_EQ(outcome.stats.generatedTokens, 5);
  EXPECT_FALSE(outcome.stats.contextFull);
}

TEST(Generate, EchoesThePromptAndGeneratesNothing) {
  GenerateOptions options = greedy("abc", 0);
  options.echo = true;
  Outcome outcome = runTiny(options);
  EXPECT_EQ(outcome.text, "abc");
  EXPECT_EQ(outcome.stats.generatedTokens, 0);
}

TEST(Generate, StopsAtTheEndTokenUnlessToldOtherwise) {
  // Byte 254 is followed by 255, then the end token, then byte 0, 1, 2.
  GenerateOptions options = greedy("\xfe", 5);
  Outcome outcome = runTiny(options);
  EXPECT_EQ(outcome.text, "\uFFFD");
  EXPECT_EQ(outcome.stats.generatedTokens, 1);
  options.ignoreEnd = true;
  outcome = runTiny(options);
  EXPECT_EQ(outcome.text, std::string("\uFFFD\0\1\2", 6));
  EXPECT_EQ(outcome.stats.generatedTokens, 5);
}

TEST(Generate, StopsWhereTheContextIsFull) {
  GenerateOptions options = greedy("abc", -1);
  options.context = 6;
  Outcome outcome = runTiny(options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message;
  // Three more tokens fit, and the last one read still has a successor.
  EXPECT_EQ(outcome.text, "defg");
  EXPECT_TRUE(outcome.stats.contextFull);
}

TEST(Generate, RefusesAPromptLongerThanTheContext) {
  Outcome outcome = runTiny(greedy(std::string(65, 'a'), 5));
  EXPECT_EQ(outcome.status.code, HEED_ERROR_INPUT);
  EXPECT_EQ(outcome.status.message,
            "the prompt is 65 tokens long, and the context holds 64: shorten the prompt");
  EXPECT_EQ(runTiny(greedy(std::string(64, 'a'), 1)).text, "b");
}

TEST(Generate, RefusesAnEmptyPromptWithoutABeginningToken) {
  Outcome outcome = runTiny(greedy("", 5));
  EXPECT_EQ(outcome.status.code, HEED_ERROR_INPUT);
  EXPECT_NE(outcome.status.message.find("the prompt is empty"), std::string::npos);
}

TEST(Generate, SaysWhyAFunctionCanNotContinueAText) {
  GenerateOptions options = greedy("abc", 1);
  options.function = "scale";
  EXPECT_EQ(runTiny(options).status.message.find("'scale' can't continue a text"), 0u);
  options.function = "nothing";
  EXPECT_EQ(runTiny(options).status.message,
            "tiny has no function 'nothing': it has 'scale', 'step', 'pick'");
  options.function = "step";
  EXPECT_EQ(runTiny(options).text, "d");

  heed_artifact artifact = tiny::artifact;
  artifact.n_functions = 1;
  EXPECT_EQ(runTiny(greedy("abc", 1), artifact)
                .status.message.find("tiny has no function that can continue a text"),
            0u);
}

TEST(Generate, ChatsInANamedTemplateAlone) {
  GenerateOptions options = greedy("hi", 1);
  options.chat = true;
  Outcome outcome = runTiny(options); // the file declares none
  EXPECT_EQ(outcome.status.code, HEED_ERROR_INPUT);
  options.chatTemplate = "chatml";
  options.echo = true;
  outcome = runTiny(options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message;
  // The text ends in a newline, and the tiny model prefers the byte after that.
  EXPECT_TRUE(outcome.text.ends_with("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n\v"))
      << outcome.text;
  options.prompt = std::string(64, 'a');
  options.context = 64;
  EXPECT_NE(runTiny(options).status.message.find("shorten the prompt or ask for a larger context"),
            std::string::npos);
  options.chatTemplate = "unheard of";
  EXPECT_EQ(runTiny(options).status.code, HEED_ERROR_INPUT);
}

TEST(Generate, StopsWhenNobodyListens) {
  tiny::WeightsOnDisk file;
  std::string text;
  GenerateStats stats;
  Status status = generate(
      tiny::artifact, file.path(), greedy("abc", 50),
      [&](std::string_view part) {
        text += part;
        return text.size() < 3;
      },
      stats);
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(text, "def");
}

TEST(Generate, ChecksSamplerOptions) {
  GenerateOptions options = greedy("abc", 1);
  options.sampler.topP = -3;
  EXPECT_EQ(runTiny(options).status.code, HEED_ERROR_INPUT);
}

} // namespace
