//===- ByteAlphabet.cpp - GPT-2's spelling of bytes as letters ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteAlphabet.h"
#include "Utf8.h"

#include <array>

namespace heed {

namespace {

constexpr char32_t FirstStandIn = 0x100;
constexpr size_t StandIns = 68;

constexpr bool standsForItself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<char32_t, 256> letterOf{};
  std::array<uint8_t, StandIns> byteOfStandIn{};

  constexpr Alphabet() {
    size_t standIn = 0;
    for (unsigned byte = 0; byte < 256; ++byte) {
      if (standsForItself(byte)) {
        letterOf[byte] = byte;
        continue;
      }
      letterOf[byte] = FirstStandIn + char32_t(standIn);
      byteOfStandIn[standIn++] = uint8_t(byte);
    }
  }
};

constexpr Alphabet alphabet;
static_assert(alphabet.letterOf[' '] == 0x120 && alphabet.letterOf[0xAD] == 0x143);

} // namespace

std::string spellBytes(std::string_view bytes) {
  std::string spelling;
  spelling.reserve(bytes.size() * 2);
  for (char c : bytes)
    appendUtf8(spelling, alphabet.letterOf[uint8_t(c)]);
  return spelling;
}

std::optional<std::string> readSpelling(std::string_view spelling) {
  std::string bytes;
  while (!spelling.empty()) {
    Utf8Sequence sequence = nextUtf8(spelling);
    if (sequence.kind != Utf8Sequence::Whole)
      return std::nullopt;
    char32_t letter = decodeUtf8(spelling, sequence.length);
    spelling.remove_prefix(sequence.length);
    if (letter < FirstStandIn && standsForItself(letter))
      bytes += char(letter);
    else if (letter >= FirstStandIn && letter < FirstStandIn + StandIns)
      bytes += char(alphabet.byteOfStandIn[letter - FirstStandIn]);
    else
      return std::nullopt;
  }
  return bytes;
}

} // namespace heed
