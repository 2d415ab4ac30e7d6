//===- Frontend.h - program text to a checked program ---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_FRONTEND_FRONTEND_H
#define HEED_FRONTEND_FRONTEND_H

#include "heed/Frontend/AST.h"
#include "heed/Frontend/ModelHeader.h"
#include "heed/Frontend/Program.h"
#include "heed/Support/Diagnostics.h"
#include "heed/Support/ErrorOr.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace heed {

/// Reads the text of a file that a program `use`s.
using FileLoader = std::function<ErrorOr<std::string>(const std::string &path)>;

/// Parses the buffer `file` and what it uses, and checks all of it against the weights' header.
/// `header` may be null: then sizes must stand in the program, and weights are taken to be F32.
/// Nothing where there are errors; they are in `diagnostics`.
std::optional<program::Program> parseAndCheck(SourceManager &sources, uint32_t file,
                                              const ModelHeader *header, const FileLoader &loader,
                                              DiagnosticEngine &diagnostics);

/// The text of the library that `use std` brings in.
std::string_view stdSource();

/// The syntax tree, one declaration or statement a line, every formula fully bracketed.
std::string dumpAst(const ast::File &file);

/// The checked program, one definition a line.
std::string dumpProgram(const program::Program &program);

} // namespace heed

#endif // HEED_FRONTEND_FRONTEND_H
