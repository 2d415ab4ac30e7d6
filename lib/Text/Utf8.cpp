//===- Utf8.cpp - UTF-8, one sequence at a time ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Utf8.h"

#include <cstdint>

namespace heed {

namespace {

/// Table 3-7 of the Unicode standard as a rule: the length that a lead byte announces, and the
/// range of the second byte, which excludes overlong forms, surrogates and what is past U+10FFFF.
struct Lead {
  size_t length;
  uint8_t secondMin;
  uint8_t secondMax;
};

Lead leadOf(uint8_t byte) {
  if (byte < 0x80)
    return {1, 0, 0};
  if (byte >= 0xC2 && byte <= 0xDF)
    return {2, 0x80, 0xBF};
  if (byte >= 0xE0 && byte <= 0xEF)
    return {3, uint8_t(byte == 0xE0 ? 0xA0 : 0x80), uint8_t(byte == 0xED ? 0x9F : 0xBF)};
  if (byte >= 0xF0 && byte <= 0xF4)
    return {4, uint8_t(byte == 0xF0 ? 0x90 : 0x80), uint8_t(byte == 0xF4 ? 0x8F : 0xBF)};
  return {0, 0, 0};
}

} // namespace

Utf8Sequence nextUtf8(std::string_view bytes) {
  Lead lead = leadOf(uint8_t(bytes[0]));
  if (lead.length == 0)
    return {Utf8Sequence::Wrong, 1};
  for (size_t i = 1; i < lead.length; ++i) {
    if (i == bytes.size())
      return {Utf8Sequence::Cut, i};
    uint8_t byte = uint8_t(bytes[i]);
    uint8_t min = i == 1 ? lead.secondMin : 0x80;
    uint8_t max = i == 1 ? lead.secondMax : 0xBF;
    if (byte < min || byte > max)
      return {Utf8Sequence::Wrong, i};
  }
  return {Utf8Sequence::Whole, lead.length};
}

size_t validUtf8Length(std::string_view bytes) {
  size_t length = 0;
  while (length < bytes.size()) {
    Utf8Sequence sequence = nextUtf8(bytes.substr(length));
    if (sequence.kind != Utf8Sequence::Whole)
      break;
    length += sequence.length;
  }
  return length;
}

char32_t decodeUtf8(std::string_view text, size_t length) {
  uint8_t first = uint8_t(text[0]);
  if (length == 1)
    return first;
  char32_t character = first & (0x7F >> length);
  for (size_t i = 1; i < length; ++i)
    character = character << 6 | (uint8_t(text[i]) & 0x3F);
  return character;
}

void appendUtf8(std::string &text, char32_t character) {
  if (character < 0x80) {
    text += char(character);
    return;
  }
  if (character < 0x800) {
    text += char(0xC0 | character >> 6);
  } else {
    if (character < 0x10000) {
      text += char(0xE0 | character >> 12);
    } else {
      text += char(0xF0 | character >> 18);
      text += char(0x80 | (character >> 12 & 0x3F));
    }
    text += char(0x80 | (character >> 6 & 0x3F));
  }
  text += char(0x80 | (character & 0x3F));
}

} // namespace heed
