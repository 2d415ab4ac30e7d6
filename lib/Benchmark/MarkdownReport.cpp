//===- MarkdownReport.cpp - what a benchmark found, for people ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Benchmark/Report.h"

#include "heed/Benchmark/Statistics.h"

#include <algorithm>
#include <fmt/format.h>

using namespace heed;

namespace {

using Row = std::vector<std::string>;

/// How many columns of a terminal a text takes: characters, not bytes.
size_t width(const std::string &text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// A table whose columns line up; the first row is the head, numbers stand on the right.
std::string table(const std::vector<Row> &rows, size_t leftColumns) {
  std::vector<size_t> widths(rows.front().size(), 3);
  for (const Row &row : rows)
    for (size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], width(row[c]));
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < widths.size(); ++c) {
      std::string gap(widths[c] - width(rows[r][c]), ' ');
      text += c < leftColumns ? fmt::format("| {}{} ", rows[r][c], gap)
                              : fmt::format("| {}{} ", gap, rows[r][c]);
    }
    text += "|\n";
    if (r > 0)
      continue;
    for (size_t c = 0; c < widths.size(); ++c)
      text += c < leftColumns ? fmt::format("| {:-<{}} ", "", widths[c])
                              : fmt::format("| {:-<{}}: ", "", widths[c] - 1);
    text += "|\n";
  }
  return text;
}

std::string bytes(int64_t count) {
  double value = static_cast<double>(count);
  return count < int64_t{1} << 20   ? fmt::format("{:.1f} KiB", value / 0x1p10)
         : count < int64_t{1} << 30 ? fmt::format("{:.1f} MiB", value / 0x1p20)
                                    : fmt::format("{:.2f} GiB", value / 0x1p30);
}

/// A time in the unit that suits it.
std::string duration(double ns) {
  return ns < 1e4   ? fmt::format("{:.0f} ns", ns)
         : ns < 1e7 ? fmt::format("{:.1f} µs", ns * 1e-3)
         : ns < 1e9 ? fmt::format("{:.1f} ms", ns * 1e-6)
                    : fmt::format("{:.2f} s", ns * 1e-9);
}

/// As llama-bench calls it: pp512, tg128 @ d2048; of a function its name and sizes.
std::string testName(const TestResult &test) {
  if (test.tokens() == 0)
    return test.sizes.empty() ? test.function : fmt::format("{} {}", test.function, test.sizes);
  return fmt::format("{}{}{}", test.promptTokens > 0 ? "pp" : "tg", test.tokens(),
                     test.depth > 0 ? fmt::format(" @ d{}", test.depth) : "");
}

std::string share(const TestResult &test, double middle) {
  if (test.limitNs <= 0 || middle <= 0)
    return "";
  return fmt::format("{:.1f} % of {}", 100 * test.limitNs / middle, test.limit);
}

Row rowOf(const TestResult &test) {
  std::vector<double> rates;
  for (double ns : test.samplesNs)
    rates.push_back(test.tokens() > 0 ? 1e9 * static_cast<double>(test.tokens()) / ns
                                      : test.operations / ns);
  double middle = median(test.samplesNs);
  std::string rate = test.tokens() == 0 && test.operations == 0
                         ? ""
                         : fmt::format("{:.2f} ± {:.2f}", mean(rates), sampleStddev(rates));
  Interval times = bootstrapInterval(test.samplesNs, median);
  return {testName(test),
          test.tokens() > 0 ? "t/s"
          : rate.empty()    ? ""
                            : "GFLOP/s",
          rate,
          duration(middle),
          fmt::format("{} … {}", duration(times.low), duration(times.high)),
          share(test, middle)};
}

std::string limitsTable(const Report &report) {
  std::vector<Row> rows = {{"limit", "how", "median", "least … most"}};
  for (const Limit &limit : report.limits) {
    if (limit.samples.empty()) {
      rows.push_back({limit.name, "not measured: " + limit.skipped, "", ""});
      continue;
    }
    auto [least, most] = std::minmax_element(limit.samples.begin(), limit.samples.end());
    rows.push_back({limit.name, limit.how, fmt::format("{:.1f} {}", limit.value(), limit.unit),
                    fmt::format("{:.1f} … {:.1f}", *least, *most)});
  }
  return table(rows, 2);
}

} // namespace

std::string heed::markdownReport(const Report &report) {
  std::vector<Row> rows = {{"test", "unit", "mean ± deviation", "median time", "95 %", "limit"}};
  for (const TestResult &test : report.tests)
    rows.push_back(rowOf(test));
  std::string text = fmt::format("{}, {}, {} threads, heed {}\n", report.program,
                                 report.instructionSet, report.threads, report.version);
  if (!report.weightsPath.empty())
    text += fmt::format("{}: {}, {:.1f} M parameters, {} packed, caches {}\n", report.weightsPath,
                        bytes(report.fileBytes), static_cast<double>(report.parameters) * 1e-6,
                        bytes(report.packedBytes), report.cacheType);
  text += '\n' + table(rows, 2) + '\n' + limitsTable(report) + '\n';
  text += report.wasCompiled ? fmt::format("compiled in {}", duration(report.compileNs))
                             : fmt::format("found compiled in {}", duration(report.compileNs));
  text += fmt::format("; loaded in {}", duration(report.loadNs));
  if (report.peakBytes > 0)
    text += fmt::format("; at most {} in memory, {} of it the model", bytes(report.peakBytes),
                        bytes(report.modelBytes));
  return text + '\n';
}
