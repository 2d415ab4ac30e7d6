//===- ByteLevelModel.cpp - byte-pair encoding of any bytes, as in GPT-2 --===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A regular expression cuts the text into pieces, each byte of a piece is a
// token, and ranked rules merge neighbours.
//
//===----------------------------------------------------------------------===//

#include "ByteAlphabet.h"
#include "BytePairMerger.h"
#include "Normalization.h"
#include "PreTokenizer.h"
#include "Quotation.h"
#include "TokenModel.h"
#include "TokenizerTables.h"

#include <fmt/format.h>

namespace heed {

namespace {

class ByteLevelModel : public TokenModel {
public:
  explicit ByteLevelModel(PreTokenizer cutter) : preTokenizer(std::move(cutter)) {}

  /// An ordinary token that is not in the byte alphabet was added as plain text.
  std::string decoded(std::string_view text) const override {
    return readSpelling(text).value_or(std::string(text));
  }
  ErrorOr<void> prepare(const Tokenizer::Tables &used) override;
  std::unique_ptr<Encoder> encoder() const override;

  const Tokenizer::Tables *tables = nullptr;
  PreTokenizer preTokenizer;
  BytePairMerger merger;
  /// The token of each byte, -1 where there is none.
  std::array<int32_t, 256> idOfByte{};

private:
  ErrorOr<void> addMerge(size_t rank);
};

ErrorOr<void> ByteLevelModel::prepare(const Tokenizer::Tables &used) {
  tables = &used;
  idOfByte = tables->byteTokens();
  for (unsigned byte = 0; byte < 256; ++byte) {
    int32_t id = tables->find(spellBytes(std::string(1, char(byte))));
    if (id >= 0 && tables->typeOf(id) == TokenType::Normal)
      idOfByte[byte] = id;
  }
  for (size_t rank = 0; rank < tables->spec.merges.size(); ++rank)
    if (auto done = addMerge(rank); !done)
      return done;
  return {};
}

ErrorOr<void> ByteLevelModel::addMerge(size_t rank) {
  std::string_view text = tables->spec.merges[rank];
  size_t space = text.find(' ');
  if (space == 0 || space == std::string_view::npos || space + 1 == text.size() ||
      text.find(' ', space + 1) != std::string_view::npos)
    return makeError(fmt::format("merge {} is {}; expected two tokens with a space between", rank,
                                 quoted(text)));
  std::string_view leftText = text.substr(0, space);
  std::string_view rightText = text.substr(space + 1);
  std::string mergedText = std::string(leftText) + std::string(rightText);
  int32_t left = tables->find(leftText);
  int32_t right = tables->find(rightText);
  int32_t merged = tables->find(mergedText);
  if (left < 0 || right < 0 || merged < 0)
    return makeError(fmt::format("merge {} is {}, but no token is {}", rank, quoted(text),
                                 quoted(left < 0    ? leftText
                                        : right < 0 ? rightText
                                                    : std::string_view(mergedText))));
  // Only then does every text come back from its tokens. It fails where a token of another type
  // than Normal, whose text is not in the byte alphabet, stands in a merge.
  const std::vector<std::string> &bytes = tables->bytes;
  if (bytes[size_t(merged)] != bytes[size_t(left)] + bytes[size_t(right)])
    return makeError(fmt::format("merge {} is {}, but token {} does not decode to its halves", rank,
                                 quoted(text), merged));
  merger.addRule(left, right, merged);
  return {};
}

class ByteLevelEncoder : public TokenModel::Encoder {
public:
  explicit ByteLevelEncoder(const ByteLevelModel &used)
      : model(used), tables(*used.tables), splitter(used.preTokenizer) {}

  ErrorOr<void> add(std::string_view text, bool first, std::vector<int32_t> &ids) override;

private:
  ErrorOr<void> addPiece(std::string_view piece, std::vector<int32_t> &ids);

  const ByteLevelModel &model;
  const Tokenizer::Tables &tables;
  PreTokenizer::Splitter splitter;
  BytePairMerger::Scratch scratch;
  std::vector<std::string_view> pieces;
  std::vector<int32_t> pieceIds;
};

ErrorOr<void> ByteLevelEncoder::add(std::string_view text, bool first, std::vector<int32_t> &ids) {
  std::string changed;
  if (first && tables.spec.addSpacePrefix && text[0] != ' ') {
    changed = " ";
    changed += text;
    text = changed;
  }
  if (model.preTokenizer.normalizes()) {
    changed = normalizeNfc(text);
    text = changed;
  }
  pieces.clear();
  if (auto done = splitter.split(text, pieces); !done)
    return done;
  for (std::string_view piece : pieces)
    if (auto done = addPiece(piece, ids); !done)
      return done;
  return {};
}

ErrorOr<void> ByteLevelEncoder::addPiece(std::string_view piece, std::vector<int32_t> &ids) {
  // Each byte is spelled with one or two bytes, so a longer piece is no token.
  if (model.preTokenizer.takesWholePieces() && piece.size() <= Tokenizer::MaxTokenBytes) {
    int32_t id = tables.find(spellBytes(piece));
    if (id >= 0 && tables.typeOf(id) == TokenType::Normal) {
      ids.push_back(id);
      return {};
    }
  }
  pieceIds.clear();
  for (char c : piece) {
    int32_t id = model.idOfByte[uint8_t(c)];
    if (id < 0)
      id = tables.unknown();
    if (id < 0)
      return tables.missingByte(uint8_t(c));
    pieceIds.push_back(id);
  }
  model.merger.merge(pieceIds, scratch);
  ids.insert(ids.end(), pieceIds.begin(), pieceIds.end());
  return {};
}

std::unique_ptr<TokenModel::Encoder> ByteLevelModel::encoder() const {
  return std::make_unique<ByteLevelEncoder>(*this);
}

} // namespace

ErrorOr<std::unique_ptr<TokenModel>> createByteLevel(const TokenizerSpec &spec) {
  auto preTokenizer = PreTokenizer::create(spec.pre);
  if (!preTokenizer)
    return preTokenizer.error();
  return std::unique_ptr<TokenModel>(std::make_unique<ByteLevelModel>(std::move(*preTokenizer)));
}

} // namespace heed
