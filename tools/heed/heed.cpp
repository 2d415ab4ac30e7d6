//===- heed.cpp - the command line: chooses a command -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include <cstdio>
#include <cstring>
#include <new>
#include <unistd.h>

using namespace heed;

static constexpr struct {
  const char *name, *summary;
  int (*run)(int, char **);
} kCommands[] = {
    {"compile", "compile a program to an object, a library, an executable, or stop at a phase",
     compileCommand},
    {"generate", "continue a text with a model", generateCommand},
    {"embed", "turn texts into vectors", embedCommand},
    {"tokenize", "show the tokens of a text", tokenizeCommand},
    {"verify", "evaluate a program after every pass, and run its code", verifyCommand},
    {"bench", "time a program, beside what this machine can do", benchCommand},
    {"tune", "measure which tiles suit this machine, for what compiles here", tuneCommand},
    {"explain", "explain an error by its id", explainCommand},
};

static void printHelp() {
  std::puts("heed - compiles transformers, written as their formulas, to native code\n\n"
            "usage: heed COMMAND [arguments]\n");
  for (const auto &command : kCommands)
    std::printf("  %-10s %s\n", command.name, command.summary);
  std::puts("\n`heed COMMAND --help` shows a command's flags and examples.\n\n"
            "examples:\n"
            "  heed generate examples/llama.heed -m model.gguf -p \"Once upon a time\" -n 64\n"
            "  heed compile examples/llama.heed --weights model.gguf -o model.so\n"
            "  heed compile examples/single_head.heed --emit=attn\n"
            "  heed explain E0301");
}

int main(int argc, char **argv) {
  std::set_new_handler([] {
    std::fputs("error: out of memory\n", stderr);
    _exit(kOutOfMemory);
  });
  if (argc < 2 || !std::strcmp(argv[1], "--help") || !std::strcmp(argv[1], "-h") ||
      !std::strcmp(argv[1], "help")) {
    printHelp();
    return argc < 2 ? kBadInput : kDone;
  }
  if (!std::strcmp(argv[1], "--version")) {
    std::puts("heed " HEED_VERSION);
    return kDone;
  }
  for (const auto &command : kCommands)
    if (!std::strcmp(argv[1], command.name))
      return command.run(argc - 1, argv + 1);
  return fail("no command '" + std::string(argv[1]) +
              "', expected compile, generate, embed, tokenize, verify, bench, tune or explain; "
              "`heed --help` shows what each does");
}
