//===- StreamDecoder.cpp - token bytes to whole characters ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/StreamDecoder.h"

#include "Utf8.h"

#include <utility>

namespace heed {

static constexpr std::string_view Replacement = "\xEF\xBF\xBD"; // U+FFFD

std::string StreamDecoder::push(std::string_view bytes) {
  std::string pending = std::exchange(held, {});
  pending += bytes;

  std::string text;
  std::string_view rest = pending;
  while (!rest.empty()) {
    Utf8Sequence sequence = nextUtf8(rest);
    if (sequence.kind == Utf8Sequence::Cut) {
      held = rest;
      break;
    }
    text += sequence.kind == Utf8Sequence::Whole ? rest.substr(0, sequence.length) : Replacement;
    rest.remove_prefix(sequence.length);
  }
  return text;
}

std::string StreamDecoder::flush() {
  return std::exchange(held, {}).empty() ? std::string() : std::string(Replacement);
}

} // namespace heed
