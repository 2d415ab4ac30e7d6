//===- Main.cpp - the main program of a stand-alone executable ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `heed compile -o NAME` links this with a model. The new text is all that goes
// to standard output. The exit code is a heed_status.
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/GenerateFlags.h"

#include <cstdio>
#include <fmt/format.h>
#include <new>
#include <string>
#include <unistd.h>

using namespace heed;

/// The model that this executable was linked with.
extern "C" const heed_artifact heed_artifact_main;

namespace {

int fail(const Status &status) {
  std::fprintf(stderr, "error: %s\n", status.message.c_str());
  return status.code;
}

std::string help(const char *program) {
  return fmt::format("{0} - continues a text with the model {1}\n\n"
                     "usage: {0} -m FILE -p TEXT [flags]\n\n{2}\n"
                     "examples:\n"
                     "  {0} -m model.gguf -p \"A fluffy blue creature\" -n 32 --temp 0\n"
                     "  echo \"Why is the sky blue?\" | {0} -m model.gguf -p - --chat\n",
                     program, heed_artifact_main.name, generateFlagsHelp());
}

} // namespace

int main(int argc, char **argv) {
  std::set_new_handler([] {
    std::fputs("error: out of memory\n", stderr);
    _exit(HEED_ERROR_MEMORY);
  });
  const char *program = argc > 0 ? argv[0] : "model";
  ErrorOr<GenerateFlags> flags =
      parseGenerateFlags(std::span<const char *const>(argv + (argc > 0), argc - (argc > 0)));
  if (!flags)
    return fail(Status::input(flags.error()));
  if (flags->help) {
    std::fputs(help(program).c_str(), stdout);
    return HEED_OK;
  }
  if (!flags->arguments.empty())
    return fail(Status::input(fmt::format("'{}' is not a flag: give the text to continue with -p",
                                          flags->arguments.front())));
  if (flags->weights.empty())
    return fail(Status::input("there are no weights: give their file with -m FILE"));
  if (ErrorOr<void> read = readPrompt(*flags, stdin); !read)
    return fail(Status::input(read.error()));

  auto write = [](std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
           std::fflush(stdout) == 0;
  };
  GenerateStats stats;
  Status status = generate(heed_artifact_main, flags->weights, flags->options, write, stats);
  if (!status.ok())
    return fail(status);
  write("\n");
  if (std::ferror(stdout))
    return fail(Status::input("standard output can't be written to"));
  if (stats.contextFull)
    std::fputs("note: the context is full\n", stderr);
  if (flags->stats)
    printStats(stats, stderr);
  return HEED_OK;
}
