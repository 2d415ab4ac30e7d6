//===- Embed.cpp - texts in, embeddings out -------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Embed.h"

#include "heed/Runtime/Model.h"
#include "heed/Text/ModelTokenizer.h"
#include "heed/Weights/WeightsFile.h"

#include <fmt/format.h>

using namespace heed;

namespace {

/// Tokens of a call that embeds several texts, about: enough for every thread, and so few that
/// what is computed of them stays in the caches.
constexpr size_t kTokensOfCall = 512;

/// From a text's tokens to one vector.
bool isEmbedding(const heed_function &function) {
  return function.kind == HEED_PLAIN && function.n_sizes == 1 && function.n_params == 1 &&
         function.n_results == 1 && function.params[0].element == HEED_I32 &&
         function.params[0].rank == 1 && function.params[0].dims[0] < 0 &&
         function.results[0].element == HEED_F32 && function.results[0].rank == 1 &&
         function.results[0].dims[0] > 0;
}

/// From the tokens of several texts, one after another, and how many each has, to [texts, d].
bool embedsSeveral(const heed_function &function) {
  if (function.kind != HEED_PLAIN || function.n_sizes != 2 || function.n_params != 2 ||
      function.n_results != 1)
    return false;
  const heed_tensor &tokens = function.params[0], &lengths = function.params[1],
                    &result = function.results[0];
  auto isIntegers = [](const heed_tensor &param) {
    return param.element == HEED_I32 && param.rank == 1 && param.dims[0] < 0;
  };
  return isIntegers(tokens) && isIntegers(lengths) && tokens.dims[0] != lengths.dims[0] &&
         result.element == HEED_F32 && result.rank == 2 && result.dims[0] == lengths.dims[0] &&
         result.dims[1] > 0;
}

/// Functions of a program that embed, -1 where it has none.
struct Functions {
  int32_t one = -1, several = -1;
};

/// The function that is `wanted`, or the first of each kind.
Status chooseFunctions(const heed_artifact &artifact, const std::string &wanted,
                       Functions &chosen) {
  std::string names;
  for (int32_t f = 0; f < artifact.n_functions; ++f) {
    const heed_function &function = artifact.functions[f];
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", function.name);
    if (!wanted.empty() && function.name != wanted)
      continue;
    if (chosen.one < 0 && isEmbedding(function))
      chosen.one = f;
    else if (chosen.several < 0 && embedsSeveral(function))
      chosen.several = f;
    else if (!wanted.empty())
      return Status::input(fmt::format("'{}' gives no embedding: that takes a function from int[n] "
                                       "to [d], one vector for a whole text",
                                       wanted));
  }
  if (chosen.one >= 0 || chosen.several >= 0)
    return {};
  if (names.empty())
    names = "none";
  if (!wanted.empty())
    return Status::input(
        fmt::format("{} has no function '{}': it has {}", artifact.name, wanted, names));
  return Status::input(fmt::format("{} has no function that gives an embedding: that takes one "
                                   "from int[n] to [d], one vector for a whole text, and it has {}",
                                   artifact.name, names));
}

/// Texts of a call, as they lie one after another.
struct Batch {
  std::vector<int32_t> tokens, lengths;
};

/// As many of the texts from `first` on as a call takes, one at least.
Batch batchFrom(const std::vector<std::vector<int32_t>> &texts, size_t first) {
  Batch batch;
  for (size_t t = first; t < texts.size(); ++t) {
    if (t != first && batch.tokens.size() + texts[t].size() > kTokensOfCall)
      break;
    batch.tokens.insert(batch.tokens.end(), texts[t].begin(), texts[t].end());
    batch.lengths.push_back(int32_t(texts[t].size()));
  }
  return batch;
}

/// The tokens of `text`, at most `most` of them where that isn't 0.
Status encodeText(const Tokenizer &tokenizer, const std::string &text, int64_t most,
                  std::vector<int32_t> &tokens) {
  ErrorOr<std::vector<int32_t>> encoded = tokenizer.encode(text);
  if (!encoded)
    return Status::input(encoded.error());
  tokens = std::move(*encoded);
  if (tokens.empty())
    return Status::input("a text is empty, and this model has no tokens around a text: leave it "
                         "out");
  if (most > 0 && tokens.size() > size_t(most)) {
    int32_t last = tokens.back();
    tokens.resize(size_t(most));
    if (last == tokenizer.eos())
      tokens.back() = last;
  }
  return {};
}

} // namespace

Status heed::embed(const heed_artifact &artifact, const std::string &weightsPath,
                   const EmbedOptions &options, const EmbeddingSink &sink) {
  Functions functions;
  if (Status status = chooseFunctions(artifact, options.function, functions); !status.ok())
    return status;
  // One text needs no others beside it.
  bool together = functions.one < 0 || (functions.several >= 0 && options.texts.size() > 1);
  int32_t index = together ? functions.several : functions.one;
  const heed_function &function = artifact.functions[index];
  int64_t most = functions.one < 0 ? 0 : artifact.functions[functions.one].context;

  // Whatever a text can be refused for comes before the weights, which take longer.
  ErrorOr<std::unique_ptr<WeightsFile>> file = WeightsFile::open(weightsPath);
  if (!file)
    return Status::input(file.error());
  ErrorOr<Tokenizer> tokenizer = tokenizerFrom(**file);
  if (!tokenizer)
    return Status::input(tokenizer.error());
  (*file)->dropMetadata();
  std::vector<std::vector<int32_t>> tokens(options.texts.size());
  for (size_t t = 0; t < tokens.size(); ++t)
    if (Status status = encodeText(*tokenizer, options.texts[t], most, tokens[t]); !status.ok())
      return status;

  std::unique_ptr<heed_model> model;
  if (Status status = heed_model::open(artifact, file->get(), options.threads, model,
                                       packedFolder(options.packed));
      !status.ok())
    return status;
  file->reset();
  const heed_tensor &result = function.results[0];
  auto width = size_t(result.dims[result.rank - 1]);
  std::vector<float> embeddings;
  for (size_t next = 0; next < tokens.size();) {
    Batch batch;
    if (together)
      batch = batchFrom(tokens, next);
    else
      batch = {tokens[next], {int32_t(tokens[next].size())}};
    embeddings.resize(batch.lengths.size() * width);
    int64_t sizes[2] = {int64_t(batch.tokens.size()), 0};
    if (together) {
      sizes[-1 - function.params[0].dims[0]] = int64_t(batch.tokens.size());
      sizes[-1 - function.params[1].dims[0]] = int64_t(batch.lengths.size());
    }
    const void *params[] = {batch.tokens.data(), batch.lengths.data()};
    void *results[] = {embeddings.data()};
    if (Status status = model->call(index, sizes, params, results); !status.ok())
      return status;
    for (size_t t = 0; t < batch.lengths.size(); ++t)
      if (!sink(std::span<const float>(embeddings).subspan(t * width, width)))
        return {};
    next += batch.lengths.size();
  }
  return {};
}
