//===- StreamDecoderTest.cpp - text that arrives in parts -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/StreamDecoder.h"

#include <gtest/gtest.h>

using namespace heed;

static const std::string Replacement = "\xEF\xBF\xBD";

TEST(StreamDecoder, HoldsBackWhatIsIncomplete) {
  StreamDecoder decoder;
  EXPECT_EQ(decoder.push("a\xF0"), "a");
  EXPECT_EQ(decoder.push("\x9F\x98"), "");
  EXPECT_EQ(decoder.push(""), "");
  EXPECT_EQ(decoder.push("\x80"
                         "b"),
            "\xF0\x9F\x98\x80"
            "b");
  EXPECT_EQ(decoder.flush(), "");
}

TEST(StreamDecoder, ReplacesWhatNeverCompletes) {
  StreamDecoder decoder;
  EXPECT_EQ(decoder.push("a\xE4\xB8"), "a");
  EXPECT_EQ(decoder.flush(), Replacement);
  EXPECT_EQ(decoder.push("\xAD"), Replacement); // a new stream
  EXPECT_EQ(decoder.flush(), "");
}

TEST(StreamDecoder, ReplacesEachMaximalWrongSequence) {
  StreamDecoder decoder;
  EXPECT_EQ(decoder.push("\xE4\xB8(x"), Replacement + "(x");
  EXPECT_EQ(decoder.push("\xC0\xAF"), Replacement + Replacement);                   // overlong
  EXPECT_EQ(decoder.push("\xED\xA0\x80"), Replacement + Replacement + Replacement); // surrogate
  EXPECT_EQ(decoder.push("\xF4\x90"), Replacement + Replacement);                   // past U+10FFFF
}

TEST(StreamDecoder, DoesNotDependOnWhereTheBytesAreCut) {
  const std::string bytes = "x\xC3\xA9\xF0\x9F\x98\x80\xE4\xB8(\xFF\xED\xA0\x80z\xF0\x9F\x98";
  StreamDecoder whole;
  std::string expected = whole.push(bytes) + whole.flush();
  for (size_t part = 1; part < bytes.size(); ++part) {
    StreamDecoder decoder;
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += part)
      text += decoder.push(std::string_view(bytes).substr(i, part));
    EXPECT_EQ(text + decoder.flush(), expected) << part;
  }
}
