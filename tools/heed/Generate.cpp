//===- Generate.cpp - heed generate: compiles, then continues a text -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompileFlags.h"
#include "CompiledProgram.h"

#include "heed/Runtime/GenerateFlags.h"

#include <cstdio>
#include <unistd.h>

using namespace heed;

static constexpr const char *kHelp =
    "heed generate - continues a text with a model\n\n"
    "usage: heed generate PROGRAM.heed -m FILE -p TEXT [flags]\n\n"
    "The program is compiled for this processor first; what was compiled once is kept in\n"
    "~/.cache/heed. Only the new text goes to standard output.\n";
static constexpr const char *kCompileFlags =
    "      --cache-type TYPE    what caches hold: f32, f16, bf16 or int8        [f32]\n"
    "      --precise            keep activations in f32, for weights of every format\n";
static constexpr const char *kExamples =
    "examples:\n"
    "  heed generate examples/llama.heed -m model.gguf -p \"A fluffy blue creature\" -n 32\n"
    "  heed generate examples/llama.heed -m model.gguf --chat -p \"Why is the sky blue?\" --temp "
    "0\n"
    "  heed generate examples/llama.heed -m model.gguf -f prompt.txt --echo -s 42\n";

/// Takes the compiler's flags out of `arguments`; the rest are the model's.
static ErrorOr<CompilerOptions> takeCompilerFlags(std::vector<const char *> &arguments) {
  CompilerOptions options;
  std::vector<const char *> rest;
  for (size_t a = 0; a < arguments.size(); ++a) {
    llvm::StringRef argument = arguments[a];
    if (argument == "--") {
      rest.insert(rest.end(), arguments.begin() + a, arguments.end());
      break;
    }
    if (argument == "--precise")
      options.precise = true;
    else if (argument.consume_front("--cache-type="))
      options.cacheType = argument.str();
    else if (argument != "--cache-type")
      rest.push_back(arguments[a]);
    else if (++a < arguments.size())
      options.cacheType = arguments[a];
    else
      return makeError("--cache-type needs a value after it");
  }
  arguments = std::move(rest);
  if (auto known = checkCacheType(options.cacheType); !known)
    return known.error();
  return options;
}

int heed::generateCommand(int argc, char **argv) {
  std::vector<const char *> arguments(argv + 1, argv + argc);
  auto options = takeCompilerFlags(arguments);
  if (!options)
    return fail(options.message());
  auto flags = parseGenerateFlags(arguments);
  if (!flags)
    return fail(flags.message());
  if (flags->help) {
    std::string flagsHelp(generateFlagsHelp());
    std::printf("%s\n%s%s\n%s", kHelp, flagsHelp.c_str(), kCompileFlags, kExamples);
    return kDone;
  }
  if (flags->arguments.size() != 1)
    return fail("generate takes one program, such as examples/llama.heed, found " +
                std::to_string(flags->arguments.size()));
  if (flags->weights.empty())
    return fail("no weights file: name one with -m FILE");
  if (auto read = readPrompt(*flags, stdin); !read)
    return fail(read.message());
  options->requireCache = true;
  ExitCode code = kBadInput;
  auto artifact =
      compileAndLoad(flags->arguments.front(), flags->weights, *options,
                     "generate " + options->cacheType + (options->precise ? " precise" : ""), code);
  if (!artifact)
    return fail(artifact.message(), code);
  GenerateStats stats;
  auto toStandardOutput = [](std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
           std::fflush(stdout) == 0;
  };
  Status status = generate(**artifact, flags->weights, flags->options, toStandardOutput, stats);
  if (status.code != 0) {
    fail(status.message);
    return status.code;
  }
  if (isatty(STDOUT_FILENO))
    std::putchar('\n');
  if (flags->stats)
    printStats(stats, stderr);
  return kDone;
}
