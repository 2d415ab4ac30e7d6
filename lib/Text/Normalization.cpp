//===- Normalization.cpp - canonical forms of text ------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// utf8proc knows the characters and composes them. Its own decomposition sorts
// combining marks by exchanging neighbours, which takes quadratic time on a
// long run of them, so the sort is done here.
//
//===----------------------------------------------------------------------===//

#include "Normalization.h"
#include "Utf8.h"

#include <algorithm>
#include <array>
#include <utf8proc.h>

namespace heed {

namespace {

int combiningClass(utf8proc_int32_t character) {
  return utf8proc_get_property(character)->combining_class;
}

void appendDecomposed(std::vector<utf8proc_int32_t> &characters, utf8proc_int32_t character) {
  // The longest canonical decomposition has four characters.
  std::array<utf8proc_int32_t, 32> parts;
  int boundClass = 0;
  utf8proc_ssize_t count =
      utf8proc_decompose_char(character, parts.data(), parts.size(),
                              utf8proc_option_t(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &boundClass);
  if (count > 0 && size_t(count) <= parts.size())
    characters.insert(characters.end(), parts.begin(), parts.begin() + count);
  else
    characters.push_back(character);
}

/// Sorts each run of marks by combining class; marks of one class keep their order.
void sortMarks(std::vector<utf8proc_int32_t> &characters) {
  struct Mark {
    int combiningClass;
    size_t place;
    utf8proc_int32_t character;
  };
  std::vector<Mark> marks;
  for (size_t begin = 0; begin < characters.size(); begin += marks.size() + 1) {
    marks.clear();
    for (size_t i = begin; i < characters.size(); ++i) {
      int markClass = combiningClass(characters[i]);
      if (markClass == 0)
        break;
      marks.push_back({markClass, i, characters[i]});
    }
    std::sort(marks.begin(), marks.end(), [](const Mark &a, const Mark &b) {
      return a.combiningClass != b.combiningClass ? a.combiningClass < b.combiningClass
                                                  : a.place < b.place;
    });
    for (size_t i = 0; i < marks.size(); ++i)
      characters[begin + i] = marks[i].character;
  }
}

void appendNfc(std::string &result, std::string_view valid) {
  std::vector<utf8proc_int32_t> characters;
  characters.reserve(valid.size());
  while (!valid.empty()) {
    size_t length = nextUtf8(valid).length;
    appendDecomposed(characters, utf8proc_int32_t(decodeUtf8(valid, length)));
    valid.remove_prefix(length);
  }
  sortMarks(characters);
  utf8proc_ssize_t count =
      utf8proc_normalize_utf32(characters.data(), utf8proc_ssize_t(characters.size()),
                               utf8proc_option_t(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  for (utf8proc_ssize_t i = 0; i < count; ++i)
    appendUtf8(result, char32_t(characters[size_t(i)]));
}

} // namespace

void decomposeCanonically(std::vector<int32_t> &characters) {
  std::vector<utf8proc_int32_t> decomposed;
  decomposed.reserve(characters.size());
  for (int32_t character : characters)
    appendDecomposed(decomposed, character);
  sortMarks(decomposed);
  characters = std::move(decomposed);
}

std::string normalizeNfc(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    size_t valid = validUtf8Length(text);
    std::string_view run = text.substr(0, valid);
    bool ascii = std::all_of(run.begin(), run.end(), [](char c) { return uint8_t(c) < 0x80; });
    if (ascii)
      result += run;
    else
      appendNfc(result, run);
    text.remove_prefix(valid);
    if (text.empty())
      break;
    result += text.front();
    text.remove_prefix(1);
  }
  return result;
}

} // namespace heed
