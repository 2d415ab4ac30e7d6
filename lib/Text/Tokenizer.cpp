//===- Tokenizer.cpp - text to token ids and back -------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/Tokenizer.h"

#include "ByteAlphabet.h"
#include "Normalization.h"
#include "TokenizerTables.h"

#include <fmt/format.h>

namespace heed {

namespace {

/// One call of `Tokenizer::encode`.
class Encoding {
public:
  explicit Encoding(const Tokenizer::Tables &used) : tables(used), splitter(used.preTokenizer) {}

  ErrorOr<void> addText(std::string_view text, const SpecialTokens &specials);
  void addToken(int64_t id) { ids.push_back(int32_t(id)); }
  std::vector<int32_t> take() { return std::move(ids); }

private:
  ErrorOr<void> addPlain(std::string_view text);
  ErrorOr<void> addPiece(std::string_view piece);
  ErrorOr<int32_t> byteToken(uint8_t byte) const;

  const Tokenizer::Tables &tables;
  PreTokenizer::Splitter splitter;
  BytePairMerger::Scratch scratch;
  std::vector<std::string_view> pieces;
  std::vector<int32_t> pieceIds;
  std::vector<int32_t> ids;
};

ErrorOr<void> Encoding::addText(std::string_view text, const SpecialTokens &specials) {
  size_t begin = 0;
  while (begin < text.size()) {
    SpecialTokens::Match match = specials.find(text, begin);
    std::string_view plain = text.substr(begin, match.begin - begin);
    std::string prefixed;
    if (begin == 0 && tables.spec.addSpacePrefix && !plain.empty() && plain[0] != ' ') {
      prefixed = " ";
      prefixed += plain;
      plain = prefixed;
    }
    if (auto done = addPlain(plain); !done)
      return done;
    if (match.length != 0)
      addToken(match.id);
    begin = match.begin + match.length;
  }
  return {};
}

ErrorOr<void> Encoding::addPlain(std::string_view text) {
  std::string normalized;
  if (tables.preTokenizer.normalizes()) {
    normalized = normalizeNfc(text);
    text = normalized;
  }
  pieces.clear();
  if (auto done = splitter.split(text, pieces); !done)
    return done;
  for (std::string_view piece : pieces)
    if (auto done = addPiece(piece); !done)
      return done;
  return {};
}

ErrorOr<void> Encoding::addPiece(std::string_view piece) {
  // Each byte is spelled with one or two bytes, so a longer piece is no token.
  if (tables.preTokenizer.takesWholePieces() && piece.size() <= Tokenizer::MaxTokenBytes) {
    int32_t id = tables.find(spellBytes(piece));
    if (id >= 0 && tables.typeOf(id) == TokenType::Normal) {
      ids.push_back(id);
      return {};
    }
  }
  pieceIds.clear();
  for (char c : piece) {
    auto id = byteToken(uint8_t(c));
    if (!id)
      return id.error();
    pieceIds.push_back(*id);
  }
  tables.merger.merge(pieceIds, scratch);
  ids.insert(ids.end(), pieceIds.begin(), pieceIds.end());
  return {};
}

ErrorOr<int32_t> Encoding::byteToken(uint8_t byte) const {
  if (int32_t id = tables.idOfByte[byte]; id >= 0)
    return id;
  int32_t unknown = int32_t(tables.spec.unk);
  if (unknown >= 0 && tables.typeOf(unknown) == TokenType::Unknown)
    return unknown;
  return makeError(fmt::format("the text has a byte 0x{:02x}, for which this vocabulary has no "
                               "token; remove it from the text",
                               byte));
}

} // namespace

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

  Encoding encoding(*tables);
  if (addBos)
    encoding.addToken(spec.bos);
  const SpecialTokens &specials = options.parseSpecial ? tables->specials : tables->userDefined;
  if (auto done = encoding.addText(text, specials); !done)
    return done.error();
  if (addEos)
    encoding.addToken(spec.eos);
  return encoding.take();
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
