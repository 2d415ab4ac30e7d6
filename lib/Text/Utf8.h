//===- Utf8.h - UTF-8, one sequence at a time -----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_UTF8_H
#define HEED_LIB_TEXT_UTF8_H

#include <cstddef>
#include <string>
#include <string_view>

namespace heed {

/// What stands at the start of some bytes.
struct Utf8Sequence {
  enum Kind {
    Whole, ///< a character
    Wrong, ///< bytes that no continuation makes a character
    Cut,   ///< the start of a character, cut off by the end of the bytes
  };
  Kind kind;
  /// Bytes it takes: 1 to 4; for Wrong the maximal subpart (Unicode 15, section 3.9), at most 3.
  size_t length;
};

/// Looks at the start of `bytes`, which must not be empty.
Utf8Sequence nextUtf8(std::string_view bytes);

/// The length in bytes of the longest valid UTF-8 at the start of `bytes`.
size_t validUtf8Length(std::string_view bytes);

/// The character at the start of `text`, a Whole sequence of `length` bytes.
char32_t decodeUtf8(std::string_view text, size_t length);

/// Appends a Unicode scalar value.
void appendUtf8(std::string &text, char32_t character);

} // namespace heed

#endif // HEED_LIB_TEXT_UTF8_H
