//===- CallTest.cpp - times calls of a function ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BenchRun.h"

#include "heed/Benchmark/Random.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace heed;
using namespace heed::bench;

namespace {

/// A repetition makes as many calls as fit so long, but at least one.
constexpr double kRepetitionNs = 20e6;

/// Random integers are below this where nothing says what they may be.
constexpr int64_t kDefaultIntegers = 16;

std::vector<std::string_view> sizeNames(const heed_function &function) {
  return {function.sizes, function.sizes + function.n_sizes};
}

/// The run-time sizes, in the function's order.
Status takeSizes(const heed_function &function, const std::map<std::string, int64_t> &given,
                 std::vector<int64_t> &sizes, std::string &text) {
  std::vector<std::string_view> names = sizeNames(function);
  for (const auto &[name, value] : given)
    if (std::ranges::find(names, name) == names.end())
      return Status::input(names.empty()
                               ? fmt::format("'{}' has no run-time sizes, and size {} was given",
                                             function.name, name)
                               : fmt::format("'{}' has no run-time size {}: it has {}",
                                             function.name, name, fmt::join(names, ", ")));
  for (std::string_view name : names) {
    auto found = given.find(std::string(name));
    if (found == given.end())
      return Status::input(fmt::format("size {} of '{}' isn't known: give it with --size {}=512, "
                                       "for instance",
                                       name, function.name, name));
    sizes.push_back(found->second);
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, found->second);
  }
  return {};
}

/// "2*n*64" as a number.
Status countOperations(const heed_function &function, const std::vector<int64_t> &sizes,
                       std::string_view text, double &count) {
  count = text.empty() ? 0 : 1;
  std::vector<std::string_view> names = sizeNames(function);
  for (bool isLast = text.empty(); !isLast;) {
    size_t star = text.find('*');
    std::string_view term = text.substr(0, star);
    isLast = star == std::string_view::npos;
    text.remove_prefix(isLast ? text.size() : star + 1);
    double value = 0;
    auto [rest, failure] = std::from_chars(term.data(), term.data() + term.size(), value);
    auto named = std::ranges::find(names, term);
    if (named != names.end())
      value = static_cast<double>(sizes[named - names.begin()]);
    else if (failure != std::errc() || rest != term.data() + term.size() || value < 0)
      return Status::input(fmt::format("'{}' is neither a number nor a run-time size of '{}': "
                                       "operations are such as 2*512*{}",
                                       term, function.name, names.empty() ? "64" : names.front()));
    count *= value;
  }
  return {};
}

/// Memory for `tensor`, whose elements are four bytes each, as the runtime takes them.
Status allocate(const heed_tensor &tensor, const std::vector<int64_t> &sizes, Region &region,
                int64_t &elements) {
  elements = 1;
  bool tooMany = false;
  for (int32_t a = 0; a < tensor.rank; ++a) {
    int64_t extent = tensor.dims[a] >= 0 ? tensor.dims[a] : sizes[-1 - tensor.dims[a]];
    tooMany |= __builtin_mul_overflow(elements, extent, &elements);
  }
  if (tensor.element != HEED_F32 && tensor.element != HEED_I32)
    return Status::internal(
        fmt::format("'{}' has elements of kind {}", tensor.name, tensor.element));
  int64_t bytes = 0;
  tooMany |= __builtin_mul_overflow(elements, 4, &bytes);
  if (tooMany || !region.allocate(bytes, Region::Pages::Huge))
    return Status::memory(
        fmt::format("out of memory: '{}' is too large: ask for smaller sizes", tensor.name));
  return {};
}

/// What stands in an integer parameter.
struct Integers {
  int64_t limit; ///< they are below this
  std::optional<int64_t> fill, run;
};

Status integersOf(const heed_function &function, const BenchOptions &options, const char *name,
                  int64_t elements, Integers &integers) {
  integers.limit = function.token_limit > 0 ? function.token_limit : kDefaultIntegers;
  if (auto found = options.fills.find(name); found != options.fills.end())
    integers.fill = found->second;
  if (auto found = options.runs.find(name); found != options.runs.end())
    integers.run = found->second;
  if (integers.fill && integers.run)
    return Status::input(
        fmt::format("'{}' is to hold both one number and runs: leave one out", name));
  int64_t most = function.token_limit > 0 ? function.token_limit - 1 : INT32_MAX;
  int64_t largest = integers.fill                  ? *integers.fill
                    : integers.run && elements > 0 ? (elements - 1) / *integers.run
                                                   : 0;
  if (largest < 0 || largest > most)
    return Status::input(
        fmt::format("'{}' would hold {}, and 0 … {} was expected", name, largest, most));
  return {};
}

void writeIntegers(const Integers &integers, Random &random, int32_t *data, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    data[i] = static_cast<int32_t>(integers.fill  ? *integers.fill
                                   : integers.run ? i / *integers.run
                                                  : random.below(integers.limit));
}

/// Whatever the options name must be an integer parameter.
Status checkNames(const heed_function &function, const BenchOptions &options) {
  for (const auto *named : {&options.fills, &options.runs})
    for (const auto &entry : *named)
      if (std::none_of(function.params, function.params + function.n_params,
                       [&](const heed_tensor &param) {
                         return param.element == HEED_I32 && param.name == entry.first;
                       }))
        return Status::input(
            fmt::format("'{}' has no integer parameter {}", function.name, entry.first));
  return {};
}

} // namespace

Status bench::runCallTest(BenchRun &run) {
  const heed_function &function = run.callee();
  const BenchOptions &options = run.options;
  std::vector<int64_t> sizes;
  TestResult test{
      .function = function.name, .sizes = {}, .time = timeNow(), .samplesNs = {}, .limit = {}};
  TestWork work;
  double operations = 0;
  if (Status status = takeSizes(function, options.sizes, sizes, test.sizes); !status.ok())
    return status;
  if (Status status = countOperations(function, sizes, options.operations, operations);
      !status.ok())
    return status;
  // What has no weights may be an attention.
  bool isNarrow = run.weights.bytes == 0 && options.narrowAttention;
  Arithmetic kind = isNarrow ? Arithmetic::Bf16 : run.weights.ofToken.mostly();
  work.operations.of[static_cast<int>(kind)] = operations;
  if (Status status = checkNames(function, options); !status.ok())
    return status;

  std::vector<Region> regions(function.n_params + function.n_results);
  std::vector<const void *> params;
  std::vector<void *> results;
  Random random(options.seed);
  for (int32_t p = 0; p < function.n_params; ++p) {
    const heed_tensor &param = function.params[p];
    int64_t elements = 0;
    if (Status status = allocate(param, sizes, regions[p], elements); !status.ok())
      return status;
    params.push_back(regions[p].data());
    if (param.element == HEED_I32) {
      Integers integers{};
      if (Status status = integersOf(function, options, param.name, elements, integers);
          !status.ok())
        return status;
      writeIntegers(integers, random, reinterpret_cast<int32_t *>(regions[p].data()), elements);
      continue;
    }
    auto *numbers = reinterpret_cast<float *>(regions[p].data());
    for (int64_t i = 0; i < elements; ++i)
      numbers[i] = random.symmetric();
  }
  for (int32_t r = 0; r < function.n_results; ++r) {
    Region &region = regions[function.n_params + r];
    int64_t elements = 0;
    if (Status status = allocate(function.results[r], sizes, region, elements); !status.ok())
      return status;
    results.push_back(region.data());
  }

  auto call = [&] {
    return run.model.call(run.function, sizes.data(), params.data(), results.data());
  };
  Status status = call(); // warms up; what is wrong with the arguments shows here
  if (!status.ok())
    return status;
  run.measureLimits();
  double once = timeNs(status, call);
  auto calls = static_cast<int64_t>(std::clamp(kRepetitionNs / std::max(once, 1.0), 1.0, 1e6));
  for (int64_t r = 0; r < options.repetitions && status.ok(); ++r)
    test.samplesNs.push_back(timeNs(status,
                                    [&] {
                                      Status each;
                                      for (int64_t c = 0; c < calls && each.ok(); ++c)
                                        each = call();
                                      return each;
                                    }) /
                             static_cast<double>(calls));
  if (!status.ok())
    return status;
  run.add(std::move(test), work);
  run.measureLimits();
  return {};
}
