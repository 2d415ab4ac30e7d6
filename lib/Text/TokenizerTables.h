//===- TokenizerTables.h - a checked vocabulary, ready for use ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_TOKENIZERTABLES_H
#define HEED_LIB_TEXT_TOKENIZERTABLES_H

#include "TextSet.h"
#include "TokenModel.h"
#include "heed/Text/Tokenizer.h"

#include <array>
#include <string_view>
#include <vector>

namespace heed {

/// What `Tokenizer` works with: every id in it names a token.
struct Tokenizer::Tables {
  /// Checks `spec` and fills everything. The errors are those of `Tokenizer::create`.
  static ErrorOr<std::shared_ptr<const Tables>> build(TokenizerSpec spec);

  int32_t find(std::string_view text) const;
  TokenType typeOf(int32_t id) const;
  /// The byte token of each byte, -1 where there is none.
  std::array<int32_t, 256> byteTokens() const;
  /// The token that stands for what has none, -1 if there is none. A control token never does.
  int32_t unknown() const;
  /// The error for a byte that no token is for.
  Error missingByte(uint8_t byte) const;

  Tables(TokenizerSpec unchecked, std::unique_ptr<TokenModel> algorithm)
      : spec(std::move(unchecked)), model(std::move(algorithm)) {}
  /// The views below point into it.
  TokenizerSpec spec;
  std::unique_ptr<TokenModel> model;
  /// Ids by the hash of their text, in open addressing; -1 where there is none. A vocabulary has
  /// hundreds of thousands of texts, and a node for each would cost more than the texts.
  std::vector<int32_t> idOfText;
  /// What each token decodes to.
  std::vector<std::string> bytes;
  /// Control and user-defined tokens, and the latter alone.
  TextSet specials;
  TextSet userDefined;
  /// Whether each token ends the text.
  std::vector<bool> ends;

private:
  ErrorOr<void> checkLengths() const;
  ErrorOr<void> checkSpecialIds() const;
  ErrorOr<void> addTokens();
  ErrorOr<void> addToken(int32_t id);
  void addSpecials();
  /// The place of the id of `text` in idOfText, or where it would go.
  size_t placeOf(std::string_view text) const;
};

} // namespace heed

#endif // HEED_LIB_TEXT_TOKENIZERTABLES_H
