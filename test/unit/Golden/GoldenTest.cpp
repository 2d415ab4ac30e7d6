//===- GoldenTest.cpp - a compiled model answers as the reference does ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledModel.h"
#include "Reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <string_view>

using namespace heed::golden;

namespace {

/// Greedy tokens of the reference that don't have the largest logit, though the reference's own
/// margin says that they lost by more than rounding: test/golden/README.md has the evidence.
struct Erratum {
  std::string_view subject;
  size_t prompt, place;
  int32_t largest;
};
constexpr Erratum kErrata[] = {{"smollm2", 3, 16, 14744}};

/// Every prompt, fed in every way.
class Golden : public testing::TestWithParam<std::tuple<size_t, Feed>> {
protected:
  void SetUp() override {
    ASSERT_FALSE(prompts().empty()) << "test/golden/" << subject().results << " is unreadable";
  }
  const Prompt &prompt() const { return prompts()[std::get<0>(GetParam())]; }
  Feed how() const { return std::get<1>(GetParam()); }

  /// The token with the largest logit after the first k of the greedy ones.
  int32_t largest(size_t k) const {
    for (const Erratum &erratum : kErrata)
      if (erratum.subject == subject().name && erratum.prompt == std::get<0>(GetParam()) &&
          erratum.place == k)
        return erratum.largest;
    return prompt().greedy[k];
  }

  /// Logits after each token of the prompt.
  std::vector<float> allLogits(heed_session &session) const {
    return feed(session, prompt().tokens, prompt().tokens.size(), how());
  }
};

double squared(double x) { return x * x; }

double negativeLogLikelihood(std::span<const float> logits, int32_t token) {
  double most = *std::max_element(logits.begin(), logits.end()), sum = 0;
  for (size_t id = 0; id < logits.size(); ++id)
    sum += std::exp(logits[id] - most);
  return std::log(sum) + most - logits[token];
}

} // namespace

TEST_P(Golden, Logits) {
  const size_t length = prompt().tokens.size(), vocabulary = subject().vocabulary;
  std::vector<float> logits = allLogits(*newSession(2)), alone = allLogits(*newSession(1));
  ASSERT_EQ(logits.size(), length * vocabulary);
  ASSERT_EQ(alone.size(), logits.size());
  EXPECT_EQ(std::memcmp(alone.data(), logits.data(), logits.size() * sizeof(float)), 0)
      << "one thread and two give different bits";

  const float *next = logits.data() + (length - 1) * vocabulary;
  double error = 0, size = 0, sumOfSquares = 0;
  for (size_t place = 0; place < prompt().nextIds.size(); ++place) {
    double expected = prompt().nextLogits[place];
    error += squared(next[prompt().nextIds[place]] - expected);
    size += squared(expected);
  }
  for (size_t id = 0; id < vocabulary; ++id)
    sumOfSquares += squared(next[id]);
  EXPECT_LE(std::sqrt(error / size), tolerance().logits);
  EXPECT_NEAR(sumOfSquares / prompt().sumOfSquares, 1, tolerance().sum);

  ASSERT_EQ(prompt().negativeLogLikelihood.size() + 1, length);
  for (size_t i = 0; i + 1 < length; ++i)
    EXPECT_NEAR(negativeLogLikelihood(std::span(logits).subspan(i * vocabulary, vocabulary),
                                      prompt().tokens[i + 1]),
                prompt().negativeLogLikelihood[i], tolerance().likelihood)
        << "token " << i + 1;
}

TEST_P(Golden, GreedyTokens) {
  Session session = newSession(2);
  std::vector<float> logits = feed(*session, prompt().tokens, 1, how());
  for (size_t k = 0; k < prompt().greedy.size(); ++k) {
    // Two tokens as close as this may change places by rounding, and then the texts part.
    if (prompt().margins[k] <= tolerance().margin)
      break;
    ASSERT_EQ(logits.size(), size_t(subject().vocabulary));
    int32_t best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    ASSERT_EQ(best, largest(k)) << "new token " << k;
    logits = feed(*session, std::span(prompt().greedy).subspan(k, 1), 1, Feed::Whole);
  }
}

static std::string nameOf(const testing::TestParamInfo<Golden::ParamType> &info) {
  auto [prompt, how] = info.param;
  return "Prompt" + std::to_string(prompt) +
         (how == Feed::Whole      ? "Whole"
          : how == Feed::OneByOne ? "OneByOne"
                                  : "ChunksOfSeven");
}

INSTANTIATE_TEST_SUITE_P(Prompts, Golden,
                         testing::Combine(testing::Range<size_t>(0, prompts().size()),
                                          testing::Values(Feed::Whole, Feed::ChunksOfSeven,
                                                          Feed::OneByOne)),
                         nameOf);

int main(int argc, char **argv) {
  // The subject's prompts are needed to name the tests, which InitGoogleTest does.
  for (int a = 1; a < argc; ++a)
    chooseSubject(argv[a]);
  testing::InitGoogleTest(&argc, argv);
  readArguments(argc, argv);
  return RUN_ALL_TESTS();
}
