//===- Tokenizer.cpp - text to token ids and back -------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/Tokenizer.h"

#include "TokenizerTables.h"

#include <fmt/format.h>

namespace heed {

/// Appends the ids of `text`, in which tokens of `specials` count as such.
static ErrorOr<void> addText(const Tokenizer::Tables &tables, std::string_view text,
                             const TextSet &specials, std::vector<int32_t> &ids) {
  std::unique_ptr<TokenModel::Encoder> encoder = tables.model->encoder();
  size_t begin = 0;
  while (begin < text.size()) {
    TextSet::Match match = specials.find(text, begin);
    if (match.begin != begin)
      if (auto done = encoder->add(text.substr(begin, match.begin - begin), begin == 0, ids); !done)
        return done;
    if (match.length != 0)
      ids.push_back(match.id);
    begin = match.begin + match.length;
  }
  return {};
}

ErrorOr<Tokenizer> Tokenizer::create(TokenizerSpec spec) {
  auto built = Tables::build(std::move(spec));
  if (!built)
    return built.error();
  return Tokenizer(std::move(*built));
}

ErrorOr<std::vector<int32_t>> Tokenizer::encode(std::string_view text,
                                                EncodeOptions options) const {
  const TokenizerSpec &spec = tables->spec;
  if (text.size() > MaxTextBytes)
    return makeError(fmt::format("the text has {} bytes; at most {} can be tokenized at once",
                                 text.size(), MaxTextBytes));
  bool addBos = options.addBos.value_or(spec.addBos);
  bool addEos = options.addEos.value_or(spec.addEos);
  if (addBos && spec.bos < 0)
    return makeError("a beginning token is asked for, but this vocabulary has none");
  if (addEos && spec.eos < 0)
    return makeError("an end token is asked for, but this vocabulary has none");

  std::vector<int32_t> ids;
  if (addBos)
    ids.push_back(int32_t(spec.bos));
  const TextSet &specials = options.parseSpecial ? tables->specials : tables->userDefined;
  if (auto done = addText(*tables, text, specials, ids); !done)
    return done.error();
  if (addEos)
    ids.push_back(int32_t(spec.eos));
  return ids;
}

std::string Tokenizer::decode(int32_t id) const {
  return id >= 0 && id < size() ? tables->bytes[size_t(id)] : std::string();
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  std::string text;
  for (int32_t id : ids)
    if (id >= 0 && id < size())
      text += tables->bytes[size_t(id)];
  return text;
}

int32_t Tokenizer::size() const { return int32_t(tables->bytes.size()); }
int32_t Tokenizer::bos() const { return int32_t(tables->spec.bos); }
int32_t Tokenizer::eos() const { return int32_t(tables->spec.eos); }
int32_t Tokenizer::unk() const { return int32_t(tables->spec.unk); }
int32_t Tokenizer::pad() const { return int32_t(tables->spec.pad); }
int32_t Tokenizer::eot() const { return int32_t(tables->spec.eot); }

int32_t Tokenizer::find(std::string_view text) const { return tables->find(text); }

bool Tokenizer::isControl(int32_t id) const {
  return id >= 0 && id < size() && tables->typeOf(id) == TokenType::Control;
}

bool Tokenizer::isEnd(int32_t id) const {
  return id >= 0 && id < size() && tables->ends[size_t(id)];
}

} // namespace heed
