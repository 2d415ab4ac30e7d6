//===- Tokenize.cpp - heed tokenize: the tokens of a text -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include "heed/Runtime/GenerateFlags.h"
#include "heed/Text/ModelTokenizer.h"
#include "heed/Text/Tokenizer.h"
#include "heed/Weights/WeightsFile.h"

#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace heed;

static constexpr const char *kHelp =
    "heed tokenize - shows the tokens of a text\n\n"
    "usage: heed tokenize -m FILE|FOLDER (-p TEXT | -f FILE) [--json]\n\n"
    "  -m PATH    weights whose tokenizer to use: a GGUF or safetensors\n"
    "             file, or the folder with the tokenizer's files\n"
    "  -p TEXT    the text; `-` reads standard input\n"
    "  -f FILE    reads the text from a file\n"
    "  --json     prints {\"tokens\": [...]}\n\n"
    "example:\n"
    "  heed tokenize -m model.gguf -p \"Hello, world\"";

/// A token's bytes with what would break a line escaped.
static std::string visible(std::string_view bytes) {
  std::string text;
  for (unsigned char byte : bytes)
    text += byte < 32 || byte == 127 ? fmt::format("\\x{:02x}", byte) : std::string(1, byte);
  return text;
}

int heed::tokenizeCommand(int argc, char **argv) {
  std::vector<const char *> arguments;
  bool json = false;
  for (int number = 1; number < argc; ++number) {
    if (!std::strcmp(argv[number], "--json"))
      json = true;
    else
      arguments.push_back(argv[number]);
  }
  ErrorOr<GenerateFlags> flags = parseGenerateFlags(arguments);
  if (!flags)
    return fail(flags.message());
  if (flags->help)
    return std::puts(kHelp), kDone;
  if (!flags->arguments.empty())
    return fail("'" + flags->arguments.front() + "' is no flag of tokenize; the text goes to -p");
  if (flags->weights.empty())
    return fail("no weights: name their file or folder with -m, its tokenizer is used");
  if (auto read = readPrompt(*flags, stdin); !read)
    return fail(read.message());
  auto file = WeightsFile::open(flags->weights);
  if (!file)
    return fail(file.message());
  auto tokenizer = tokenizerFrom(**file);
  if (!tokenizer)
    return fail(tokenizer.message());
  auto ids = tokenizer->encode(flags->options.prompt);
  if (!ids)
    return fail(ids.message());
  if (json) {
    fmt::print("{{\"tokens\": [{}]}}\n", fmt::join(*ids, ", "));
    return kDone;
  }
  for (int32_t id : *ids)
    fmt::print("{:>7}  {}\n", id, visible(tokenizer->decode(id)));
  return kDone;
}
