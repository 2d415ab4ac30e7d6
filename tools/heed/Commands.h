//===- Commands.h - the commands of heed -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TOOLS_HEED_COMMANDS_H
#define HEED_TOOLS_HEED_COMMANDS_H

#include "heed/Support/ErrorOr.h"

#include <string>
#include <string_view>

namespace heed {

/// Exit codes of every command.
enum ExitCode { kDone = 0, kBadInput = 1, kInternalError = 2, kOutOfMemory = 3 };

// Each takes the arguments behind its name; argv[0] is "heed NAME".
int compileCommand(int argc, char **argv);
int generateCommand(int argc, char **argv);
int embedCommand(int argc, char **argv);
int tokenizeCommand(int argc, char **argv);
int verifyCommand(int argc, char **argv);
int benchCommand(int argc, char **argv);
int tuneCommand(int argc, char **argv);
int explainCommand(int argc, char **argv);

/// Prints "error: message" and returns `code`. An empty message was printed before.
int fail(std::string_view message, ExitCode code = kBadInput);

/// The whole of a text file; `-` is not special. At most 4 MiB.
ErrorOr<std::string> readTextFile(const std::string &path);

} // namespace heed

#endif // HEED_TOOLS_HEED_COMMANDS_H
