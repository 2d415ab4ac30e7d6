//===- Bench.h - times a compiled model -----------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_BENCHMARK_BENCH_H
#define HEED_BENCHMARK_BENCH_H

#include "heed/Benchmark/Report.h"
#include "heed/Runtime/Status.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace heed {

struct BenchOptions {
  /// The function to run; empty takes the first that can continue a text, else the first.
  std::string function;
  // Of a function that continues texts. Each prompt and each number of new tokens is a test at
  // each depth; 0 is none.
  // None of the lists is empty.
  std::vector<int64_t> prompts = {512}, generated = {128}, depths = {0};
  int64_t batch = 512; ///< a prompt is read in pieces of so many tokens, at least 1
  // Of any other function.
  std::map<std::string, int64_t> sizes; ///< its run-time sizes
  std::map<std::string, int64_t> fills; ///< integer parameters that hold one number throughout
  std::map<std::string, int64_t> runs;  ///< … that count up, one after so many elements
  /// Multiplications and additions of a call: numbers and sizes joined by *; empty: not known.
  std::string operations;

  int64_t repetitions = 5;      ///< at least 1
  int threads = 0;              ///< 0: one for each processor
  bool precise = false;         ///< the code was compiled to keep activations in f32
  bool narrowAttention = false; ///< it was compiled to multiply bf16 in every attention
  uint64_t seed = 1;            ///< of random tokens and numbers
};

/// Loads `artifact` with the weights at `weightsPath` (empty where it has none), runs the tests
/// that `options` name, each after a warm-up, and measures the machine's limits before, between and
/// after them on the same threads. Fills all of `report` but what the compiler knows. Errors: a
/// file that can't be loaded, a function, size or parameter that isn't there, a text longer than
/// the context, no memory.
Status runBenchmark(const heed_artifact &artifact, const std::string &weightsPath,
                    const BenchOptions &options, Report &report);

} // namespace heed

#endif // HEED_BENCHMARK_BENCH_H
