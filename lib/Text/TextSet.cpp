//===- TextSet.cpp - token texts, found in a text by the longest match ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TextSet.h"

#include <algorithm>
#include <utility>

namespace heed {

TextSet::TextSet(std::vector<Entry> texts) : entries(std::move(texts)) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return a.text < b.text; });
  for (const Entry &entry : entries)
    firstBytes.set(uint8_t(entry.text[0]));
}

TextSet::Match TextSet::find(std::string_view text, size_t from) const {
  for (size_t begin = from; begin < text.size(); ++begin) {
    if (!firstBytes.test(uint8_t(text[begin])))
      continue;
    Match match = longestAt(text, begin);
    if (match.length != 0)
      return match;
  }
  return {text.size(), 0, -1};
}

TextSet::Match TextSet::longestAt(std::string_view text, size_t begin) const {
  // [low, high) are the entries that start with the text's first `depth` bytes. Sorted, one that
  // is exactly those bytes comes first.
  Match best{begin, 0, -1};
  auto low = entries.begin();
  auto high = entries.end();
  for (size_t depth = 0; low != high; ++depth) {
    if (low->text.size() == depth) {
      best = {begin, depth, low->id};
      if (++low == high)
        break;
    }
    if (begin + depth == text.size())
      break;
    if (high - low == 1) {
      if (text.substr(begin).starts_with(low->text))
        best = {begin, low->text.size(), low->id};
      break;
    }
    uint8_t byte = uint8_t(text[begin + depth]);
    low = std::partition_point(
        low, high, [=](const Entry &entry) { return uint8_t(entry.text[depth]) < byte; });
    high = std::partition_point(
        low, high, [=](const Entry &entry) { return uint8_t(entry.text[depth]) == byte; });
  }
  return best;
}

} // namespace heed
