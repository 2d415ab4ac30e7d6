//===- CompileFlags.h - what heed compile is asked for -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TOOLS_HEED_COMPILEFLAGS_H
#define HEED_TOOLS_HEED_COMPILEFLAGS_H

#include "Commands.h"

#include "heed/Pipelines/Compiler.h"

#include <string>

namespace heed {

/// What to write.
enum class Emit {
  Ast,
  Formula,
  Attn,
  Fused,
  Tiled,
  Vector,
  LLVM,
  LLVMIR,
  Assembly,
  Object,
  Library,
  Executable
};

struct CompileFlags {
  std::string program, weights, output;
  Emit emit = Emit::Library;
  CompilerOptions options;
  bool verifyNumerically = false;

  /// The phase to stop at, where `emit` names one.
  std::optional<Phase> phase() const;
};

/// Reads the flags of `heed compile`; prints the help and exits where that is asked for.
ErrorOr<CompileFlags> parseCompileFlags(int argc, char **argv);

/// Says what is wrong with a value of --attention-type, given whether --invariant is.
ErrorOr<void> checkAttentionType(llvm::StringRef name, bool invariant);
/// Says what is wrong with a value of --cache-type.
ErrorOr<void> checkCacheType(llvm::StringRef name);

/// Compiles to `output` (and its C header beside it, but for executables).
ErrorOr<void> buildArtifact(Compiler &compiler, Emit emit, const std::string &output);

/// What to exit with where a step of `compiler` failed.
ExitCode exitCode(const Compiler &compiler);

} // namespace heed

#endif // HEED_TOOLS_HEED_COMPILEFLAGS_H
