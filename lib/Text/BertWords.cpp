//===- BertWords.cpp - text to the words that WordPiece takes apart -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// BERT's basic tokenizer: clean, set ideographs apart, take accents off, lower
// the case, cut at white space and punctuation. What is between white space is
// done at a time; no step before the last looks further.
//
//===----------------------------------------------------------------------===//

#include "BertWords.h"

#include "Normalization.h"
#include "Utf8.h"

#include <utf8proc.h>

namespace heed {

namespace {

using Characters = std::vector<int32_t>;

bool isSpace(int32_t c) {
  if (c == '\t' || c == '\n' || c == '\r')
    return true;
  utf8proc_category_t category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

bool isDropped(int32_t c) {
  if (c == 0xFFFD)
    return true;
  utf8proc_category_t category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_CO;
}

bool isPunctuation(int32_t c) {
  if (c < 0x80)
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
  utf8proc_category_t category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}
static_assert(UTF8PROC_CATEGORY_PO - UTF8PROC_CATEGORY_PC == 6, "Pc, Pd, Ps, Pe, Pi, Pf, Po");

/// The blocks of ideographs that BERT's authors list.
bool isIdeograph(int32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

/// The words of one text, while it is read.
class Words {
public:
  Words(const BertRules &used, const std::function<void(std::string_view, size_t)> &target)
      : rules(used), sink(target) {}

  void add(int32_t c) {
    if (c != '\t' && c != '\n' && c != '\r' && isDropped(c))
      return;
    if (isSpace(c)) {
      finishStretch();
    } else if (rules.spaceIdeographs && isIdeograph(c)) {
      finishStretch();
      stretch.push_back(c);
      finishStretch();
    } else {
      stretch.push_back(c);
    }
  }

  /// Ends what stands between white space.
  void finishStretch() {
    if (stretch.empty())
      return;
    if (rules.stripAccents)
      decomposeCanonically(stretch);
    for (int32_t c : stretch) {
      if (rules.stripAccents && utf8proc_category(c) == UTF8PROC_CATEGORY_MN)
        continue;
      if (isPunctuation(c)) {
        finishWord();
        addToWord(c);
        finishWord();
      } else if (rules.lowerCase && c == 0x130) { // the one letter that becomes two
        addToWord('i');
        addToWord(0x307);
      } else {
        addToWord(rules.lowerCase ? utf8proc_tolower(c) : c);
      }
    }
    finishWord();
    stretch.clear();
  }

private:
  void addToWord(int32_t c) {
    appendUtf8(word, char32_t(c));
    ++characters;
  }
  void finishWord() {
    if (characters > 0)
      sink(word, characters);
    word.clear();
    characters = 0;
  }

  const BertRules &rules;
  const std::function<void(std::string_view, size_t)> &sink;
  Characters stretch;
  std::string word;
  size_t characters = 0; // of `word`
};

} // namespace

void forEachBertWord(std::string_view text, const BertRules &rules,
                     const std::function<void(std::string_view word, size_t characters)> &word) {
  Words words(rules, word);
  while (!text.empty()) {
    Utf8Sequence sequence = nextUtf8(text);
    if (sequence.kind == Utf8Sequence::Whole)
      words.add(int32_t(decodeUtf8(text, sequence.length)));
    text.remove_prefix(sequence.length);
  }
  words.finishStretch();
}

} // namespace heed
