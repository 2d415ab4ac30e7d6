//===- StepTests.cpp - times prompts and new tokens -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BenchRun.h"

#include "heed/Benchmark/Random.h"

#include <algorithm>
#include <fmt/format.h>

using namespace heed;
using namespace heed::bench;

namespace {

/// Random tokens of the vocabulary.
std::vector<int32_t> randomTokens(const heed_function &function, int64_t count, uint64_t seed) {
  int64_t vocabulary =
      function.token_limit > 0 ? function.token_limit : function.results[0].dims[1];
  Random random(seed);
  std::vector<int32_t> tokens(count);
  for (int32_t &token : tokens)
    token = static_cast<int32_t>(random.below(vocabulary));
  return tokens;
}

/// One test: `count` tokens after `depth` others, all at once or one after the other.
class StepTest {
public:
  StepTest(BenchRun &run, int64_t depth, int64_t count, bool isPrompt)
      : run(run), depth(depth), count(count), isPrompt(isPrompt),
        before(randomTokens(run.callee(), depth, run.options.seed)),
        tokens(randomTokens(run.callee(), count, run.options.seed + 1)) {}

  Status measure() {
    if (Status status = heed_session::create(run.model, run.function, depth + count, session);
        !status.ok())
      return status;
    logits.resize(session->vocabulary());
    TestResult test{.function = run.callee().name,
                    .promptTokens = isPrompt ? count : 0,
                    .newTokens = isPrompt ? 0 : count,
                    .depth = depth,
                    .sizes = {},
                    .time = timeNow(),
                    .samplesNs = {},
                    .limit = {}};
    // The first repetition warms up: memory is touched for the first time, threads wake.
    for (int64_t r = 0; r <= run.options.repetitions; ++r) {
      if (Status status = returnToDepth(); !status.ok())
        return status;
      Status status;
      double ns = timeNs(status, [&] { return isPrompt ? read(tokens, 1) : generate(); });
      if (!status.ok())
        return status;
      if (r > 0)
        test.samplesNs.push_back(ns);
    }
    run.add(std::move(test), work());
    return {};
  }

private:
  /// Cuts the text to what every repetition finds.
  Status returnToDepth() {
    if (session->length() == depth)
      return {};
    if (session->length() > depth && session->truncate(depth).ok())
      return {};
    // A window's cache may have lost what came before.
    if (Status status = session->truncate(0); !status.ok())
      return status;
    return read(before, 0);
  }

  /// Reads a text in pieces, as a prompt is read, and asks for the last `rows` rows of logits.
  Status read(std::span<const int32_t> text, int64_t rows) {
    while (!text.empty()) {
      auto piece = text.first(std::min<size_t>(text.size(), run.options.batch));
      text = text.subspan(piece.size());
      Status status = session->step(piece.data(), static_cast<int64_t>(piece.size()),
                                    text.empty() ? rows : 0, logits.data());
      if (!status.ok())
        return status;
    }
    return {};
  }

  /// Each token's logits are there before the next one is known.
  Status generate() {
    for (int32_t token : tokens)
      if (Status status = session->step(&token, 1, 1, logits.data()); !status.ok())
        return status;
    return {};
  }

  TestWork work() const {
    TestWork work;
    double rows = isPrompt ? 1 : static_cast<double>(count);
    for (size_t k = 0; k < work.operations.of.size(); ++k)
      work.operations.of[k] = run.weights.ofToken.of[k] * static_cast<double>(count) +
                              run.weights.ofLogitsRow.of[k] * rows;
    for (int64_t i = 0; i < count && !isPrompt; ++i)
      work.bytesRead += static_cast<double>(run.weights.bytes) +
                        static_cast<double>(cacheBytesRead(run.callee(), depth + i + 1));
    return work;
  }

  BenchRun &run;
  int64_t depth, count;
  bool isPrompt;
  std::vector<int32_t> before, tokens;
  std::unique_ptr<heed_session> session;
  std::vector<float> logits;
};

} // namespace

Status bench::runStepTests(BenchRun &run) {
  const BenchOptions &options = run.options;
  // Whether the longest text fits is known before anything is measured.
  int64_t longest =
      std::ranges::max(options.depths) +
      std::max(std::ranges::max(options.prompts), std::ranges::max(options.generated));
  std::unique_ptr<heed_session> session;
  if (Status status = heed_session::create(run.model, run.function, longest, session); !status.ok())
    return status;
  session.reset();
  run.measureLimits();
  for (int64_t depth : options.depths)
    for (bool isPrompt : {true, false})
      for (int64_t count : isPrompt ? options.prompts : options.generated) {
        if (count == 0)
          continue;
        if (Status status = StepTest(run, depth, count, isPrompt).measure(); !status.ok())
          return status;
        run.measureLimits();
      }
  return {};
}
