//===- Embed.cpp - heed embed: compiles, then embeds texts -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"

#include "heed/Runtime/Embed.h"
#include "heed/Runtime/GenerateFlags.h"

#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utility>

using namespace heed;

static constexpr const char *kHelp =
    "heed embed - turns texts into vectors\n\n"
    "usage: heed embed PROGRAM.heed -m FILE|FOLDER (-p TEXT | -f FILE)... [flags]\n\n"
    "The program's first function from int[n] to [d] is run on a text; on several the first from\n"
    "int[rows] and int[texts] to [texts, d], if there is one, which takes many at once. It is\n"
    "compiled for this processor first; what was compiled once is kept in ~/.cache/heed.\n\n"
    "  -m, --weights PATH       the weights: a GGUF or safetensors file, or the folder with\n"
    "                           model.safetensors, config.json and the tokenizer's files\n"
    "  -p, --prompt TEXT        a text; - reads standard input; may be given several times\n"
    "  -f, --file FILE          reads a text from a file; may be given several times\n"
    "      --json               prints {\"embedding\": [...]}, of several texts an array of them,\n"
    "                           each in a line; otherwise a number a line, an empty line\n"
    "                           between texts\n"
    "  -t, --threads N          1 … 1024 threads; 0: one for each processor     [0]\n"
    "      --function NAME      the function to run, if not the first that fits\n"
    "      --packed WHERE       keep weights as they lie in memory for the next\n"
    "                           time: on (in ~/.cache/heed), off, or a folder   [on]\n"
    "  -h, --help               this text\n\n"
    "examples:\n"
    "  heed embed examples/bert.heed -m all-MiniLM-L6-v2 -p \"A fluffy blue creature\" --json\n"
    "  heed embed examples/bert.heed -m all-MiniLM-L6-v2 -p \"Hello\" -p \"Good morning\"\n"
    "  heed embed examples/bert.heed -m model.safetensors -f text.txt";

/// What `heed embed` shares with text generation, and its texts.
struct EmbedFlags {
  GenerateFlags common;
  EmbedOptions options;
  bool json = false;
};

/// Texts may be given several times, so each is read by itself, as generation reads its prompt.
static ErrorOr<void> addText(EmbedFlags &flags, bool isFile, const char *value) {
  GenerateFlags one;
  (isFile ? one.promptFile : one.promptText) = value;
  if (auto read = readPrompt(one, stdin); !read)
    return read.error();
  flags.options.texts.push_back(std::move(one.options.prompt));
  return {};
}

static ErrorOr<EmbedFlags> parse(int argc, char **argv) {
  EmbedFlags flags;
  std::vector<const char *> rest;
  for (int a = 1; a < argc; ++a) {
    std::string_view argument = argv[a];
    bool isFile = argument == "-f" || argument == "--file";
    bool isText = argument == "-p" || argument == "--prompt";
    if (argument == "--json") {
      flags.json = true;
    } else if (!isFile && !isText) {
      rest.push_back(argv[a]);
      for (std::string_view takesValue :
           {"-m", "--weights", "-t", "--threads", "--function", "--packed"})
        if (argument == takesValue && a + 1 < argc)
          rest.push_back(argv[++a]);
    } else if (++a == argc) {
      return makeError(fmt::format("{} needs a value after it", argument));
    } else if (auto added = addText(flags, isFile, argv[a]); !added) {
      return added.error();
    }
  }
  auto common = parseGenerateFlags(rest);
  if (!common)
    return common.error();
  flags.common = std::move(*common);
  flags.options.threads = flags.common.options.threads;
  flags.options.function = flags.common.options.function;
  flags.options.packed = flags.common.options.packed;
  return flags;
}

/// Writes text to standard output; whether that could be done.
static bool write(const std::string &text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

namespace {
/// Prints embeddings one after the other.
class Printer {
public:
  Printer(bool json, size_t count) : json(json), isArray(json && count > 1) {}

  /// Whether it could be done.
  bool print(std::span<const float> embedding) {
    bool isFirst = std::exchange(atFirst, false);
    if (!json)
      return write(fmt::format("{}{}\n", isFirst ? "" : "\n", fmt::join(embedding, "\n")));
    return write(fmt::format("{}{{\"embedding\": [{}]}}{}",
                             !isArray  ? ""
                             : isFirst ? "["
                                       : ",\n ",
                             fmt::join(embedding, ", "), isArray ? "" : "\n"));
  }
  bool finish() { return !isArray || write("]\n"); }

private:
  bool json, isArray, atFirst = true;
};
} // namespace

int heed::embedCommand(int argc, char **argv) {
  auto flags = parse(argc, argv);
  if (!flags)
    return fail(flags.message());
  if (flags->common.help)
    return std::puts(kHelp), kDone;
  const std::vector<std::string> &programs = flags->common.arguments;
  if (programs.size() != 1)
    return fail(fmt::format("embed takes one program, such as examples/bert.heed, found {}",
                            programs.size()));
  if (flags->common.weights.empty())
    return fail("no weights: name their file or folder with -m");
  if (flags->options.texts.empty())
    return fail("there is no text: give it with -p TEXT, -f FILE, or -p - for standard input");

  ExitCode code = kBadInput;
  auto artifact = compileAndLoad(programs.front(), flags->common.weights, {}, "embed", code);
  if (!artifact)
    return fail(artifact.message(), code);
  bool finite = true, written = true;
  Printer printer(flags->json, flags->options.texts.size());
  Status status = embed(**artifact, flags->common.weights, flags->options,
                        [&](std::span<const float> embedding) {
                          for (float value : embedding)
                            finite &= std::isfinite(value);
                          if (finite)
                            written = printer.print(embedding);
                          return finite && written;
                        });
  if (!status.ok())
    return fail(status.message, ExitCode(status.code));
  if (!finite)
    return fail("an embedding has numbers that aren't finite: the weights may be damaged");
  if (!written || !printer.finish())
    return fail("standard output can't be written to");
  return kDone;
}
