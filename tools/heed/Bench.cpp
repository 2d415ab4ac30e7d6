//===- Bench.cpp - heed bench: compiles, then times a program -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BenchFlags.h"
#include "CompiledProgram.h"

#include <chrono>
#include <cstdio>

using namespace heed;

int heed::benchCommand(int argc, char **argv) {
  auto flags = parseBenchFlags(argc, argv);
  if (!flags)
    return fail(flags.message());
  Report report;
  report.version = HEED_VERSION;
  report.cacheType = flags->compiler.cacheType;
  ExitCode code = kBadInput;
  auto begin = std::chrono::steady_clock::now();
  auto artifact = compileAndLoad(flags->program, flags->weights, flags->compiler,
                                 flags->compilerKey(), code, &report.wasCompiled);
  auto lasted = std::chrono::steady_clock::now() - begin;
  report.compileNs = std::chrono::duration<double, std::nano>(lasted).count();
  if (!artifact)
    return fail(artifact.message(), code);
  Status status = runBenchmark(**artifact, flags->weights, flags->bench, report);
  if (!status.ok())
    return fail(status.message, ExitCode(status.code));
  std::string text = flags->format == BenchFormat::Json  ? jsonReport(report)
                     : flags->format == BenchFormat::Csv ? csvReport(report)
                                                         : markdownReport(report);
  bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? int(kDone) : fail("standard output can't be written to");
}
