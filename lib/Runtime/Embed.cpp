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

bool isEmbedding(const heed_function &function) {
  return function.kind == HEED_PLAIN && function.n_sizes == 1 && function.n_params == 1 &&
         function.n_results == 1 && function.params[0].element == HEED_I32 &&
         function.params[0].rank == 1 && function.params[0].dims[0] < 0 &&
         function.results[0].element == HEED_F32 && function.results[0].rank == 1 &&
         function.results[0].dims[0] > 0;
}

/// The function that is `wanted`, or the first that gives an embedding.
Status chooseFunction(const heed_artifact &artifact, const std::string &wanted, int32_t &index) {
  std::string names;
  for (int32_t f = 0; f < artifact.n_functions; ++f) {
    const heed_function &function = artifact.functions[f];
    if (wanted.empty() ? isEmbedding(function) : function.name == wanted) {
      index = f;
      if (isEmbedding(function))
        return {};
      return Status::input(fmt::format("'{}' gives no embedding: that takes a function from int[n] "
                                       "to [d], one vector for a whole text",
                                       wanted));
    }
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", function.name);
  }
  if (names.empty())
    names = "none";
  if (!wanted.empty())
    return Status::input(
        fmt::format("{} has no function '{}': it has {}", artifact.name, wanted, names));
  return Status::input(fmt::format("{} has no function that gives an embedding: that takes one "
                                   "from int[n] to [d], one vector for a whole text, and it has {}",
                                   artifact.name, names));
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
  int32_t index = 0;
  if (Status status = chooseFunction(artifact, options.function, index); !status.ok())
    return status;
  const heed_function &function = artifact.functions[index];

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
    if (Status status = encodeText(*tokenizer, options.texts[t], function.context, tokens[t]);
        !status.ok())
      return status;

  std::unique_ptr<heed_model> model;
  if (Status status = heed_model::open(artifact, file->get(), options.threads, model,
                                       packedFolder(options.packed));
      !status.ok())
    return status;
  file->reset();
  std::vector<float> embedding(size_t(function.results[0].dims[0]));
  for (const std::vector<int32_t> &text : tokens) {
    int64_t n = int64_t(text.size());
    const void *params[] = {text.data()};
    void *results[] = {embedding.data()};
    if (Status status = model->call(index, &n, params, results); !status.ok())
      return status;
    if (!sink(embedding))
      break;
  }
  return {};
}
