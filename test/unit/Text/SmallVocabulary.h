//===- SmallVocabulary.h - vocabularies small enough to reason about ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_TEXT_SMALLVOCABULARY_H
#define HEED_TEST_UNIT_TEXT_SMALLVOCABULARY_H

#include "ByteAlphabet.h"
#include "heed/Text/Tokenizer.h"

namespace heed {

/// All 256 byte tokens, token b for byte b, and nothing else.
inline TokenizerSpec byteVocabulary(std::string pre) {
  TokenizerSpec spec;
  spec.model = "gpt2";
  spec.pre = std::move(pre);
  for (int byte = 0; byte < 256; ++byte) {
    spec.tokens.push_back(spellBytes(std::string(1, char(byte))));
    spec.types.push_back(int32_t(TokenType::Normal));
  }
  return spec;
}

/// Adds a token and returns its id.
inline int32_t addToken(TokenizerSpec &spec, std::string text, TokenType type = TokenType::Normal) {
  spec.tokens.push_back(std::move(text));
  spec.types.push_back(int32_t(type));
  return int32_t(spec.tokens.size()) - 1;
}

/// Adds the rule that merges `left` and `right`, and the token that it makes.
inline int32_t addMerge(TokenizerSpec &spec, const std::string &left, const std::string &right) {
  spec.merges.push_back(left + " " + right);
  return addToken(spec, left + right);
}

} // namespace heed

#endif // HEED_TEST_UNIT_TEXT_SMALLVOCABULARY_H
