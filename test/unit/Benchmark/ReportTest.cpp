//===- ReportTest.cpp -----------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Benchmark/Report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace heed;
using nlohmann::json;

namespace {

Report sample() {
  Report report;
  report.version = "1.2.3";
  report.processor = "A \"fast\" processor, new";
  report.instructionSet = "avx512";
  report.program = "llama";
  report.weightsPath = "models/tiny.gguf";
  report.fileBytes = 84 << 20;
  report.parameters = 134'515'008;
  report.threads = 2;
  report.batch = 512;
  report.cacheType = "f32";
  report.peakBytes = 200 << 20;
  report.modelBytes = 100 << 20;
  report.limits.resize(2);
  report.limits[0] = {"fma_f32", "GFLOP/s", "AVX-512 vfmadd", "", {200, 202, 201}};
  report.limits[1] = {"dot_int8", "GOP/s", "", "the processor has no AVX512-VNNI", {}};
  TestResult prompt;
  prompt.function = "logits";
  prompt.promptTokens = 512;
  prompt.time = "2026-01-01T00:00:00Z";
  prompt.samplesNs = {1e9, 2e9, 4e9};
  prompt.operations = 1e11;
  prompt.limit = "fma_f32";
  prompt.limitNs = 0.5e9;
  TestResult tokens = prompt;
  tokens.promptTokens = 0;
  tokens.newTokens = 128;
  tokens.depth = 2048;
  TestResult call = prompt;
  call.promptTokens = 0;
  call.sizes = "n=512,m=2";
  call.operations = 0;
  call.limitNs = 0;
  report.tests = {prompt, tokens, call};
  return report;
}

TEST(Report, JsonHasLlamaBenchNames) {
  json parsed = json::parse(jsonReport(sample()), nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(parsed.is_object());
  ASSERT_EQ(parsed["results"].size(), 3u);
  const json &prompt = parsed["results"][0];
  for (const char *name :
       {"cpu_info",       "backends", "model_filename", "model_type", "model_size",
        "model_n_params", "n_batch",  "n_threads",      "type_k",     "type_v",
        "n_prompt",       "n_gen",    "n_depth",        "test_time",  "avg_ns",
        "stddev_ns",      "avg_ts",   "stddev_ts",      "samples_ns", "samples_ts"})
    EXPECT_TRUE(prompt.contains(name)) << name;
  EXPECT_EQ(prompt["cpu_info"], "A \"fast\" processor, new");
  EXPECT_EQ(prompt["n_prompt"], 512);
  EXPECT_EQ(prompt["n_gen"], 0);
  EXPECT_NEAR(prompt["avg_ns"], 7e9 / 3, 10);
  EXPECT_EQ(prompt["median_ns"], 2e9);
  EXPECT_EQ(prompt["median_ts"], 256);
  EXPECT_NEAR(prompt["avg_ts"], (512 + 256 + 128) / 3.0, 1e-4);
  EXPECT_EQ(prompt["samples_ts"], json({512, 256, 128}));
  EXPECT_EQ(prompt["limit_share"], 0.25);
  EXPECT_EQ(prompt["median_gflops"], 50);
  EXPECT_EQ(prompt["fma_f32"], 201);
  EXPECT_TRUE(prompt["dot_int8"].is_null());
  EXPECT_EQ(parsed["results"][1]["n_depth"], 2048);
  EXPECT_EQ(parsed["rooflines"][0]["samples"].size(), 3u);
  EXPECT_EQ(parsed["rooflines"][1]["skipped"], "the processor has no AVX512-VNNI");
}

TEST(Report, WhatIsNotKnownIsNull) {
  json parsed = json::parse(jsonReport(sample()), nullptr, /*allow_exceptions=*/false);
  const json &call = parsed["results"][2];
  for (const char *name :
       {"avg_ts", "median_ts", "operations", "median_gflops", "limit", "limit_ns", "limit_share"})
    EXPECT_TRUE(call[name].is_null()) << name;
  EXPECT_EQ(call["samples_ts"].size(), 0u);
  EXPECT_EQ(call["sizes"], "n=512,m=2");
  EXPECT_TRUE(json::parse(jsonReport({}), nullptr, false).is_object());
}

/// Splits a line of CSV, quotes taken off.
std::vector<std::string> split(const std::string &line) {
  std::vector<std::string> fields(1);
  bool isQuoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && isQuoted && line[i + 1] == '"')
      fields.back() += line[++i];
    else if (line[i] == '"')
      isQuoted = !isQuoted;
    else if (line[i] == ',' && !isQuoted)
      fields.emplace_back();
    else
      fields.back() += line[i];
  }
  return fields;
}

TEST(Report, CsvHasALineATest) {
  std::istringstream text(csvReport(sample()));
  std::vector<std::vector<std::string>> lines;
  for (std::string line; std::getline(text, line);)
    lines.push_back(split(line));
  ASSERT_EQ(lines.size(), 4u);
  for (const auto &line : lines)
    EXPECT_EQ(line.size(), lines[0].size());
  EXPECT_EQ(lines[0][0], "cpu_info");
  EXPECT_EQ(lines[1][0], "A \"fast\" processor, new");
  auto column = std::find(lines[0].begin(), lines[0].end(), "n_depth") - lines[0].begin();
  EXPECT_EQ(lines[2][column], "2048");
  EXPECT_EQ(csvReport({}), "");
}

TEST(Report, MarkdownNamesTestsAsLlamaBenchDoes) {
  std::string text = markdownReport(sample());
  EXPECT_NE(text.find("| pp512 "), std::string::npos) << text;
  EXPECT_NE(text.find("| tg128 @ d2048 "), std::string::npos) << text;
  EXPECT_NE(text.find("| logits n=512,m=2 "), std::string::npos) << text;
  EXPECT_NE(text.find("298.67 ± 195.52"), std::string::npos) << text;
  EXPECT_NE(text.find("25.0 % of fma_f32"), std::string::npos) << text;
  EXPECT_NE(text.find("not measured: the processor has no AVX512-VNNI"), std::string::npos) << text;
  EXPECT_NE(text.find("at most 200.0 MiB in memory, 100.0 MiB of it the model"), std::string::npos)
      << text;
}

} // namespace
