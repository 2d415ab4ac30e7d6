//===- TokenizerJson.cpp - a WordPiece vocabulary in a tokenizer.json -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   {"added_tokens": [{"id": 100, "content": "[UNK]", "special": true, …}, …],
//    "normalizer": {"type": "BertNormalizer", "lowercase": true, …},
//    "pre_tokenizer": {"type": "BertPreTokenizer"},
//    "model": {"type": "WordPiece", "vocab": {"[PAD]": 0, …}, …}, …}
//
// Whatever else the object holds is skipped.
//
//===----------------------------------------------------------------------===//

#include "TokenizerJson.h"

#include "Quotation.h"
#include "heed/Weights/JsonEvents.h"

#include <algorithm>

namespace heed {

namespace {

// `heed::quoted` is spelled whole, because std has a `quoted` for strings.

/// A value's keys from the outermost object inwards; an array's elements have an empty one.
class TokenizerReader : public JsonEvents {
public:
  TokenizerSpec spec;
  std::string modelType, normalizerType, preTokenizerType;
  std::string unknown = "[UNK]", prefix = "##";
  uint64_t longestWord = 100;
  std::vector<std::pair<std::string, uint64_t>> vocabulary;
  struct Added {
    std::string content;
    std::optional<uint64_t> id;
    bool special = false;
  };
  std::vector<Added> added;

  bool start_object(size_t) override {
    if (isPlace({"added_tokens", ""}))
      added.emplace_back();
    return open();
  }
  bool start_array(size_t) override { return depth > 0 ? open() : unexpected("an array"); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string &name) override {
    if (depth <= keys.size())
      keys[depth - 1] = name;
    return true;
  }

  bool string(std::string &value) override {
    if (isPlace({"model", "type"}))
      modelType = value;
    else if (isPlace({"model", "unk_token"}))
      unknown = value;
    else if (isPlace({"model", "continuing_subword_prefix"}))
      prefix = value;
    else if (isPlace({"normalizer", "type"}))
      normalizerType = value;
    else if (isPlace({"pre_tokenizer", "type"}))
      preTokenizerType = value;
    else if (isPlace({"added_tokens", "", "content"}))
      added.back().content = value;
    return plain("a string");
  }
  bool boolean(bool value) override {
    if (isPlace({"normalizer", "lowercase"}))
      spec.lowerCase = value;
    else if (isPlace({"normalizer", "strip_accents"}))
      spec.stripAccents = value;
    else if (isPlace({"normalizer", "handle_chinese_chars"}))
      spec.spaceIdeographs = value;
    else if (isPlace({"normalizer", "clean_text"}) && !value)
      return fail("the tokenizer's normalizer doesn't clean text (clean_text is false), which "
                  "isn't supported");
    else if (isPlace({"added_tokens", "", "special"}))
      added.back().special = value;
    return plain("a boolean");
  }
  bool number_unsigned(Json::number_unsigned_t value) override {
    if (depth == 3 && keys[0] == "model" && keys[1] == "vocab")
      vocabulary.emplace_back(keys[2], value);
    else if (isPlace({"model", "max_input_chars_per_word"}))
      longestWord = value;
    else if (isPlace({"added_tokens", "", "id"}))
      added.back().id = value;
    return plain("a number");
  }
  bool otherValue(const char *what) override { return plain(what); }

protected:
  std::string place() const override { return "where the tokenizer's object should begin"; }

private:
  bool open() {
    if (depth < keys.size())
      keys[depth].clear();
    ++depth;
    return true;
  }
  bool close() {
    --depth;
    return true;
  }
  bool plain(const char *what) { return depth > 0 || unexpected(what); }
  bool isPlace(std::initializer_list<std::string_view> path) const {
    return depth == path.size() && std::equal(path.begin(), path.end(), keys.begin());
  }

  size_t depth = 0;                // of open objects and arrays
  std::array<std::string, 3> keys; // of the value being read, as far as they matter
};

/// Puts the vocabulary and the added tokens in the order of their ids.
ErrorOr<void> placeTokens(TokenizerReader &reader) {
  TokenizerSpec &spec = reader.spec;
  // Ids are dense, so they are smaller than the number of tokens, and bound nothing but memory.
  size_t most = reader.vocabulary.size() + reader.added.size();
  std::vector<bool> taken;
  auto place = [&](const std::string &text, uint64_t id) -> ErrorOr<void> {
    if (id >= most)
      return makeError(fmt::format("token {} has the id {}, and there are {} tokens",
                                   heed::quoted(text), id, most));
    if (id >= spec.tokens.size()) {
      spec.tokens.resize(id + 1);
      taken.resize(id + 1);
    }
    if (taken[id] && spec.tokens[id] != text)
      return makeError(fmt::format("tokens {} and {} have the same id {}",
                                   heed::quoted(spec.tokens[id]), heed::quoted(text), id));
    spec.tokens[id] = text;
    taken[id] = true;
    return {};
  };
  for (const auto &[text, id] : reader.vocabulary)
    if (auto done = place(text, id); !done)
      return done;
  for (const TokenizerReader::Added &token : reader.added) {
    if (!token.id)
      return makeError(fmt::format("added token {} has no id", heed::quoted(token.content)));
    if (auto done = place(token.content, *token.id); !done)
      return done;
  }
  if (auto hole = std::find(taken.begin(), taken.end(), false); hole != taken.end())
    return makeError(fmt::format("no token has the id {}, and the ids go up to {}",
                                 hole - taken.begin(), taken.size() - 1));
  spec.types.assign(spec.tokens.size(), int32_t(TokenType::Normal));
  for (const TokenizerReader::Added &token : reader.added)
    spec.types[*token.id] = int32_t(token.special ? TokenType::Control : TokenType::UserDefined);
  return {};
}

} // namespace

ErrorOr<TokenizerSpec> parseTokenizerJson(std::string_view json) {
  TokenizerReader reader;
  if (ErrorOr<void> read = reader.read(json); !read)
    return read.error();
  auto expect = [](const char *what, const std::string &found,
                   const std::string &expected) -> ErrorOr<void> {
    if (found == expected)
      return {};
    return makeError(fmt::format("the tokenizer's {} is {}, and beside safetensors {} is "
                                 "supported; use a GGUF file of the model",
                                 what, heed::quoted(found), heed::quoted(expected)));
  };
  for (ErrorOr<void> same :
       {expect("model", reader.modelType, "WordPiece"),
        expect("normalizer", reader.normalizerType, "BertNormalizer"),
        expect("pre_tokenizer", reader.preTokenizerType, "BertPreTokenizer"),
        expect("continuing_subword_prefix", reader.prefix, "##"),
        expect("max_input_chars_per_word", std::to_string(reader.longestWord), "100")})
    if (!same)
      return same.error();
  reader.spec.model = "wordpiece";
  if (ErrorOr<void> placed = placeTokens(reader); !placed)
    return placed.error();
  const std::vector<std::string> &tokens = reader.spec.tokens;
  auto unknown = std::find(tokens.begin(), tokens.end(), reader.unknown);
  if (unknown == tokens.end())
    return makeError(
        fmt::format("the unknown token {} is not in the vocabulary", heed::quoted(reader.unknown)));
  reader.spec.unk = unknown - tokens.begin();
  return std::move(reader.spec);
}

} // namespace heed
