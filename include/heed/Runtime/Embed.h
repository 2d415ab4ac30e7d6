//===- Embed.h - texts in, embeddings out ----------------------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_RUNTIME_EMBED_H
#define HEED_RUNTIME_EMBED_H

#include "heed/Runtime/Status.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace heed {

struct EmbedOptions {
  std::vector<std::string> texts;
  /// The function to run; empty takes the first from int[n] to [d], and for several texts the
  /// first from int[rows] and int[texts] to [texts, d], tokens one text after another and how many
  /// each has, where there is one.
  std::string function;
  int threads = 0; ///< 0: one for each processor
  /// Where packed weights are kept for the next time, as `packedFolder` takes it: "on", "off" or a
  /// folder.
  std::string packed = "off";
};

/// Takes the embedding of the next text; false ends the run.
using EmbeddingSink = std::function<bool(std::span<const float> embedding)>;

/// Loads the weights at `weightsPath` and the tokenizer that comes with them, and hands `sink` the
/// embedding of each text in turn. A text of more tokens than the size of the function for one text
/// allows loses its last ones, but for the token that ends it. Errors: no such function, a file, a
/// text without tokens.
Status embed(const heed_artifact &artifact, const std::string &weightsPath,
             const EmbedOptions &options, const EmbeddingSink &sink);

} // namespace heed

#endif // HEED_RUNTIME_EMBED_H
