//===- GgufTokenizer.cpp - the tokenizer that a GGUF file carries ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GgufTokenizer.h"

#include "heed/Weights/WeightsFile.h"

#include <fmt/format.h>
#include <limits>

namespace heed {

namespace {

/// Reads keys under `tokenizer.` and remembers the first mistake.
class Reader {
public:
  explicit Reader(const WeightsFile &source) : file(source) {}

  /// Copies the value of `key` to `target`, if the file has it.
  template <typename T> void read(const char *key, T &target) {
    if (const T *value = get<T>(key))
      target = *value;
  }

  void readId(const char *key, int64_t &target) {
    const MetaValue *value = file.meta(key);
    if (!value)
      return;
    if (auto integer = metaInteger(*value); integer && *integer >= 0)
      target = *integer;
    else
      fail(key, *value, "a token id");
  }

  void readTypes(const char *key, std::vector<int32_t> &target) {
    const auto *values = get<std::vector<int64_t>>(key);
    if (!values)
      return;
    target.reserve(values->size());
    // What does not fit becomes a type that does not exist, which the tokenizer refuses.
    for (int64_t value : *values)
      target.push_back(value >= 0 && value <= std::numeric_limits<int32_t>::max() ? int32_t(value)
                                                                                  : -1);
  }

  void readScores(const char *key, std::vector<float> &target) {
    if (const auto *values = get<std::vector<double>>(key))
      for (double value : *values)
        target.push_back(float(value));
  }

  const std::optional<Error> &failure() const { return firstError; }

private:
  static const char *kindOf(const bool *) { return "a boolean"; }
  static const char *kindOf(const std::string *) { return "a string"; }
  static const char *kindOf(const std::vector<std::string> *) { return "an array of strings"; }
  static const char *kindOf(const std::vector<int64_t> *) { return "an array of integers"; }
  static const char *kindOf(const std::vector<double> *) { return "an array of numbers"; }

  template <typename T> const T *get(const char *key) {
    const MetaValue *value = file.meta(key);
    if (!value)
      return nullptr;
    const T *typed = std::get_if<T>(value);
    if (!typed)
      fail(key, *value, kindOf(typed));
    return typed;
  }

  void fail(const char *key, const MetaValue &value, const char *expected) {
    if (!firstError)
      firstError = makeError(fmt::format("{}: metadata '{}' is {}; expected {}", file.path(), key,
                                         metaKind(value), expected));
  }

  const WeightsFile &file;
  std::optional<Error> firstError;
};

/// What a model's files leave out.
void setDefaults(TokenizerSpec &spec) {
  if (spec.model == "llama") {
    spec.bos = 1;
    spec.eos = 2;
    spec.unk = 0;
    spec.addBos = true;
    spec.addSpacePrefix = true;
  } else if (spec.model == "bert") {
    // The beginning is [CLS], the end [SEP].
    spec.bos = 101;
    spec.eos = 102;
    spec.unk = 100;
    spec.pad = 0;
  }
}

} // namespace

ErrorOr<TokenizerSpec> ggufTokenizerSpec(const WeightsFile &file) {
  if (!file.meta("tokenizer.ggml.model"))
    return makeError(fmt::format("{}: the file has no tokenizer (metadata 'tokenizer.ggml.model')",
                                 file.path()));
  TokenizerSpec spec;
  Reader reader(file);
  reader.read("tokenizer.ggml.model", spec.model);
  setDefaults(spec);
  reader.read("tokenizer.ggml.pre", spec.pre);
  reader.read("tokenizer.ggml.tokens", spec.tokens);
  reader.readTypes("tokenizer.ggml.token_type", spec.types);
  reader.read("tokenizer.ggml.merges", spec.merges);
  reader.readScores("tokenizer.ggml.scores", spec.scores);
  reader.readId("tokenizer.ggml.bos_token_id", spec.bos);
  reader.readId("tokenizer.ggml.eos_token_id", spec.eos);
  reader.readId("tokenizer.ggml.unknown_token_id", spec.unk);
  reader.readId("tokenizer.ggml.padding_token_id", spec.pad);
  reader.readId("tokenizer.ggml.eot_token_id", spec.eot);
  reader.read("tokenizer.ggml.add_bos_token", spec.addBos);
  reader.read("tokenizer.ggml.add_eos_token", spec.addEos);
  reader.read("tokenizer.ggml.add_space_prefix", spec.addSpacePrefix);
  reader.read("tokenizer.chat_template", spec.chatTemplate);
  if (spec.model == "bert") {
    reader.readId("tokenizer.ggml.cls_token_id", spec.bos);
    reader.readId("tokenizer.ggml.seperator_token_id", spec.eos); // as the format spells it
    reader.read("tokenizer.ggml.normalizer.lowercase", spec.lowerCase);
    spec.addBos = spec.addEos = true;
  }
  if (reader.failure())
    return *reader.failure();
  return spec;
}

} // namespace heed
