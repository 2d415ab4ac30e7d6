//===- BertWords.h - text to the words that WordPiece takes apart ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_BERTWORDS_H
#define HEED_LIB_TEXT_BERTWORDS_H

#include <functional>
#include <string>
#include <string_view>

namespace heed {

struct BertRules {
  bool lowerCase = true;
  bool stripAccents = true;
  /// Each ideograph is a word of its own.
  bool spaceIdeographs = true;
};

/// Calls `word` with each word of `text`, valid UTF-8 and never empty, and how many characters it
/// has. Words end at white space; a punctuation mark is one of its own. Control and format
/// characters and bytes that are no UTF-8 are left out. Takes O(n log n) time, and memory in
/// proportion to the longest word.
void forEachBertWord(std::string_view text, const BertRules &rules,
                     const std::function<void(std::string_view word, size_t characters)> &word);

} // namespace heed

#endif // HEED_LIB_TEXT_BERTWORDS_H
