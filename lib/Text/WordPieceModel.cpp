//===- WordPieceModel.cpp - words as their longest pieces, as in BERT -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A word is the longest piece that begins it, then the longest one that goes on
// there, and so on; a word that can't be made up of pieces is the unknown token.
// vocab.txt marks pieces that go on with ##, GGUF those that begin with U+2581.
//
//===----------------------------------------------------------------------===//

#include "BertWords.h"
#include "TextSet.h"
#include "TokenModel.h"
#include "TokenizerTables.h"
#include "Utf8.h"

#include <fmt/format.h>

namespace heed {

namespace {

/// A longer word is the unknown token, whatever pieces there are.
constexpr size_t longestWord = 100; // characters

class WordPieceModel : public TokenModel {
public:
  WordPieceModel(bool isPhantom, BertRules used) : phantomSpaces(isPhantom), rules(used) {}

  std::string decoded(std::string_view text) const override {
    Piece piece = read(text);
    return (piece.begins ? " " : "") + std::string(piece.text);
  }

  ErrorOr<void> prepare(const Tokenizer::Tables &used) override {
    unknown = int32_t(used.spec.unk);
    if (unknown < 0)
      return makeError("the tokenizer has no unknown token, which stands for words without pieces");
    std::vector<TextSet::Entry> begin, goOn;
    for (size_t i = 0; i < used.spec.tokens.size(); ++i) {
      Piece piece = read(used.spec.tokens[i]);
      int32_t id = int32_t(i);
      // Words are valid UTF-8. A piece that isn't might match in the middle of a character.
      if (used.typeOf(id) == TokenType::Normal && !piece.text.empty() &&
          validUtf8Length(piece.text) == piece.text.size())
        (piece.begins ? begin : goOn).push_back({piece.text, id});
    }
    beginnings = TextSet(std::move(begin));
    continuations = TextSet(std::move(goOn));
    return {};
  }

  std::unique_ptr<Encoder> encoder() const override;

  void addWord(std::string_view word, size_t characters, std::vector<int32_t> &ids) const {
    size_t before = ids.size();
    size_t place = characters > longestWord ? word.size() + 1 : 0;
    while (place < word.size()) {
      TextSet::Match match = (place == 0 ? beginnings : continuations).longestAt(word, place);
      if (match.length == 0)
        break;
      ids.push_back(match.id);
      place += match.length;
    }
    if (place != word.size()) {
      ids.resize(before);
      ids.push_back(unknown);
    }
  }

  const bool phantomSpaces;
  const BertRules rules;

private:
  struct Piece {
    bool begins;
    std::string_view text;
  };
  Piece read(std::string_view token) const {
    constexpr std::string_view PhantomSpace = "\xE2\x96\x81", Continuation = "##";
    std::string_view mark = phantomSpaces ? PhantomSpace : Continuation;
    bool marked = token.size() > mark.size() && token.starts_with(mark);
    if (marked)
      token.remove_prefix(mark.size());
    return {marked == phantomSpaces, token};
  }

  int32_t unknown = -1;
  TextSet beginnings, continuations;
};

class WordPieceEncoder : public TokenModel::Encoder {
public:
  explicit WordPieceEncoder(const WordPieceModel &used) : model(used) {}

  ErrorOr<void> add(std::string_view text, bool, std::vector<int32_t> &ids) override {
    forEachBertWord(text, model.rules, [&](std::string_view word, size_t characters) {
      model.addWord(word, characters, ids);
    });
    return {};
  }

private:
  const WordPieceModel &model;
};

std::unique_ptr<TokenModel::Encoder> WordPieceModel::encoder() const {
  return std::make_unique<WordPieceEncoder>(*this);
}

} // namespace

std::unique_ptr<TokenModel> createWordPiece(const TokenizerSpec &spec) {
  BertRules rules{.lowerCase = spec.lowerCase,
                  .stripAccents = spec.stripAccents.value_or(spec.lowerCase),
                  .spaceIdeographs = spec.spaceIdeographs};
  return std::make_unique<WordPieceModel>(spec.model == "bert", rules);
}

} // namespace heed
