//===- SpecialTokens.h - tokens that are looked for in the text itself ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_SPECIALTOKENS_H
#define HEED_LIB_TEXT_SPECIALTOKENS_H

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace heed {

/// A set of strings, of which the longest at a place can be found.
class SpecialTokens {
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

  SpecialTokens() = default;
  /// The texts must differ from each other, must not be empty and must outlive this set.
  explicit SpecialTokens(std::vector<Entry> texts);

  /// The first match in `text` at or after `from`, and of those at one place the longest. Where
  /// there is none, an empty match at the end of the text. Takes at most the length of the
  /// longest entry in steps for each byte passed.
  Match find(std::string_view text, size_t from) const;

private:
  Match longestAt(std::string_view text, size_t begin) const;

  /// Sorted by text.
  std::vector<Entry> entries;
  std::bitset<256> firstBytes;
};

} // namespace heed

#endif // HEED_LIB_TEXT_SPECIALTOKENS_H
