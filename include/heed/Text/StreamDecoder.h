//===- StreamDecoder.h - token bytes to whole characters ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A character may be spread over several tokens. A terminal or a program that
// reads the stream must never see half of one.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEXT_STREAMDECODER_H
#define HEED_TEXT_STREAMDECODER_H

#include <string>
#include <string_view>

namespace heed {

/// Turns a stream of bytes, cut anywhere, into valid UTF-8.
class StreamDecoder {
public:
  /// Adds bytes and returns the text that is complete now. Bytes that can no longer become a
  /// character come out as U+FFFD, one for each maximal wrong sequence (Unicode 15, section 3.9).
  std::string push(std::string_view bytes);

  /// Ends the stream: a character that never completed comes out as U+FFFD. Ready for another
  /// stream afterwards.
  std::string flush();

private:
  /// The start of a character, at most three bytes.
  std::string held;
};

} // namespace heed

#endif // HEED_TEXT_STREAMDECODER_H
