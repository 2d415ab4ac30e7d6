//===- SamplerTest.cpp - choosing the next token --------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/Sampler.h"

#include <cfloat>
#include <cmath>
#include <gtest/gtest.h>
#include <map>

using namespace heed;
using Logits = std::vector<float>;

/// Keeps everything and changes nothing.
static SamplerOptions plain(float temperature = 1) {
  return {.temperature = temperature, .topK = 0, .topP = 1, .minP = 0, .seed = 7};
}

static Sampler make(SamplerOptions options) {
  auto sampler = Sampler::create(options);
  EXPECT_TRUE(sampler) << sampler.message();
  return *sampler;
}

/// How often each token comes up in `draws`.
static std::map<int32_t, int> draw(SamplerOptions options, const Logits &logits, int draws = 4000) {
  Sampler sampler = make(options);
  std::map<int32_t, int> counts;
  for (int i = 0; i < draws; ++i) {
    auto id = sampler.sample(logits);
    EXPECT_TRUE(id) << id.message();
    if (!id)
      break;
    ++counts[*id];
  }
  return counts;
}

TEST(Sampler, NamesTheFlagAndItsRange) {
  auto error = [](auto change) {
    SamplerOptions options;
    change(options);
    auto sampler = Sampler::create(options);
    return sampler ? "no error" : sampler.message();
  };
  EXPECT_EQ(error([](auto &o) { o.temperature = -1; }),
            "--temp is -1; it must be from 0 (greedy) to 100");
  EXPECT_EQ(error([](auto &o) { o.temperature = NAN; }),
            "--temp is nan; it must be from 0 (greedy) to 100");
  EXPECT_EQ(error([](auto &o) { o.temperature = INFINITY; }),
            "--temp is inf; it must be from 0 (greedy) to 100");
  EXPECT_EQ(error([](auto &o) { o.topK = -1; }),
            "--top-k is -1; it must be 0 (all tokens) or more");
  EXPECT_EQ(error([](auto &o) { o.topP = 1.5f; }),
            "--top-p is 1.5; it must be from 0 to 1 (all tokens)");
  EXPECT_EQ(error([](auto &o) { o.minP = NAN; }),
            "--min-p is nan; it must be from 0 (all tokens) to 1");
  EXPECT_EQ(error([](auto &o) { o.repeatPenalty = 0; }),
            "--repeat-penalty is 0; it must be from 0.01 to 100 (1 is none)");
  EXPECT_EQ(error([](auto &o) { o.repeatLast = 2000000; }),
            "--repeat-last is 2000000; it must be from 0 (no penalty) to 1048576");
  EXPECT_EQ(error([](auto &) {}), "no error");
}

TEST(Sampler, GreedyTakesTheLowestOfEquals) {
  Sampler sampler = make(plain(0));
  EXPECT_EQ(*sampler.sample(Logits{1, 3, 3, 2}), 1);
  EXPECT_EQ(*sampler.sample(Logits{-INFINITY, -5}), 1);
}

TEST(Sampler, NotANumberIsNeverChosen) {
  for (float temperature : {0.f, 1.f}) {
    Sampler sampler = make(plain(temperature));
    EXPECT_EQ(*sampler.sample(Logits{NAN, -100, NAN}), 1);
    EXPECT_EQ(*sampler.sample(Logits{0, INFINITY, NAN}), 1);
    std::string expected = "every logit is NaN or -inf, so no token can be chosen; the weights or "
                           "the prompt lead to numbers out of range";
    EXPECT_EQ(sampler.sample(Logits{NAN, NAN}).message(), expected);
    EXPECT_EQ(sampler.sample(Logits{-INFINITY, NAN}).message(), expected);
    EXPECT_EQ(sampler.sample(Logits{}).message(), "cannot choose among 0 tokens");
  }
}

TEST(Sampler, DrawsInProportion) {
  auto counts = draw(plain(), {std::log(1.f), std::log(2.f), std::log(5.f), -INFINITY}, 8000);
  EXPECT_NEAR(counts[0], 1000, 150);
  EXPECT_NEAR(counts[1], 2000, 200);
  EXPECT_NEAR(counts[2], 5000, 200);
  EXPECT_EQ(counts[3], 0);
}

TEST(Sampler, TemperatureSharpens) {
  // At one half, probabilities are squared: 1 to 16.
  auto counts = draw(plain(0.5f), {0, std::log(4.f)}, 8500);
  EXPECT_NEAR(counts[0], 500, 100);
  EXPECT_EQ(draw(plain(FLT_MIN), {0, 0.001f}).size(), 1u);
}

TEST(Sampler, KeepsTheTopK) {
  SamplerOptions options = plain();
  options.topK = 2;
  auto counts = draw(options, {0, 1, 1, 1});
  EXPECT_EQ(counts.size(), 2u);
  EXPECT_TRUE(counts.contains(1) && counts.contains(2));
}

TEST(Sampler, KeepsTheTopP) {
  SamplerOptions options = plain();
  Logits logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  options.topP = 0.7f;
  EXPECT_EQ(draw(options, logits).size(), 2u);
  options.topP = 0.81f;
  EXPECT_EQ(draw(options, logits).size(), 3u);
  options.topP = 0;
  EXPECT_EQ(draw(options, logits).size(), 1u);
}

TEST(Sampler, DropsBelowMinP) {
  SamplerOptions options = plain();
  Logits logits = {std::log(0.6f), std::log(0.3f), std::log(0.1f)};
  options.minP = 0.4f;
  EXPECT_EQ(draw(options, logits).size(), 2u);
  options.minP = 1;
  EXPECT_EQ(draw(options, logits).size(), 1u);
}

TEST(Sampler, PenalisesRecentTokens) {
  SamplerOptions options = plain(0);
  options.repeatPenalty = 2;
  options.repeatLast = 2;
  Sampler sampler = make(options);
  Logits logits = {4, 3, 2.5f};
  sampler.accept(0);
  sampler.accept(0); // counts once: 4 becomes 2, not 1
  EXPECT_EQ(*sampler.sample(logits), 1);
  sampler.accept(1);
  EXPECT_EQ(*sampler.sample(logits), 2);
  sampler.accept(2);
  EXPECT_EQ(*sampler.sample(logits), 0); // no longer among the last two
  sampler.accept(-1);
  sampler.accept(1000000); // outside the vocabulary
  EXPECT_EQ(*sampler.sample(logits), 0);
}

TEST(Sampler, PenaltyLowersNegativeLogits) {
  SamplerOptions options = plain(0);
  options.repeatPenalty = 2;
  Sampler sampler = make(options);
  sampler.accept(0);
  EXPECT_EQ(*sampler.sample(Logits{-1, -1.5f}), 1);
  EXPECT_EQ(*sampler.sample(Logits{-INFINITY, -FLT_MAX}), 1);
}

// The two numbers are the generator's definition, computed with arbitrary-precision integers.
TEST(Sampler, ASeedGivesTheSameEverywhere) {
  RandomBits bits(42);
  EXPECT_EQ(bits.next(), 3270867926u);
  EXPECT_EQ(bits.next(), 1795671209u);
  SamplerOptions options;
  options.seed = 42;
  Sampler a = make(options);
  Sampler b = make(options);
  Logits logits;
  for (int i = 0; i < 1000; ++i)
    logits.push_back(float(i % 37) * 0.1f);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(*a.sample(logits), *b.sample(logits));
}

TEST(Sampler, SeedsDiffer) {
  RandomBits zero(0);
  RandomBits one(1);
  EXPECT_NE(zero.next(), one.next());
  for (int i = 0; i < 1000; ++i) {
    double uniform = zero.uniform();
    EXPECT_GE(uniform, 0);
    EXPECT_LT(uniform, 1);
  }
}
