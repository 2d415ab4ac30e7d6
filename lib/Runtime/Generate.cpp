//===- Generate.cpp - text in, text out -----------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Generate.h"

#include "heed/Runtime/Model.h"
#include "heed/Text/ChatTemplate.h"
#include "heed/Text/ModelTokenizer.h"
#include "heed/Text/StreamDecoder.h"
#include "heed/Text/Tokenizer.h"
#include "heed/Weights/WeightsFile.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <span>
#include <vector>

using namespace heed;

namespace {

/// A prompt is read in pieces of this many tokens, because activations grow with a piece's length.
/// Longer pieces aren't faster: the weights are read once for 512 tokens.
constexpr int64_t kPromptPiece = 512;

class Stopwatch {
public:
  /// Milliseconds since the last lap or the beginning.
  double lap() {
    auto now = std::chrono::steady_clock::now();
    double ms = std::chrono::duration<double, std::milli>(now - start).count();
    start = now;
    return ms;
  }

private:
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

/// The function that `options` name, or the first step.
Status chooseFunction(const heed_artifact &artifact, const std::string &wanted, int32_t &index) {
  std::string names;
  for (int32_t f = 0; f < artifact.n_functions; ++f) {
    const heed_function &function = artifact.functions[f];
    if (wanted.empty() ? function.kind == HEED_STEP : function.name == wanted) {
      index = f;
      if (function.kind == HEED_STEP)
        return {};
      return Status::input(fmt::format("'{}' can't continue a text: that takes a function from "
                                       "int[n] to [n, vocabulary] whose rows read earlier rows "
                                       "alone (a causal mask such as j <= i)",
                                       wanted));
    }
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", function.name);
  }
  if (!wanted.empty())
    return Status::input(fmt::format("{} has no function '{}': it has {}", artifact.name, wanted,
                                     names.empty() ? "none" : names));
  return Status::input(fmt::format("{} has no function that can continue a text: that takes one "
                                   "from int[n] to [n, vocabulary] whose rows read earlier rows "
                                   "alone (a causal mask such as j <= i), and it has {}",
                                   artifact.name, names.empty() ? "none" : names));
}

/// The text the model reads: the prompt itself, or a conversation around it.
Status promptText(const GenerateOptions &options, const TokenizerSpec &spec, std::string &text) {
  text = options.prompt;
  if (!options.chat)
    return {};
  std::string name = options.chatTemplate;
  if (name.empty()) {
    ErrorOr<std::string_view> detected = detectChatTemplate(spec);
    if (!detected)
      return Status::input(detected.error());
    name = *detected;
  }
  ChatMessage message{ChatMessage::Role::User, options.prompt};
  ErrorOr<std::string> applied = applyChat(name, options.system, std::span(&message, 1));
  if (!applied)
    return Status::input(applied.error());
  text = std::move(*applied);
  return {};
}

/// The prompt's tokens; at least one, because the first new token follows from the last.
Status encodePrompt(const Tokenizer &tokenizer, std::string_view text,
                    std::vector<int32_t> &tokens) {
  ErrorOr<std::vector<int32_t>> encoded = tokenizer.encode(text);
  if (!encoded)
    return Status::input(encoded.error());
  tokens = std::move(*encoded);
  if (tokens.empty() && tokenizer.bos() >= 0)
    tokens.push_back(tokenizer.bos());
  if (tokens.empty())
    return Status::input("the prompt is empty, and this model has no token to begin a text with: "
                         "give a prompt");
  return {};
}

/// Reads `tokens` and leaves the logits of the last one in `logits`.
Status readPrompt(heed_session &session, std::span<const int32_t> tokens, float *logits) {
  while (!tokens.empty()) {
    auto piece = tokens.first(std::min<size_t>(tokens.size(), kPromptPiece));
    tokens = tokens.subspan(piece.size());
    Status status = session.step(piece.data(), static_cast<int64_t>(piece.size()),
                                 tokens.empty() ? 1 : 0, logits);
    if (!status.ok())
      return status;
  }
  return {};
}

/// Chooses and reads tokens until something ends the text.
Status continueText(heed_session &session, const Tokenizer &tokenizer, Sampler &sampler,
                    const GenerateOptions &options, std::vector<float> &logits,
                    const TextSink &sink, GenerateStats &stats) {
  StreamDecoder decoder;
  bool listening = true;
  while (options.tokens < 0 || stats.generatedTokens < options.tokens) {
    ErrorOr<int32_t> next = sampler.sample(logits);
    if (!next)
      return Status::input(next.error());
    int32_t token = *next;
    if (!options.ignoreEnd && tokenizer.isEnd(token))
      break;
    ++stats.generatedTokens;
    sampler.accept(token);
    if (!tokenizer.isControl(token))
      if (std::string text = decoder.push(tokenizer.decode(token)); !text.empty())
        listening = sink(text);
    if (!listening || stats.generatedTokens == options.tokens)
      break;
    if (session.length() == session.capacity()) {
      stats.contextFull = true;
      break;
    }
    if (Status status = session.step(&token, 1, 1, logits.data()); !status.ok())
      return status;
  }
  if (std::string text = decoder.flush(); listening && !text.empty())
    sink(text);
  return {};
}

} // namespace

Status heed::generate(const heed_artifact &artifact, const std::string &weightsPath,
                      const GenerateOptions &options, const TextSink &sink, GenerateStats &stats) {
  stats = {};
  Stopwatch watch;
  int32_t function = 0;
  if (Status status = chooseFunction(artifact, options.function, function); !status.ok())
    return status;
  ErrorOr<Sampler> sampler = Sampler::create(options.sampler);
  if (!sampler)
    return Status::input(sampler.error());

  // Whatever the prompt can be refused for comes before the weights, which take longer.
  ErrorOr<std::unique_ptr<WeightsFile>> file = WeightsFile::open(weightsPath);
  if (!file)
    return Status::input(file.error());
  ErrorOr<TokenizerSpec> spec = tokenizerSpecFrom(**file);
  if (!spec)
    return Status::input(spec.error());
  (*file)->dropMetadata();
  std::string text;
  if (Status status = promptText(options, *spec, text); !status.ok())
    return status;
  ErrorOr<Tokenizer> tokenizer = Tokenizer::create(std::move(*spec));
  if (!tokenizer)
    return Status::input(tokenizer.error());
  std::vector<int32_t> tokens;
  if (Status status = encodePrompt(*tokenizer, text, tokens); !status.ok())
    return status;
  stats.promptTokens = static_cast<int64_t>(tokens.size());

  std::unique_ptr<heed_model> model;
  if (Status status = heed_model::open(artifact, file->get(), options.threads, model,
                                       packedFolder(options.packed));
      !status.ok())
    return status;
  file->reset();
  std::unique_ptr<heed_session> session;
  if (Status status = heed_session::create(*model, function, options.context, session);
      !status.ok())
    return status;
  if (stats.promptTokens > session->capacity())
    return Status::input(fmt::format("the prompt is {} tokens long, and the context holds {}: "
                                     "shorten the prompt{}",
                                     stats.promptTokens, session->capacity(),
                                     options.context > 0 ? " or ask for a larger context" : ""));
  stats.loadMs = watch.lap();

  if (options.echo) {
    StreamDecoder decoder;
    std::string shown = decoder.push(text) + decoder.flush();
    if (!sink(shown))
      return {};
  }
  std::vector<float> logits(session->vocabulary());
  if (Status status = readPrompt(*session, tokens, logits.data()); !status.ok())
    return status;
  for (int32_t token : tokens)
    sampler->accept(token);
  stats.promptMs = watch.lap();

  Status status = continueText(*session, *tokenizer, *sampler, options, logits, sink, stats);
  stats.decodeMs = watch.lap();
  return status;
}
