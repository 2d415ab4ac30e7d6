//===- TokenizerTables.cpp - a checked vocabulary, ready for use ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TokenizerTables.h"

#include "Quotation.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <functional>

namespace heed {

namespace {

/// Control tokens that end a turn or a text, whatever ids a file declares. A file may name only
/// one of the two its model uses.
constexpr std::array<std::string_view, 7> EndNames = {
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>",    "<|end_of_text|>",
    "<|eom_id|>", "<|end|>",       "<end_of_turn>",
};

std::optional<unsigned> hexDigit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return std::nullopt;
}

/// The byte that `<0xNN>` names.
std::optional<uint8_t> byteTokenValue(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>')
    return std::nullopt;
  auto high = hexDigit(text[3]);
  auto low = hexDigit(text[4]);
  if (!high || !low)
    return std::nullopt;
  return uint8_t(*high << 4 | *low);
}

} // namespace

int32_t Tokenizer::Tables::find(std::string_view text) const { return idOfText[placeOf(text)]; }

size_t Tokenizer::Tables::placeOf(std::string_view text) const {
  const size_t mask = idOfText.size() - 1;
  size_t place = std::hash<std::string_view>()(text) & mask;
  // There is an end: more than half of the places are free.
  while (idOfText[place] >= 0 && spec.tokens[size_t(idOfText[place])] != text)
    place = (place + 1) & mask;
  return place;
}

TokenType Tokenizer::Tables::typeOf(int32_t id) const {
  return spec.types.empty() ? TokenType::Normal : TokenType(spec.types[size_t(id)]);
}

int32_t Tokenizer::Tables::unknown() const {
  return spec.unk >= 0 && typeOf(int32_t(spec.unk)) == TokenType::Unknown ? int32_t(spec.unk) : -1;
}

Error Tokenizer::Tables::missingByte(uint8_t byte) const {
  return makeError(fmt::format("the text has a byte 0x{:02x}, for which this vocabulary has no "
                               "token; remove it from the text",
                               byte));
}

ErrorOr<std::shared_ptr<const Tokenizer::Tables>> Tokenizer::Tables::build(TokenizerSpec spec) {
  auto model = TokenModel::create(spec);
  if (!model)
    return model.error();
  auto tables = std::make_shared<Tables>(std::move(spec), std::move(*model));
  if (auto done = tables->checkLengths(); !done)
    return done.error();
  if (auto done = tables->checkSpecialIds(); !done)
    return done.error();
  if (auto done = tables->addTokens(); !done)
    return done.error();
  if (auto done = tables->model->prepare(*tables); !done)
    return done.error();
  tables->addSpecials();
  return std::shared_ptr<const Tables>(std::move(tables));
}

ErrorOr<void> Tokenizer::Tables::checkLengths() const {
  size_t count = spec.tokens.size();
  if (count == 0)
    return makeError("the tokenizer has no tokens");
  if (count > size_t(INT32_MAX))
    return makeError(
        fmt::format("the tokenizer has {} tokens; at most {} are supported", count, INT32_MAX));
  if (!spec.types.empty() && spec.types.size() != count)
    return makeError(
        fmt::format("the tokenizer has {} tokens but {} token types", count, spec.types.size()));
  if (!spec.scores.empty() && spec.scores.size() != count)
    return makeError(
        fmt::format("the tokenizer has {} tokens but {} scores", count, spec.scores.size()));
  if (spec.merges.size() > size_t(INT32_MAX))
    return makeError(fmt::format("the tokenizer has {} merges; at most {} are supported",
                                 spec.merges.size(), INT32_MAX));
  return {};
}

ErrorOr<void> Tokenizer::Tables::checkSpecialIds() const {
  struct Named {
    const char *name;
    int64_t id;
  };
  for (auto [name, id] :
       {Named{"beginning", spec.bos}, Named{"end", spec.eos}, Named{"unknown", spec.unk},
        Named{"padding", spec.pad}, Named{"end-of-turn", spec.eot}})
    if (id < -1 || id >= int64_t(spec.tokens.size()))
      return makeError(fmt::format("the {} token's id {} is outside the vocabulary of {} tokens",
                                   name, id, spec.tokens.size()));
  return {};
}

ErrorOr<void> Tokenizer::Tables::addTokens() {
  idOfText.assign(std::bit_ceil(2 * spec.tokens.size() + 1), -1);
  bytes.reserve(spec.tokens.size());
  for (size_t id = 0; id < spec.tokens.size(); ++id)
    if (auto done = addToken(int32_t(id)); !done)
      return done;
  return {};
}

ErrorOr<void> Tokenizer::Tables::addToken(int32_t id) {
  const std::string &text = spec.tokens[size_t(id)];
  if (!spec.types.empty()) {
    int32_t type = spec.types[size_t(id)];
    if (type < int32_t(TokenType::Normal) || type > int32_t(TokenType::Byte))
      return makeError(fmt::format("token {} has type {}; types are 1 to {}", id, type,
                                   int32_t(TokenType::Byte)));
  }
  TokenType type = typeOf(id);
  bool special = type == TokenType::Control || type == TokenType::UserDefined;
  size_t limit = special ? MaxSpecialTokenBytes : MaxTokenBytes;
  if (text.size() > limit)
    return makeError(fmt::format("token {} ({}) has {} bytes; {}tokens have at most {}", id,
                                 quoted(text), text.size(), special ? "special " : "", limit));
  if (!text.empty()) {
    int32_t &place = idOfText[placeOf(text)];
    if (place >= 0)
      return makeError(fmt::format("tokens {} and {} are both {}", place, id, quoted(text)));
    place = id;
  }

  if (type == TokenType::Byte) {
    auto value = byteTokenValue(text);
    if (!value)
      return makeError(fmt::format("byte token {} is {}; expected '<0x' with two hexadecimal "
                                   "digits and '>'",
                                   id, quoted(text)));
    bytes.emplace_back(1, char(*value));
    return {};
  }
  bool spelled = type == TokenType::Normal || type == TokenType::Unused;
  bytes.push_back(spelled ? model->decoded(text) : text);
  return {};
}

std::array<int32_t, 256> Tokenizer::Tables::byteTokens() const {
  std::array<int32_t, 256> ids;
  ids.fill(-1);
  for (size_t id = 0; id < bytes.size(); ++id)
    if (typeOf(int32_t(id)) == TokenType::Byte)
      ids[uint8_t(bytes[id][0])] = int32_t(id);
  return ids;
}

void Tokenizer::Tables::addSpecials() {
  std::vector<TextSet::Entry> both;
  std::vector<TextSet::Entry> user;
  ends.assign(spec.tokens.size(), false);
  for (size_t i = 0; i < spec.tokens.size(); ++i) {
    const std::string &text = spec.tokens[i];
    int32_t id = int32_t(i);
    TokenType type = typeOf(id);
    if (text.empty() || (type != TokenType::Control && type != TokenType::UserDefined))
      continue;
    both.push_back({text, id});
    if (type == TokenType::UserDefined)
      user.push_back({text, id});
    else if (std::find(EndNames.begin(), EndNames.end(), text) != EndNames.end())
      ends[i] = true;
  }
  specials = TextSet(std::move(both));
  userDefined = TextSet(std::move(user));
  for (int64_t id : {spec.eos, spec.eot})
    if (id >= 0)
      ends[size_t(id)] = true;
}

} // namespace heed
