//===- SentencePieceModel.cpp - merges of characters by score -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// SentencePiece's byte-pair encoding, which GGUF calls "llama". Spaces become
// U+2581, each character is a symbol, and while two neighbours together are a
// token, those whose token has the highest score are merged, the leftmost first
// among equals. A character that no token is left for becomes its bytes' tokens.
//
// As in BytePairMerger, neighbours are a linked list and candidates wait in a
// heap, so that n characters take O(n log n) time and O(n) memory. A symbol is a
// stretch of the text, and whether it is a token is one look into the table.
//
//===----------------------------------------------------------------------===//

#include "TokenModel.h"
#include "TokenizerTables.h"
#include "Utf8.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace heed {

namespace {

constexpr std::string_view Space = "\xE2\x96\x81"; // U+2581
constexpr uint32_t None = UINT32_MAX;

class SentencePieceModel : public TokenModel {
public:
  std::string decoded(std::string_view text) const override {
    std::string bytes;
    for (size_t space; (space = text.find(Space)) != std::string_view::npos;) {
      bytes += text.substr(0, space);
      bytes += ' ';
      text.remove_prefix(space + Space.size());
    }
    return bytes += text;
  }
  ErrorOr<void> prepare(const Tokenizer::Tables &used) override;
  std::unique_ptr<Encoder> encoder() const override;

  /// The token that plain text may become: none of the control tokens, which a text spells only
  /// where the caller lets it, and no byte's name.
  int32_t find(std::string_view text) const {
    if (text.size() > longest)
      return -1;
    int32_t id = tables->find(text);
    if (id < 0)
      return -1;
    TokenType type = tables->typeOf(id);
    bool plain =
        type == TokenType::Normal || type == TokenType::UserDefined || type == TokenType::Unused;
    return plain ? id : -1;
  }

  const Tokenizer::Tables *tables = nullptr;
  std::array<int32_t, 256> idOfByte{};

private:
  size_t longest = 0; // token, in bytes
};

ErrorOr<void> SentencePieceModel::prepare(const Tokenizer::Tables &used) {
  tables = &used;
  const TokenizerSpec &spec = tables->spec;
  if (spec.scores.empty())
    return makeError("the tokenizer has no scores, by which a 'llama' tokenizer merges tokens");
  for (size_t id = 0; id < spec.scores.size(); ++id)
    if (std::isnan(spec.scores[id]))
      return makeError(fmt::format("the score of token {} is not a number", id));
  for (const std::string &text : spec.tokens)
    longest = std::max(longest, text.size());
  idOfByte = tables->byteTokens();
  // A vocabulary may have a byte as a character alone.
  for (unsigned byte = 0; byte < 128; ++byte)
    if (idOfByte[byte] < 0)
      idOfByte[byte] = find(std::string(1, char(byte)));
  return {};
}

class SentencePieceEncoder : public TokenModel::Encoder {
public:
  explicit SentencePieceEncoder(const SentencePieceModel &used)
      : model(used), tables(*used.tables) {}

  ErrorOr<void> add(std::string_view text, bool first, std::vector<int32_t> &ids) override;

private:
  struct Symbol {
    uint32_t begin, size; // of its bytes in `escaped`; merged into the one before: size 0
    uint32_t previous, next;
    int32_t id; // -1 where it is no token
  };
  /// Two neighbours that make a token.
  struct Candidate {
    float score;
    uint32_t left;
    uint32_t size; // of both; tells whether one of them has since changed
    int32_t id;
    /// What a heap takes out last.
    bool operator<(const Candidate &other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };

  void cut();
  void merge();
  void consider(uint32_t left);
  ErrorOr<void> addBytes(const Symbol &symbol, std::vector<int32_t> &ids) const;

  const SentencePieceModel &model;
  const Tokenizer::Tables &tables;
  std::string escaped;
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;
};

ErrorOr<void> SentencePieceEncoder::add(std::string_view text, bool, std::vector<int32_t> &ids) {
  // Every text begins, or follows a special token: both times a space is put in front.
  escaped.clear();
  if (tables.spec.addSpacePrefix)
    escaped = Space;
  for (char c : text)
    if (c == ' ')
      escaped += Space;
    else
      escaped += c;
  cut();
  merge();
  for (uint32_t i = 0; i != None; i = symbols[i].next) {
    if (symbols[i].id >= 0)
      ids.push_back(symbols[i].id);
    else if (auto done = addBytes(symbols[i], ids); !done)
      return done;
  }
  return {};
}

void SentencePieceEncoder::cut() {
  symbols.clear();
  std::string_view rest = escaped;
  while (!rest.empty()) {
    uint32_t begin = uint32_t(escaped.size() - rest.size());
    uint32_t size = uint32_t(nextUtf8(rest).length);
    uint32_t place = uint32_t(symbols.size());
    symbols.push_back(
        {begin, size, place - 1, place + 1, model.find(rest.substr(0, size))}); // 0 - 1 is None
    rest.remove_prefix(size);
  }
  symbols.back().next = None;
}

void SentencePieceEncoder::consider(uint32_t left) {
  if (left == None || symbols[left].next == None)
    return;
  uint32_t size = symbols[left].size + symbols[symbols[left].next].size;
  int32_t id = model.find(std::string_view(escaped).substr(symbols[left].begin, size));
  if (id < 0)
    return;
  heap.push_back({tables.spec.scores[size_t(id)], left, size, id});
  std::push_heap(heap.begin(), heap.end());
}

void SentencePieceEncoder::merge() {
  heap.clear();
  for (uint32_t i = 0; i < symbols.size(); ++i)
    consider(i);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    Candidate best = heap.back();
    heap.pop_back();
    Symbol &left = symbols[best.left];
    if (left.size == 0 || left.next == None || left.size + symbols[left.next].size != best.size)
      continue;
    Symbol &right = symbols[left.next];
    left.size = best.size;
    left.id = best.id;
    left.next = right.next;
    right.size = 0;
    if (left.next != None)
      symbols[left.next].previous = best.left;
    consider(left.previous);
    consider(best.left);
  }
}

ErrorOr<void> SentencePieceEncoder::addBytes(const Symbol &symbol,
                                             std::vector<int32_t> &ids) const {
  std::string_view bytes = std::string_view(escaped).substr(symbol.begin, symbol.size);
  if (bytes == Space)
    bytes = " ";
  auto missing = std::find_if(bytes.begin(), bytes.end(),
                              [&](char c) { return model.idOfByte[uint8_t(c)] < 0; });
  if (missing == bytes.end()) {
    for (char c : bytes)
      ids.push_back(model.idOfByte[uint8_t(c)]);
    return {};
  }
  // One unknown token stands for a whole character.
  if (tables.unknown() < 0)
    return tables.missingByte(uint8_t(*missing));
  ids.push_back(tables.unknown());
  return {};
}

std::unique_ptr<TokenModel::Encoder> SentencePieceModel::encoder() const {
  return std::make_unique<SentencePieceEncoder>(*this);
}

} // namespace

std::unique_ptr<TokenModel> createSentencePiece() { return std::make_unique<SentencePieceModel>(); }

} // namespace heed
