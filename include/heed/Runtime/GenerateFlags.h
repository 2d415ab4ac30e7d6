//===- GenerateFlags.h - the command line of text generation ---*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_RUNTIME_GENERATEFLAGS_H
#define HEED_RUNTIME_GENERATEFLAGS_H

#include "heed/Runtime/Generate.h"
#include "heed/Support/ErrorOr.h"

#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

/// What a command line asks for.
struct GenerateFlags {
  std::string weights;
  /// Where the prompt comes from: its text ("-" is standard input), or a file's name.
  std::optional<std::string> promptText, promptFile;
  GenerateOptions options; ///< all but the prompt, which `readPrompt` puts there
  bool stats = false;      ///< report times on standard error
  bool help = false;
  std::vector<std::string> arguments; ///< whatever is not a flag: a program's file name
};

/// Reads the arguments after the command's name. Values follow their flag or, for long flags, an
/// equals sign; "--" ends the flags. Errors name the flag, what was found and what was expected.
ErrorOr<GenerateFlags> parseGenerateFlags(std::span<const char *const> arguments);

/// Puts the prompt that the flags name into `flags.options.prompt`. Errors: none or two of them, a
/// file that can't be read, or one too large to be a prompt.
ErrorOr<void> readPrompt(GenerateFlags &flags, std::FILE *standardInput);

/// The flags, one a line, for `--help`.
std::string_view generateFlagsHelp();

/// Writes how long what took, for `--stats`.
void printStats(const GenerateStats &stats, std::FILE *out);

} // namespace heed

#endif // HEED_RUNTIME_GENERATEFLAGS_H
