//===- Generate.h - text in, text out --------------------------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by `heed generate` and by stand-alone executables, so that both say the
// same words.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_RUNTIME_GENERATE_H
#define HEED_RUNTIME_GENERATE_H

#include "heed/Runtime/Status.h"
#include "heed/Text/Sampler.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace heed {

struct GenerateOptions {
  std::string prompt;
  /// The function to run; empty takes the first that can continue a text.
  std::string function;
  /// The most tokens to generate; -1: until the end token or the end of the context.
  int64_t tokens = 128;
  int threads = 0;     ///< 0: one for each processor
  int64_t context = 0; ///< tokens; 0: the model's
  SamplerOptions sampler;
  /// Where packed weights are kept for the next time, as `packedFolder` takes it: "on", "off" or a
  /// folder.
  std::string packed = "off";
  bool ignoreEnd = false; ///< go on after an end token
  bool echo = false;      ///< write the prompt before the new text
  bool chat = false;      ///< the prompt is a user's message in a conversation
  /// The chat template's name; empty takes the one that the weights file declares.
  std::string chatTemplate;
  std::optional<std::string> system; ///< the conversation's first instruction
};

struct GenerateStats {
  double loadMs = 0;   ///< open the file, lay the weights out, build the tokenizer
  double promptMs = 0; ///< read the prompt
  double decodeMs = 0; ///< all new tokens, sampling and decoding to text among it
  int64_t promptTokens = 0, generatedTokens = 0;
  bool contextFull = false; ///< generation stopped because the context was full
};

/// Takes complete characters as they come; false ends the generation.
using TextSink = std::function<bool(std::string_view)>;

/// Loads the weights, reads the prompt and writes new text to `sink`, UTF-8 in whole characters.
/// Errors: whatever opening the weights and their tokenizer reports; a function that can't continue
/// a text; a prompt longer than the context; options out of range.
Status generate(const heed_artifact &artifact, const std::string &weightsPath,
                const GenerateOptions &options, const TextSink &sink, GenerateStats &stats);

} // namespace heed

#endif // HEED_RUNTIME_GENERATE_H
