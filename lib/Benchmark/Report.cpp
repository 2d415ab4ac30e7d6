//===- Report.cpp - what a benchmark found, as data -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Benchmark/Report.h"

#include "heed/Benchmark/Statistics.h"

#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <variant>

using namespace heed;

namespace {

/// A field's value: unknown, a text, a number, a count, a condition, or samples.
using Value = std::variant<std::monostate, std::string, double, int64_t, bool, std::vector<double>>;

struct Field {
  const char *name;
  Value value;
};

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", c);
    else
      out += c;
  }
  return out + '"';
}

/// JSON has no infinity, and nine digits are more than any clock gives.
std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.9g}", value) : "null";
}

std::string asJson(const Value &value) {
  if (auto *text = std::get_if<std::string>(&value))
    return quoted(*text);
  if (auto *real = std::get_if<double>(&value))
    return number(*real);
  if (auto *count = std::get_if<int64_t>(&value))
    return fmt::format("{}", *count);
  if (auto *condition = std::get_if<bool>(&value))
    return *condition ? "true" : "false";
  if (auto *samples = std::get_if<std::vector<double>>(&value)) {
    std::string list;
    for (double sample : *samples)
      list += (list.empty() ? "" : ", ") + number(sample);
    return '[' + list + ']';
  }
  return "null";
}

std::string asJson(const std::vector<Field> &fields) {
  std::string text;
  for (const Field &field : fields)
    text += fmt::format("{}\n      {}: {}", text.empty() ? "" : ",", quoted(field.name),
                        asJson(field.value));
  return "    {" + text + "\n    }";
}

/// Quoted where a comma, a quote or a line's end would end the field.
std::string asCsv(const Value &value) {
  if (std::holds_alternative<std::monostate>(value))
    return "";
  auto *text = std::get_if<std::string>(&value);
  if (!text)
    return asJson(value);
  if (text->find_first_of(",\"\n\r") == std::string::npos)
    return *text;
  std::string out = "\"";
  for (char c : *text)
    out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

Value knownOr(double value) { return value > 0 ? Value(value) : Value(); }
Value knownOr(int64_t value) { return value > 0 ? Value(value) : Value(); }

std::vector<double> tokensPerSecond(const TestResult &test) {
  std::vector<double> rates;
  for (double ns : test.samplesNs)
    rates.push_back(1e9 * static_cast<double>(test.tokens()) / ns);
  return rates;
}

std::vector<Field> fieldsOf(const Report &report, const TestResult &test) {
  std::vector<double> rates = tokensPerSecond(test);
  double middle = median(test.samplesNs);
  Interval times = bootstrapInterval(test.samplesNs, median);
  bool hasTokens = test.tokens() > 0;
  auto rate = [&](double value) { return hasTokens ? Value(value) : Value(); };
  std::vector<Field> fields = {
      // llama-bench's
      {"cpu_info", report.processor},
      {"backends", "CPU"},
      {"model_filename", report.weightsPath},
      {"model_type", report.program},
      {"model_size", report.fileBytes},
      {"model_n_params", report.parameters},
      {"n_batch", report.batch},
      {"n_threads", int64_t{report.threads}},
      {"type_k", report.cacheType},
      {"type_v", report.cacheType},
      {"n_prompt", test.promptTokens},
      {"n_gen", test.newTokens},
      {"n_depth", test.depth},
      {"test_time", test.time},
      {"avg_ns", mean(test.samplesNs)},
      {"stddev_ns", sampleStddev(test.samplesNs)},
      {"avg_ts", rate(mean(rates))},
      {"stddev_ts", rate(sampleStddev(rates))},
      // Heed's
      {"heed_version", report.version},
      {"instruction_set", report.instructionSet},
      {"function", test.function},
      {"sizes", test.sizes},
      {"median_ns", middle},
      {"low_ns", times.low},
      {"high_ns", times.high},
      {"median_ts", rate(median(rates))},
      {"operations", knownOr(test.operations)},
      {"median_gflops", middle > 0 ? knownOr(test.operations / middle) : Value()},
      {"limit", test.limitNs > 0 ? Value(test.limit) : Value()},
      {"limit_ns", knownOr(test.limitNs)},
      {"limit_share", middle > 0 ? knownOr(test.limitNs / middle) : Value()},
      {"compile_ns", report.compileNs},
      {"was_compiled", report.wasCompiled},
      {"load_ns", report.loadNs},
      {"packed_size", report.packedBytes},
      {"peak_rss", knownOr(report.peakBytes)},
      {"model_rss", knownOr(report.modelBytes)},
  };
  for (const Limit &limit : report.limits)
    fields.push_back({limit.name, knownOr(limit.value())});
  return fields;
}

} // namespace

std::string heed::jsonReport(const Report &report) {
  std::string limits, tests;
  for (const Limit &limit : report.limits) {
    Interval range = bootstrapInterval(limit.samples, median);
    limits += (limits.empty() ? "" : ",\n") +
              asJson(std::vector<Field>{
                  {"name", limit.name},
                  {"unit", limit.unit},
                  {"how", limit.how},
                  {"skipped", limit.skipped.empty() ? Value() : Value(limit.skipped)},
                  {"median", knownOr(limit.value())},
                  {"low", knownOr(range.low)},
                  {"high", knownOr(range.high)},
                  {"samples", limit.samples}});
  }
  for (const TestResult &test : report.tests) {
    std::vector<Field> fields = fieldsOf(report, test);
    fields.push_back({"samples_ns", test.samplesNs});
    fields.push_back(
        {"samples_ts", test.tokens() > 0 ? tokensPerSecond(test) : std::vector<double>()});
    tests += (tests.empty() ? "" : ",\n") + asJson(fields);
  }
  return fmt::format("{{\n  \"rooflines\": [\n{}\n  ],\n  \"results\": [\n{}\n  ]\n}}\n", limits,
                     tests);
}

std::string heed::csvReport(const Report &report) {
  std::string text;
  for (const TestResult &test : report.tests) {
    std::string names, values;
    for (const Field &field : fieldsOf(report, test)) {
      const char *comma = names.empty() ? "" : ",";
      names += comma + std::string(field.name);
      values += comma + asCsv(field.value);
    }
    if (text.empty())
      text = names + '\n';
    text += values + '\n';
  }
  return text;
}
