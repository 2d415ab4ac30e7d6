//===- CompiledProgram.h - a program compiled to run at once -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TOOLS_HEED_COMPILEDPROGRAM_H
#define HEED_TOOLS_HEED_COMPILEDPROGRAM_H

#include "Commands.h"

#include "heed/Pipelines/Compiler.h"
#include "heed/Runtime/Artifact.h"

#include <string>

namespace heed {

/// Compiles the program at `path` for these weights (empty: none), or finds what was compiled
/// before, and loads it; it stays loaded until the process ends. Where `options` name no
/// instruction set it is this processor's best; `optionsKey` is a text that differs where the other
/// options do. An error has an empty message where it was printed already; `code` is what to exit
/// with. `wasCompiled`, where not null, is whether nothing was found.
ErrorOr<const heed_artifact *> compileAndLoad(const std::string &path, const std::string &weights,
                                              CompilerOptions options, llvm::StringRef optionsKey,
                                              ExitCode &code, bool *wasCompiled = nullptr);

} // namespace heed

#endif // HEED_TOOLS_HEED_COMPILEDPROGRAM_H
