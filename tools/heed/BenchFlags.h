//===- BenchFlags.h - what heed bench is asked for ------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TOOLS_HEED_BENCHFLAGS_H
#define HEED_TOOLS_HEED_BENCHFLAGS_H

#include "heed/Benchmark/Bench.h"
#include "heed/Pipelines/Compiler.h"
#include "heed/Support/ErrorOr.h"

#include <string>

namespace heed {

/// How results are written.
enum class BenchFormat { Markdown, Json, Csv };

struct BenchFlags {
  std::string program, weights;
  BenchFormat format = BenchFormat::Markdown;
  BenchOptions bench;
  CompilerOptions compiler;
  /// Differs where the compiler's options do.
  std::string compilerKey() const;
};

/// Reads the flags of `heed bench`; prints the help and exits where that is asked for.
ErrorOr<BenchFlags> parseBenchFlags(int argc, char **argv);

} // namespace heed

#endif // HEED_TOOLS_HEED_BENCHFLAGS_H
