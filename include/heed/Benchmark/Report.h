//===- Report.h - what a benchmark found, and how it is shown -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_BENCHMARK_REPORT_H
#define HEED_BENCHMARK_REPORT_H

#include "heed/Benchmark/Rooflines.h"

#include <cstdint>
#include <string>
#include <vector>

namespace heed {

/// One test: a prompt, new tokens, or calls of a function that keeps no cache.
struct TestResult {
  std::string function;
  int64_t promptTokens = 0, newTokens = 0; ///< one of them above 0, or neither: a function's calls
  int64_t depth = 0;                       ///< tokens in the cache before
  std::string sizes;                       ///< of a function's call: "n=512,m=64"
  std::string time;                        ///< when it began, as ISO 8601 in UTC
  std::vector<double> samplesNs;           ///< a repetition each
  double operations = 0; ///< multiplications and additions of a repetition; 0: not known
  std::string limit;     ///< the limit that it is compared with, by its name in reports
  double limitNs = 0;    ///< the least that a repetition takes by this limit; 0: not known

  int64_t tokens() const { return promptTokens + newTokens; }
};

/// A run of `heed bench`.
struct Report {
  std::string version;                   ///< Heed's
  std::string processor;                 ///< as the system calls it
  std::string instructionSet;            ///< the variant of the code that ran
  std::string program;                   ///< the program's name
  std::string weightsPath;               ///< empty where there are none
  int64_t fileBytes = 0, parameters = 0; ///< of all tensors in the file
  int64_t packedBytes = 0;               ///< of all weights in memory
  int threads = 0;
  int64_t batch = 0;
  std::string cacheType;
  double compileNs = 0;
  bool wasCompiled = false; ///< else it was found in the cache
  double loadNs = 0;        ///< opening the file and laying the weights out
  int64_t peakBytes = 0;    ///< the process, while weights were loaded and tests ran; 0: not known
  int64_t modelBytes = 0;   ///< what of it came since the compiler was done
  std::vector<Limit> limits;
  std::vector<TestResult> tests;
};

/// Tables in Markdown, for people.
std::string markdownReport(const Report &report);

/// {"rooflines": [...], "results": [...]}: an object for each limit and for each test, whose fields
/// are named as llama-bench names them where it has them. Unknown numbers are null.
std::string jsonReport(const Report &report);

/// A line of names and a line for each test, with the fields of the JSON report but for samples.
std::string csvReport(const Report &report);

} // namespace heed

#endif // HEED_BENCHMARK_REPORT_H
