//===- BenchTest.cpp ------------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "heed/Benchmark/Bench.h"

#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace heed;
using nlohmann::json;

namespace {

/// How long anything took is never asserted, only that it was measured.
Report run(const BenchOptions &options) {
  tiny::WeightsOnDisk weights;
  Report report;
  Status status = runBenchmark(tiny::artifact, weights.path(), options, report);
  EXPECT_TRUE(status.ok()) << status.message;
  return report;
}

std::string errorOf(const BenchOptions &options, bool withWeights = true) {
  tiny::WeightsOnDisk weights;
  Report report;
  Status status = runBenchmark(tiny::artifact, withWeights ? weights.path() : "", options, report);
  EXPECT_EQ(status.code, HEED_ERROR_INPUT);
  return status.message;
}

TEST(Bench, PromptsAndNewTokensAtEachDepth) {
  BenchOptions options;
  options.prompts = {20};
  options.generated = {3, 0};
  options.depths = {0, 8};
  options.batch = 7;
  options.repetitions = 3;
  options.threads = 2;
  Report report = run(options);
  ASSERT_EQ(report.tests.size(), 4u);
  EXPECT_EQ(report.threads, 2);
  EXPECT_EQ(report.instructionSet, "any");
  EXPECT_GT(report.fileBytes, tiny::kVocabulary * tiny::kWidth);
  EXPECT_EQ(report.parameters, tiny::kVocabulary * tiny::kWidth + tiny::kLayers * tiny::kWidth);
  EXPECT_GT(report.loadNs, 0);
  EXPECT_GE(report.peakBytes, report.modelBytes);
  // Before, between and after.
  for (const Limit &limit : report.limits)
    EXPECT_TRUE(!limit.skipped.empty() || limit.samples.size() == 5) << limit.name;

  json parsed = json::parse(jsonReport(report), nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(parsed.is_object());
  const json &results = parsed["results"];
  ASSERT_EQ(results.size(), 4u);
  std::vector<std::vector<int>> counts;
  for (const json &test : results) {
    counts.push_back({test["n_prompt"], test["n_gen"], test["n_depth"]});
    EXPECT_EQ(test["samples_ns"].size(), 3u);
    EXPECT_EQ(test["samples_ts"].size(), 3u);
    EXPECT_GT(test["avg_ts"], 0);
    EXPECT_EQ(test["function"], "step");
    EXPECT_EQ(test["model_type"], "tiny");
    EXPECT_EQ(test["n_threads"], 2);
  }
  EXPECT_EQ(counts, (std::vector<std::vector<int>>{{20, 0, 0}, {0, 3, 0}, {20, 0, 8}, {0, 3, 8}}));
  // A prompt has logits for its last token alone; each new token has some.
  EXPECT_EQ(results[0]["operations"], 2.0 * tiny::kVocabulary * tiny::kWidth);
  EXPECT_EQ(results[1]["operations"], 3 * 2.0 * tiny::kVocabulary * tiny::kWidth);
  EXPECT_EQ(results[1]["limit"], "read_memory");
  double more = double(results[3]["limit_ns"]) - double(results[1]["limit_ns"]);
  EXPECT_NEAR(more * double(results[1]["read_memory"]), 3 * 8 * 4 * tiny::kLayers * tiny::kWidth,
              1);
}

TEST(Bench, CallsOfAFunction) {
  BenchOptions options;
  options.function = "scale";
  options.sizes = {{"n", 5}};
  options.operations = "2*n*32";
  options.repetitions = 2;
  options.threads = 1;
  Report report = run(options);
  ASSERT_EQ(report.tests.size(), 1u);
  const TestResult &test = report.tests[0];
  EXPECT_EQ(test.function, "scale");
  EXPECT_EQ(test.sizes, "n=5");
  EXPECT_EQ(test.tokens(), 0);
  EXPECT_EQ(test.operations, 2 * 5 * 32);
  ASSERT_EQ(test.samplesNs.size(), 2u);
  EXPECT_GT(test.samplesNs[0], 0);

  options.function = "pick"; // tokens in, so they must lie in the vocabulary
  options.operations.clear();
  EXPECT_EQ(run(options).tests[0].operations, 0);
  options.runs = {{"tokens", 2}};
  EXPECT_EQ(run(options).tests.size(), 1u);
}

TEST(Bench, WhatCantBeMeasured) {
  BenchOptions options;
  options.threads = 1;
  EXPECT_NE(errorOf(options, false).find("name one with -m FILE"), std::string::npos);
  options.function = "other";
  EXPECT_EQ(errorOf(options), "tiny has no function 'other': it has 'scale', 'step', 'pick'");
  options.function.clear();
  EXPECT_NE(errorOf(options).find("allows 1 … 64"), std::string::npos); // 512 tokens
  options.sizes = {{"n", 5}};
  EXPECT_NE(errorOf(options).find("'step' continues texts"), std::string::npos);
  options.sizes.clear();
  options.prompts = options.generated = {0};
  EXPECT_NE(errorOf(options).find("nothing to measure"), std::string::npos);
}

TEST(Bench, WhatCantBeCalled) {
  BenchOptions options;
  options.threads = 1;
  options.function = "pick";
  EXPECT_EQ(errorOf(options),
            "size n of 'pick' isn't known: give it with --size n=512, for instance");
  options.sizes = {{"n", 5}, {"m", 1}};
  EXPECT_EQ(errorOf(options), "'pick' has no run-time size m: it has n");
  options.sizes = {{"n", 5}};
  options.operations = "2*q";
  EXPECT_EQ(errorOf(options), "'q' is neither a number nor a run-time size of 'pick': operations "
                              "are such as 2*512*n");
  options.operations = "";
  options.fills = {{"tokens", 257}};
  EXPECT_EQ(errorOf(options), "'tokens' would hold 257, and 0 … 256 was expected");
  options.runs = {{"tokens", 1}};
  EXPECT_EQ(errorOf(options), "'tokens' is to hold both one number and runs: leave one out");
  options.fills = {{"y", 1}};
  EXPECT_EQ(errorOf(options), "'pick' has no integer parameter y");
}

} // namespace
