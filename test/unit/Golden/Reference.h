//===- Reference.h - what a model answers elsewhere -------------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_GOLDEN_REFERENCE_H
#define HEED_TEST_UNIT_GOLDEN_REFERENCE_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heed::golden {

/// A model that is held to reference results.
struct Subject {
  const char *name;     ///< as the command line names it
  const char *results;  ///< a file of test/golden
  const char *variable; ///< of the environment, with the weights' path
  const char *weights;  ///< the file and where it is from
  int64_t vocabulary, context;
};

/// Chooses what `subject` and `prompts` return. False if nothing is called so.
bool chooseSubject(std::string_view name);
const Subject &subject();

/// How near results have to be. Rows rounded to eight bits, as code for processors with dot
/// products of bytes has them, are that much further away: llama.cpp, which rounds so too, is.
/// test/golden/README.md has what was found, and how much of it is chance.
struct Tolerance {
  double logits;     ///< relative L2 of the 20 largest
  double sum;        ///< relative, of the squares of all
  double likelihood; ///< of a token, natural logarithm
  double margin;     ///< two tokens as close as this may change places
  /// Relative L2 of the logits of one text fed in two ways. Sums in another order round a number to
  /// its other neighbour now and then, where it is rounded to eight bits.
  double regrouped;
};
constexpr Tolerance kPrecise{1e-3, 1e-3, 1e-3, 0.01, 1e-5}, kRounded{7e-2, 2e-1, 0.8, 1, 7e-2};

void setTolerance(const Tolerance &tolerance);
const Tolerance &tolerance();

/// One prompt of the subject's results; test/golden/README.md defines the fields.
struct Prompt {
  std::string text;
  std::vector<int32_t> tokens;
  /// The largest next-token logits and whose they are.
  std::vector<int32_t> nextIds;
  std::vector<float> nextLogits;
  double sumOfSquares; ///< of all next-token logits
  /// -log p of tokens 1, 2, … given those before.
  std::vector<float> negativeLogLikelihood;
  std::vector<int32_t> greedy;
  std::vector<float> margins; ///< best minus second logit at each greedy token
};

/// All prompts; empty if the file can't be read.
const std::vector<Prompt> &prompts();

} // namespace heed::golden

#endif // HEED_TEST_UNIT_GOLDEN_REFERENCE_H
