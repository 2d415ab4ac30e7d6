//===- LongTextTest.cpp - long texts, and the end of the context ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledModel.h"
#include "Reference.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace heed::golden;

/// The reference's prompts with their continuations, again and again.
static std::vector<int32_t> longText(size_t length) {
  std::vector<int32_t> text;
  while (!prompts().empty() && text.size() < length)
    for (const Prompt &prompt : prompts()) {
      text.insert(text.end(), prompt.tokens.begin(), prompt.tokens.end());
      text.insert(text.end(), prompt.greedy.begin(), prompt.greedy.end());
    }
  text.resize(length);
  return text;
}

/// |a - b| / |b|, the largest over the rows.
static double worstRow(const std::vector<float> &a, const std::vector<float> &b) {
  const size_t vocabulary = subject().vocabulary;
  double worst = 0;
  for (size_t row = 0; row < b.size(); row += vocabulary) {
    double error = 0, size = 0;
    for (size_t e = row; e < row + vocabulary; ++e) {
      error += (double(a[e]) - b[e]) * (double(a[e]) - b[e]);
      size += double(b[e]) * b[e];
    }
    double relative = std::sqrt(error / size);
    if (!(relative <= worst)) // not a number is the worst of all
      worst = relative;
  }
  return worst;
}

TEST(LongText, ChunksGiveWhatTheWholeGives) {
  std::vector<int32_t> text = longText(1001);
  std::vector<float> whole = feed(*newSession(2), text, 70, Feed::Whole);
  std::vector<float> chunks = feed(*newSession(2), text, 70, Feed::ChunksOfSeven);
  ASSERT_EQ(whole.size(), size_t(70 * subject().vocabulary));
  ASSERT_EQ(chunks.size(), whole.size());
  EXPECT_LE(worstRow(chunks, whole), tolerance().logits);
}

TEST(LongText, RefusedPastTheContext) {
  const int64_t context = subject().context;
  std::vector<int32_t> text = longText(context + 1);
  Session session = newSession(2);
  EXPECT_EQ(heed_session_capacity(session.get()), context);
  EXPECT_EQ(heed_session_step(session.get(), text.data(), context + 1, 0, nullptr),
            HEED_ERROR_INPUT);
  EXPECT_EQ(heed_last_error(), "the context holds " + std::to_string(context) +
                                   " tokens: 0 are used and " + std::to_string(context + 1) +
                                   " more were asked for; shorten the text or start a new one");
  EXPECT_EQ(heed_session_length(session.get()), 0);
  heed_session *larger = nullptr;
  EXPECT_EQ(heed_session_new(&model(2), 0, context + 1, &larger), HEED_ERROR_INPUT);
}

TEST(LongText, FillsTheContextToItsEnd) {
  std::vector<int32_t> text = longText(32);
  Session session = newSession(2, 32);
  std::vector<float> last = feed(*session, text, 1, Feed::ChunksOfSeven);
  ASSERT_EQ(last.size(), size_t(subject().vocabulary));
  EXPECT_EQ(heed_session_step(session.get(), text.data(), 1, 0, nullptr), HEED_ERROR_INPUT);
  EXPECT_EQ(heed_session_length(session.get()), 32);
  // What the refused step left alone goes on working.
  ASSERT_EQ(heed_session_truncate(session.get(), 31), HEED_OK);
  std::vector<float> again = feed(*session, std::span(text).last(1), 1, Feed::Whole);
  ASSERT_EQ(again.size(), last.size());
  EXPECT_LE(worstRow(again, last), tolerance().regrouped);
}
