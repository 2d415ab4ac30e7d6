//===- BenchRun.h - what the tests of one run share -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_BENCHMARK_BENCHRUN_H
#define HEED_LIB_BENCHMARK_BENCHRUN_H

#include "heed/Benchmark/Bench.h"
#include "heed/Benchmark/Work.h"
#include "heed/Runtime/Model.h"

#include <chrono>
#include <vector>

namespace heed::bench {

/// What a repetition of a test has to do at least.
struct TestWork {
  Operations operations;
  double bytesRead = 0; ///< from memory; 0 where arithmetic is the limit
};

/// One run: the model, its report, and the limits measured in between.
struct BenchRun {
  heed_model &model;
  int32_t function;
  const BenchOptions &options;
  Report &report;
  WeightWork weights;
  Rooflines rooflines;
  std::vector<TestWork> work; ///< of each test in the report
  int64_t peakBytes = 0;      ///< without what the limits' own memory takes

  const heed_function &callee() const { return model.artifact->functions[function]; }
  /// Takes one more sample of the limits.
  void measureLimits();
  /// Adds `test`, which began now and does `ofTest` in each repetition.
  void add(TestResult test, const TestWork &ofTest);
};

// Both check all that can be wrong before they measure anything, and measure the limits before
// their first test, between tests, and after the last.

/// Prompts and new tokens.
Status runStepTests(BenchRun &run);
/// Calls of a function that keeps no cache.
Status runCallTest(BenchRun &run);

/// Nanoseconds that `work()` takes; whether it went well is left in `status`.
template <typename Work> double timeNs(Status &status, Work &&work) {
  auto begin = std::chrono::steady_clock::now();
  status = work();
  auto end = std::chrono::steady_clock::now();
  return std::chrono::duration<double, std::nano>(end - begin).count();
}

/// Now, as ISO 8601 in UTC.
std::string timeNow();

} // namespace heed::bench

#endif // HEED_LIB_BENCHMARK_BENCHRUN_H
