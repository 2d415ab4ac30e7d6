//===- TextSet.h - token texts, found in a text by the longest match ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_TEXTSET_H
#define HEED_LIB_TEXT_TEXTSET_H

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace heed {

/// A set of strings, of which the longest at a place can be found.
class TextSet {
public:
  struct Entry {
    std::string_view text;
    int32_t id;
  };
  struct Match {
    size_t begin;
    size_t length;
    int32_t id;
  };

  TextSet() = default;
  /// The texts must differ from each other, must not be empty and must outlive this set.
  explicit TextSet(std::vector<Entry> texts);

  /// The first match in `text` at or after `from`, and of those at one place the longest. Where
  /// there is none, an empty match at the end of the text. Takes at most the length of the
  /// longest entry in steps for each byte passed.
  Match find(std::string_view text, size_t from) const;

  /// The longest entry that stands in `text` at `begin`; an empty match where there is none. Takes
  /// a binary search for each byte of it.
  Match longestAt(std::string_view text, size_t begin) const;

private:
  /// Sorted by text.
  std::vector<Entry> entries;
  std::bitset<256> firstBytes;
};

} // namespace heed

#endif // HEED_LIB_TEXT_TEXTSET_H
