//===- Bench.cpp - times a compiled model ---------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Benchmark/Bench.h"

#include "BenchRun.h"

#include "heed/Benchmark/ProcessMemory.h"
#include "heed/Weights/WeightsFile.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <fstream>

using namespace heed;
using namespace heed::bench;

namespace {

std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (size_t colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return "unknown";
}

Status chooseFunction(const heed_artifact &artifact, const std::string &wanted, int32_t &index) {
  std::string names;
  index = -1;
  for (int32_t f = 0; f < artifact.n_functions; ++f) {
    const heed_function &function = artifact.functions[f];
    if (wanted.empty() ? function.kind == HEED_STEP && index < 0 : function.name == wanted)
      index = f;
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", function.name);
  }
  if (index < 0 && wanted.empty() && artifact.n_functions > 0)
    index = 0;
  if (index >= 0)
    return {};
  if (wanted.empty())
    return Status::input(fmt::format("{} exports no function to run", artifact.name));
  return Status::input(fmt::format("{} has no function '{}': it has {}", artifact.name, wanted,
                                   names.empty() ? "none" : names));
}

/// Some flags are for functions of one kind, and would silently do nothing for the other.
Status checkOptions(const heed_function &function, const BenchOptions &options) {
  bool isForCalls = !options.sizes.empty() || !options.fills.empty() || !options.runs.empty() ||
                    !options.operations.empty();
  if (function.kind == HEED_STEP && isForCalls)
    return Status::input(fmt::format("'{}' continues texts, so -p, -n and -d say what it is tested "
                                     "on; sizes, numbers of parameters and operations are for "
                                     "other functions",
                                     function.name));
  auto isNone = [](int64_t count) { return count == 0; };
  if (function.kind == HEED_STEP && std::ranges::all_of(options.prompts, isNone) &&
      std::ranges::all_of(options.generated, isNone))
    return Status::input("there is nothing to measure: ask for a prompt with -p N or for new "
                         "tokens with -n N");
  return {};
}

/// Compares each test with the medians of what was measured in the whole run.
void setLimits(BenchRun &run) {
  for (size_t t = 0; t < run.report.tests.size(); ++t) {
    TestResult &test = run.report.tests[t];
    const TestWork &work = run.work[t];
    LimitKind kind = work.bytesRead > 0 ? LimitKind::ReadMemory
                                        : limitOf(work.operations.mostly(), run.rooflines);
    double perNs = run.rooflines[kind].value();
    test.limit = run.rooflines[kind].name;
    if (work.bytesRead == 0)
      test.limitNs = work.operations.leastNs(run.rooflines);
    else if (perNs > 0)
      test.limitNs = work.bytesRead / perNs;
  }
  run.report.limits.assign(run.rooflines.limits().begin(), run.rooflines.limits().end());
}

} // namespace

std::string bench::timeNow() {
  std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

void BenchRun::measureLimits() {
  // The streams' memory isn't the model's.
  peakBytes = std::max(peakBytes, peakMemory());
  rooflines.measure();
  if (!resetPeakMemory())
    peakBytes = INT64_MAX; // not known from here on
}

void BenchRun::add(TestResult test, const TestWork &ofTest) {
  test.operations = ofTest.operations.total();
  report.tests.push_back(std::move(test));
  work.push_back(ofTest);
}

Status heed::runBenchmark(const heed_artifact &artifact, const std::string &weightsPath,
                          const BenchOptions &options, Report &report) {
  int32_t function = 0;
  if (Status status = chooseFunction(artifact, options.function, function); !status.ok())
    return status;
  if (Status status = checkOptions(artifact.functions[function], options); !status.ok())
    return status;
  if (artifact.n_weights > 0 && weightsPath.empty())
    return Status::input(fmt::format("{} has weights, and there is no file of them: name one with "
                                     "-m FILE",
                                     artifact.name));

  int64_t before = residentMemory();
  bool peakIsKnown = before > 0 && resetPeakMemory();
  std::unique_ptr<WeightsFile> file;
  std::unique_ptr<heed_model> model;
  Status status;
  report.loadNs = timeNs(status, [&]() -> Status {
    if (artifact.n_weights > 0) {
      ErrorOr<std::unique_ptr<WeightsFile>> opened = WeightsFile::open(weightsPath);
      if (!opened)
        return Status::input(opened.error());
      file = std::move(*opened);
    }
    return heed_model::open(artifact, file.get(), options.threads, model);
  });
  if (!status.ok())
    return status;

  report.processor = processorName();
  report.instructionSet = model->variant->name;
  report.program = artifact.name;
  report.weightsPath = file ? weightsPath : "";
  report.threads = model->pool->threads();
  report.batch = options.batch;
  report.packedBytes = model->weights.bytes();
  for (const TensorInfo &tensor : file ? file->tensors() : std::vector<TensorInfo>()) {
    report.fileBytes += static_cast<int64_t>(tensor.bytes);
    report.parameters += tensor.storage ? tensor.elements() : 0;
  }
  const heed_function &callee = artifact.functions[function];
  BenchRun run{*model,
               function,
               options,
               report,
               weightWork(artifact, callee, file.get(), model->variant->features, options.precise),
               Rooflines(*model->pool),
               {}};
  file.reset();

  status = callee.kind == HEED_STEP ? runStepTests(run) : runCallTest(run);
  if (!status.ok())
    return status;
  setLimits(run);
  run.peakBytes = std::max(run.peakBytes, peakMemory());
  if (peakIsKnown && run.peakBytes != INT64_MAX) {
    report.peakBytes = run.peakBytes;
    report.modelBytes = run.peakBytes - before;
  }
  return {};
}
