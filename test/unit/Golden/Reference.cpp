//===- Reference.cpp - what SmolLM2 answers elsewhere ---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reference.h"

#include <fstream>
#include <nlohmann/json.hpp>

using namespace heed::golden;

const std::vector<Prompt> &heed::golden::prompts() {
  static const std::vector<Prompt> all = [] {
    std::vector<Prompt> read;
    std::ifstream stream(HEED_TEST_SOURCE_DIR "/golden/smollm2.json");
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
