//===- PhasesTest.cpp - what a program means in every phase ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Until the vector phase no pass approximates: in f64 the phases differ by the
// order of sums alone. Vector code has an exponential of f32's precision.
//
//===----------------------------------------------------------------------===//

#include "PhasedProgram.h"

#include "SyntheticHeader.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::reference;

namespace {

constexpr double kExact = 1e-12, kVector = 2e-6;

double toleranceOf(Phase phase) { return phase == Phase::Vector ? kVector : kExact; }

/// The greatest difference, in units of the greatest expected number.
double difference(const std::vector<double> &found, const std::vector<double> &expected) {
  if (found.size() != expected.size() || expected.empty())
    return INFINITY;
  double greatest = 0, largest = 0;
  for (size_t element = 0; element != expected.size(); ++element) {
    double apart = std::abs(found[element] - expected[element]);
    greatest = std::isnan(apart) ? INFINITY : std::max(greatest, apart);
    largest = std::max(largest, std::abs(expected[element]));
  }
  return greatest / largest;
}

void expectPhasesAgree(PhasedProgram &program, const std::string &name, int64_t width) {
  ASSERT_TRUE(program.ok());
  for (int64_t n : {1, 5, 37}) {
    Array parameter = program.floats({n, width}, n);
    std::vector<double> expected = program.call(Phase::Formula, name, parameter);
    for (Phase phase : {Phase::Attn, Phase::Fused, Phase::Tiled, Phase::Vector})
      EXPECT_LT(difference(program.call(phase, name, parameter), expected), toleranceOf(phase))
          << "phase " << static_cast<int>(phase) << ", " << n << " rows";
  }
}

void expectStepsAgree(PhasedProgram &program, int64_t vocabulary,
                      std::vector<size_t> pieces = {21, 8}) {
  ASSERT_TRUE(program.ok());
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < 21; ++i)
    tokens.push_back((i * 31 + 7) % vocabulary);
  std::vector<double> expected = program.feed(Phase::Formula, "logits", tokens, tokens.size());
  for (Phase phase : {Phase::Attn, Phase::Fused, Phase::Tiled, Phase::Vector})
    for (size_t piece : pieces)
      EXPECT_LT(difference(program.feed(phase, "logits", tokens, piece), expected),
                toleranceOf(phase))
          << "phase " << static_cast<int>(phase) << " in pieces of " << piece;
}

TEST(Phases, SingleHead) {
  std::string text = replaced(exampleText("single_head.heed"), "12288", "24");
  PhasedProgram program(replaced(text, "= 128", "= 8"));
  expectPhasesAgree(program, "head", 24);
}

TEST(Phases, MultiHead) {
  std::string text = replaced(exampleText("multi_head.heed"), "12288", "24");
  text = replaced(replaced(text, "= 96", "= 3"), "= 128", "= 10");
  PhasedProgram program(text);
  expectPhasesAgree(program, "block", 24);
}

TEST(Phases, Starter) {
  PhasedProgram program(exampleText("starter.heed"));
  expectPhasesAgree(program, "update", 64);
}

TEST(Phases, Llama) {
  PhasedProgram program(exampleText("llama.heed"), test::kLlamaHeader);
  expectStepsAgree(program, 256);
}

TEST(Phases, Gpt2) {
  PhasedProgram program(exampleText("gpt2.heed"), test::kGpt2Header);
  expectStepsAgree(program, 256);
}

// A cache that keeps a window of five rows, and room for eight that a call brings: rows wrap
// around.
TEST(Phases, Mistral) {
  std::string header = std::string(test::kLlamaHeader) +
                       ";meta llama.attention.sliding_window = 5;output.weight Q8_0 256x64";
  PhasedProgram program(exampleText("mistral.heed"), header.c_str(), 8);
  expectStepsAgree(program, 256, {8, 3, 1});
}

TEST(Phases, LatentAttention) {
  std::string text = exampleText("mla.heed");
  text = replaced(text, "2048, heads = 16, layers = 4, vocab = 32000",
                  "40, heads = 3, layers = 2, vocab = 75");
  text = replaced(replaced(text, "dk = 128", "dk = 16"), "dr = 64", "dr = 8");
  text = replaced(replaced(text, "dv = 128", "dv = 12"), "= 512", "= 20");
  PhasedProgram program(text);
  expectStepsAgree(program, 75);
}

// The same window with attention in bf16: where it begins, at an odd key or behind the ring's end,
// keys are still rounded in pairs.
TEST(Phases, MistralInBf16) {
  std::string header = std::string(test::kLlamaHeader) +
                       ";meta llama.attention.sliding_window = 5;output.weight Q8_0 256x64";
  PhasedProgram program(exampleText("mistral.heed"), header.c_str(), 8, "bf16");
  ASSERT_TRUE(program.ok());
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < 21; ++i)
    tokens.push_back((i * 31 + 7) % 256);
  std::vector<double> exact = program.feed(Phase::Formula, "logits", tokens, tokens.size());
  for (Phase phase : {Phase::Tiled, Phase::Vector})
    for (size_t piece : {8, 3}) {
      std::vector<double> narrow = program.feed(phase, "logits", tokens, piece);
      EXPECT_GT(difference(narrow, exact), 1e-6) << "pieces of " << piece;
      EXPECT_LT(difference(narrow, exact), 0x1p-7) << "pieces of " << piece;
    }
}

// Attention in bf16 is off by its rounding from where it is decided on. Tiles and the vector code
// that they become round the same numbers; a power that lies between two of bf16 may become either.
TEST(Phases, AttentionInBf16) {
  PhasedProgram program(exampleText("starter.heed"), nullptr, 512, "bf16");
  ASSERT_TRUE(program.ok());
  for (int64_t n : {2, 7, 37}) {
    Array parameter = program.floats({n, 64}, n);
    std::vector<double> exact = program.call(Phase::Formula, "update", parameter),
                        tiled = program.call(Phase::Tiled, "update", parameter);
    EXPECT_GT(difference(tiled, exact), 1e-4) << n << " rows";
    EXPECT_LT(difference(tiled, exact), 0x1p-7) << n << " rows";
    EXPECT_LT(difference(program.call(Phase::Vector, "update", parameter), tiled), 0x1p-10)
        << n << " rows";
  }
}

// As typed, every phase is off by the errors of f32 and no more.
TEST(Phases, RoundedAsTyped) {
  PhasedProgram program(exampleText("starter.heed"));
  ASSERT_TRUE(program.ok());
  Array parameter = program.floats({9, 64}, 1);
  std::vector<double> exact = program.call(Phase::Formula, "update", parameter);
  for (Phase phase : {Phase::Formula, Phase::Attn, Phase::Fused, Phase::Tiled, Phase::Vector}) {
    double apart = difference(program.call(phase, "update", parameter, Precision::AsTyped), exact);
    EXPECT_GT(apart, 1e-9) << "phase " << static_cast<int>(phase);
    EXPECT_LT(apart, kVector) << "phase " << static_cast<int>(phase);
  }
}

// A model of two layers and 40 tokens. A step of the formulas is one op on one element, some 10 ns;
// attn ops count their products.
TEST(Phases, TakeFewSteps) {
  PhasedProgram program(exampleText("llama.heed"), test::kLlamaHeader);
  ASSERT_TRUE(program.ok());
  std::vector<int64_t> tokens(40, 1);
  for (Phase phase : {Phase::Formula, Phase::Attn, Phase::Fused, Phase::Tiled, Phase::Vector}) {
    ASSERT_FALSE(program.feed(phase, "logits", tokens, 40).empty());
    EXPECT_LT(program.stepsFed(), phase == Phase::Formula ? 65'000'000 : 4'000'000)
        << "phase " << static_cast<int>(phase);
  }
}

} // namespace
