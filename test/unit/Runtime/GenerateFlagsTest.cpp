//===- GenerateFlagsTest.cpp ----------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/GenerateFlags.h"

#include <gtest/gtest.h>
#include <initializer_list>

using namespace heed;

namespace {

ErrorOr<GenerateFlags> parse(std::initializer_list<const char *> arguments) {
  return parseGenerateFlags(std::span(arguments.begin(), arguments.size()));
}

std::string error(std::initializer_list<const char *> arguments) {
  auto flags = parse(arguments);
  return flags ? "no error" : flags.message();
}

TEST(GenerateFlags, ReadsEveryFlag) {
  auto flags = parse({"m.heed",      "-m",
                      "w.gguf",      "-p",
                      "hi",          "-n",
                      "7",           "-t",
                      "3",           "-s",
                      "99",          "-c",
                      "128",         "--temp",
                      "0.5",         "--top-k=5",
                      "--top-p",     ".9",
                      "--min-p=0.1", "--repeat-penalty",
                      "1.25",        "--repeat-last",
                      "8",           "--ignore-eos",
                      "--echo",      "--stats",
                      "--function",  "step",
                      "--packed",    "/p",
                      "--",          "-odd"});
  ASSERT_TRUE(flags) << flags.message();
  const GenerateOptions &options = flags->options;
  EXPECT_EQ(flags->arguments, (std::vector<std::string>{"m.heed", "-odd"}));
  EXPECT_EQ(flags->weights, "w.gguf");
  EXPECT_EQ(flags->promptText, "hi");
  EXPECT_EQ(options.tokens, 7);
  EXPECT_EQ(options.threads, 3);
  EXPECT_EQ(options.context, 128);
  EXPECT_EQ(options.sampler.seed, 99u);
  EXPECT_EQ(options.sampler.temperature, 0.5f);
  EXPECT_EQ(options.sampler.topK, 5);
  EXPECT_EQ(options.sampler.topP, 0.9f);
  EXPECT_EQ(options.sampler.minP, 0.1f);
  EXPECT_EQ(options.sampler.repeatPenalty, 1.25f);
  EXPECT_EQ(options.sampler.repeatLast, 8);
  EXPECT_EQ(options.function, "step");
  EXPECT_EQ(options.packed, "/p");
  EXPECT_TRUE(options.ignoreEnd && options.echo && flags->stats);
  EXPECT_FALSE(options.chat || flags->help);
}

TEST(GenerateFlags, ATemplateOrAnInstructionMeansAConversation) {
  EXPECT_TRUE(parse({"--chat"})->options.chat);
  EXPECT_TRUE(parse({"--chat-template", "chatml"})->options.chat);
  EXPECT_TRUE(parse({"--system", ""})->options.chat);
}

TEST(GenerateFlags, SaysWhatIsWrong) {
  EXPECT_EQ(error({"--tempo", "1"}), "there is no flag '--tempo': --help lists them");
  EXPECT_EQ(error({"-n"}), "-n needs a value after it");
  EXPECT_EQ(error({"--echo=yes"}), "--echo takes no value");
  EXPECT_EQ(error({"--temp", "warm"}), "--temp is 'warm', and a number was expected");
  EXPECT_EQ(error({"--temp", "nan"}), "--temp is 'nan', and a number was expected");
  EXPECT_EQ(error({"--temp", ""}), "--temp is '', and a number was expected");
  EXPECT_EQ(error({"-t", "1025"}), "-t is '1025', and a whole number from 0 to 1024 was expected");
  EXPECT_EQ(error({"-n", "-2"}),
            "-n is '-2', and a whole number from -1 to 2147483647 was expected");
  EXPECT_EQ(error({"-n", "5x"}),
            "-n is '5x', and a whole number from -1 to 2147483647 was expected");
  EXPECT_EQ(error({"-c", "99999999999999999999"}),
            "-c is '99999999999999999999', and a whole number from 0 to 2147483647 was expected");
}

TEST(ReadPrompt, TakesOneSource) {
  std::FILE *input = std::tmpfile();
  std::fputs("from\nafar", input);
  std::rewind(input);
  auto none = parse({}), both = parse({"-p", "a", "-f", "b"}), text = parse({"-p", "a"}),
       standard = parse({"-p", "-"}), missing = parse({"-f", "/no/such/file"}),
       folder = parse({"-f", "/"}), endless = parse({"-f", "/dev/zero"});
  EXPECT_FALSE(readPrompt(*none, input));
  EXPECT_FALSE(readPrompt(*both, input));
  EXPECT_TRUE(readPrompt(*text, input));
  EXPECT_EQ(text->options.prompt, "a");
  EXPECT_TRUE(readPrompt(*standard, input));
  EXPECT_EQ(standard->options.prompt, "from\nafar");
  EXPECT_EQ(readPrompt(*missing, input).message(),
            "/no/such/file: can't open the prompt: No such file or directory");
  EXPECT_FALSE(readPrompt(*folder, input));
  EXPECT_EQ(readPrompt(*endless, input).message(),
            "/dev/zero: the prompt is longer than 64 MiB, which no context holds");
  std::fclose(input);
}

TEST(GenerateFlags, HelpNamesEveryFlag) {
  for (const char *flag : {"-m,",           "-p,",        "-f,",
                           "-n,",           "-t,",        "-c,",
                           "-s,",           "--temp",     "--top-k",
                           "--top-p",       "--min-p",    "--repeat-penalty",
                           "--repeat-last", "--chat ",    "--chat-template",
                           "--system",      "--function", "--ignore-eos",
                           "--echo",        "--stats",    "--help"})
    EXPECT_NE(generateFlagsHelp().find(flag), std::string_view::npos) << flag;
}

} // namespace
