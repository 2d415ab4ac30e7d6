//===- SessionTest.cpp ----------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "heed/Runtime/Heed.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using Model = std::unique_ptr<heed_model, decltype(&heed_model_close)>;
using Session = std::unique_ptr<heed_session, decltype(&heed_session_free)>;

Model openTiny(int32_t threads) {
  tiny::WeightsOnDisk file; // not needed once the model is open
  heed_model *model = nullptr;
  heed_options options{sizeof(heed_options), threads, nullptr, nullptr};
  EXPECT_EQ(heed_model_open(&tiny::artifact, file.path().c_str(), &options, &model), HEED_OK)
      << heed_last_error();
  return {model, heed_model_close};
}

Session newSession(const Model &model, int64_t capacity = 0) {
  heed_session *session = nullptr;
  EXPECT_EQ(heed_session_new(model.get(), tiny::kStep, capacity, &session), HEED_OK)
      << heed_last_error();
  return {session, heed_session_free};
}

const std::vector<int32_t> kText = {72, 101, 101, 100, 33, 0, 256, 7, 7, 9, 200};

/// The logits of all rows of kText, fed in pieces of `piece`.
std::vector<float> allLogits(const Model &model, int64_t piece) {
  Session session = newSession(model);
  std::vector<float> logits;
  for (size_t begin = 0; begin < kText.size(); begin += piece) {
    int64_t n = std::min<int64_t>(piece, kText.size() - begin);
    std::vector<float> rows(n * tiny::kVocabulary);
    EXPECT_EQ(heed_session_step(session.get(), &kText[begin], n, n, rows.data()), HEED_OK);
    logits.insert(logits.end(), rows.begin(), rows.end());
  }
  return logits;
}

TEST(Session, GivesTheSameBitsForPiecesAndThreads) {
  Model model = openTiny(1);
  std::vector<float> whole = allLogits(model, 100);
  EXPECT_NE(std::vector<float>(tiny::kVocabulary, 0),
            std::vector<float>(whole.begin(), whole.begin() + tiny::kVocabulary));
  for (int32_t threads : {1, 2, 3, 7}) {
    Model other = openTiny(threads);
    for (int64_t piece : {1, 2, 7, 11})
      EXPECT_EQ(allLogits(other, piece), whole) << threads << " threads, pieces of " << piece;
  }
}

TEST(Session, WritesTheRowsAskedFor) {
  Model model = openTiny(2);
  std::vector<float> whole = allLogits(model, 100);
  int64_t n = kText.size();
  for (int64_t rows : {int64_t{0}, int64_t{1}, int64_t{3}, n}) {
    Session session = newSession(model);
    std::vector<float> logits(rows * tiny::kVocabulary);
    ASSERT_EQ(
        heed_session_step(session.get(), kText.data(), n, rows, rows ? logits.data() : nullptr),
        HEED_OK);
    EXPECT_EQ(heed_session_length(session.get()), n);
    EXPECT_EQ(logits, std::vector<float>(whole.end() - logits.size(), whole.end()));
  }
}

TEST(Session, ForgetsWhatIsTruncated) {
  Model model = openTiny(2);
  std::vector<float> whole = allLogits(model, 100);
  Session session = newSession(model);
  EXPECT_EQ(heed_session_vocabulary(session.get()), tiny::kVocabulary);
  int64_t n = kText.size();
  ASSERT_EQ(heed_session_step(session.get(), kText.data(), n, 0, nullptr), HEED_OK);
  const int32_t astray[] = {1, 2, 3};
  ASSERT_EQ(heed_session_truncate(session.get(), 4), HEED_OK);
  ASSERT_EQ(heed_session_step(session.get(), astray, 3, 0, nullptr), HEED_OK);
  ASSERT_EQ(heed_session_truncate(session.get(), 4), HEED_OK);
  std::vector<float> logits(tiny::kVocabulary);
  ASSERT_EQ(heed_session_step(session.get(), kText.data() + 4, n - 4, 1, logits.data()), HEED_OK);
  EXPECT_EQ(logits, std::vector<float>(whole.end() - tiny::kVocabulary, whole.end()));

  EXPECT_EQ(heed_session_truncate(session.get(), 12), HEED_ERROR_INPUT);
  EXPECT_STREQ(heed_last_error(), "a text of 11 tokens can't be cut to 12");
  EXPECT_EQ(heed_session_truncate(session.get(), -1), HEED_ERROR_INPUT);
}

TEST(Session, EndsAtItsContext) {
  Model model = openTiny(1);
  Session session = newSession(model);
  EXPECT_EQ(heed_session_capacity(session.get()), tiny::kContext);
  std::vector<int32_t> tokens(60, 65);
  ASSERT_EQ(heed_session_step(session.get(), tokens.data(), 60, 0, nullptr), HEED_OK);
  EXPECT_EQ(heed_session_step(session.get(), tokens.data(), 5, 0, nullptr), HEED_ERROR_INPUT);
  EXPECT_STREQ(heed_last_error(), "the context holds 64 tokens: 60 are used and 5 more were asked "
                                  "for; shorten the text or start a new one");
  EXPECT_EQ(heed_session_length(session.get()), 60);
  EXPECT_EQ(heed_session_step(session.get(), tokens.data(), 4, 0, nullptr), HEED_OK);

  Session small = newSession(model, 8);
  EXPECT_EQ(heed_session_step(small.get(), tokens.data(), 9, 0, nullptr), HEED_ERROR_INPUT);
  EXPECT_STREQ(heed_last_error(), "the context holds 8 tokens: 0 are used and 9 more were asked "
                                  "for; ask for a larger one, up to 64");
  EXPECT_EQ(heed_session_step(small.get(), tokens.data(), INT64_MAX, 0, nullptr), HEED_ERROR_INPUT);
}

TEST(Session, RefusesAbsurdCapacities) {
  Model model = openTiny(1);
  for (int64_t capacity : {int64_t{-1}, int64_t{65}, int64_t{1000000000}, INT64_MAX}) {
    heed_session *session = nullptr;
    EXPECT_EQ(heed_session_new(model.get(), tiny::kStep, capacity, &session), HEED_ERROR_INPUT);
    EXPECT_EQ(session, nullptr);
    EXPECT_NE(std::string(heed_last_error()).find("allows 1 … 64"), std::string::npos);
  }
}

TEST(Session, ReportsACacheThatDoesNotFit) {
  // An artefact of no bounded context, whose cache is larger than any memory.
  heed_cache cache{"K", int64_t{1} << 20, int64_t{1} << 20, int64_t{1} << 20, HEED_F32, 0, 0};
  heed_function function = tiny::artifact.functions[tiny::kStep];
  function.context = 0;
  function.caches = &cache;
  heed_artifact artifact = tiny::artifact;
  artifact.functions = &function;
  artifact.n_functions = 1;
  tiny::WeightsOnDisk file;
  heed_model *opened = nullptr;
  ASSERT_EQ(heed_model_open(&artifact, file.path().c_str(), nullptr, &opened), HEED_OK);
  Model model(opened, heed_model_close);
  heed_session *session = nullptr;
  EXPECT_EQ(heed_session_new(model.get(), 0, 0, &session), HEED_ERROR_MEMORY);
  EXPECT_NE(std::string(heed_last_error()).find("cache K for 4096 tokens"), std::string::npos)
      << heed_last_error();
  cache = {"K", 1, 1, 1, HEED_F32, 0, 0};
  ASSERT_EQ(heed_session_new(model.get(), 0, 0, &session), HEED_OK);
  EXPECT_EQ(heed_session_capacity(session), 4096);
  heed_session_free(session);
}

/// What the code of `recordingModel` was called with.
struct Call {
  int64_t n, past, first, capacity;
  bool operator==(const Call &) const = default;
};
std::vector<Call> calls;

void record(const heed_context *, const int64_t *ints, void *const *buffers) {
  calls.push_back({ints[0], ints[1], ints[2], ints[3]});
  auto *logits = static_cast<float *>(buffers[2]);
  for (int64_t row = ints[2]; row < ints[0]; ++row)
    logits[(row - ints[2]) * tiny::kVocabulary] = static_cast<float>(ints[1] + row);
}

/// A model that computes nothing: its step writes which row each row of logits is.
struct RecordingModel {
  heed_cache cache{"K", 1, 1, 4, HEED_F16, /*rows=*/16, /*window=*/5};
  heed_function function = tiny::artifact.functions[tiny::kStep];
  heed_artifact artifact = tiny::artifact;
  const heed_entry entries[1] = {record};
  heed_variant variant{"any", 0, entries};
  Model model{nullptr, heed_model_close};

  RecordingModel() {
    function.caches = &cache;
    function.chunk = 8;
    function.context = 0;
    artifact.functions = &function;
    artifact.n_functions = 1;
    artifact.variants = &variant;
    calls.clear();
    tiny::WeightsOnDisk file;
    heed_model *opened = nullptr;
    EXPECT_EQ(heed_model_open(&artifact, file.path().c_str(), nullptr, &opened), HEED_OK);
    model.reset(opened);
  }
};

TEST(Session, CutsLongTextsIntoCalls) {
  RecordingModel recording;
  heed_session *opened = nullptr;
  ASSERT_EQ(heed_session_new(recording.model.get(), 0, 100, &opened), HEED_OK);
  Session session(opened, heed_session_free);
  std::vector<int32_t> tokens(30, 65);
  std::vector<float> logits(11 * tiny::kVocabulary);
  ASSERT_EQ(heed_session_step(opened, tokens.data(), 2, 0, nullptr), HEED_OK);
  ASSERT_EQ(heed_session_step(opened, tokens.data(), 20, 11, logits.data()), HEED_OK);
  EXPECT_EQ(heed_session_length(opened), 22);
  EXPECT_EQ(calls,
            (std::vector<Call>{{2, 0, 2, 100}, {8, 2, 8, 100}, {8, 10, 1, 100}, {4, 18, 0, 100}}));
  for (int64_t row = 0; row < 11; ++row)
    EXPECT_EQ(logits[row * tiny::kVocabulary], static_cast<float>(11 + row));
}

TEST(Session, GoesOnWhereAllCachesAreRings) {
  RecordingModel recording;
  heed_session *opened = nullptr;
  ASSERT_EQ(heed_session_new(recording.model.get(), 0, 0, &opened), HEED_OK);
  Session session(opened, heed_session_free);
  EXPECT_EQ(heed_session_capacity(opened), INT32_MAX);
  std::vector<int32_t> tokens(10000, 65);
  EXPECT_EQ(heed_session_step(opened, tokens.data(), 10000, 0, nullptr), HEED_OK);
}

TEST(Session, CutsARingAsFarAsItReaches) {
  RecordingModel recording;
  heed_session *opened = nullptr;
  ASSERT_EQ(heed_session_new(recording.model.get(), 0, 0, &opened), HEED_OK);
  Session session(opened, heed_session_free);
  std::vector<int32_t> tokens(40, 65);
  // While nothing was overwritten, everything can be cut.
  ASSERT_EQ(heed_session_step(opened, tokens.data(), 16, 0, nullptr), HEED_OK);
  EXPECT_EQ(heed_session_truncate(opened, 3), HEED_OK);
  // Rows 14 … 29 are there, and the row after the cut reads four before it.
  ASSERT_EQ(heed_session_step(opened, tokens.data(), 27, 0, nullptr), HEED_OK);
  EXPECT_EQ(heed_session_truncate(opened, 17), HEED_ERROR_INPUT);
  EXPECT_STREQ(
      heed_last_error(),
      "a text of 30 tokens can't be cut to 17: the model keeps the last tokens alone, so cut "
      "it to 18 or more, or to 0 and read it again");
  EXPECT_EQ(heed_session_length(opened), 30);
  EXPECT_EQ(heed_session_truncate(opened, 18), HEED_OK);
  // What was overwritten stays so.
  EXPECT_EQ(heed_session_truncate(opened, 17), HEED_ERROR_INPUT);
  EXPECT_EQ(heed_session_truncate(opened, 0), HEED_OK);
  ASSERT_EQ(heed_session_step(opened, tokens.data(), 10, 0, nullptr), HEED_OK);
  EXPECT_EQ(heed_session_truncate(opened, 1), HEED_OK);
}

TEST(Session, ChecksTokensAndRows) {
  Model model = openTiny(1);
  Session session = newSession(model);
  const int32_t tokens[] = {1, 257, -1};
  float logits[1];
  auto error = [&](const int32_t *from, int64_t n, int64_t rows, float *to) {
    EXPECT_EQ(heed_session_step(session.get(), from, n, rows, to), HEED_ERROR_INPUT);
    EXPECT_EQ(heed_session_length(session.get()), 0);
    return std::string(heed_last_error());
  };
  EXPECT_EQ(error(tokens, 3, 0, nullptr), "tokens[1] is 257, and the vocabulary has 0 … 256");
  EXPECT_EQ(error(tokens + 2, 1, 0, nullptr), "tokens[0] is -1, and the vocabulary has 0 … 256");
  EXPECT_EQ(error(nullptr, 1, 0, nullptr), "the buffer of tokens is null");
  EXPECT_EQ(error(tokens, 1, 1, nullptr), "the buffer of logits is null");
  EXPECT_NE(error(tokens, 1, 2, logits), "");
  EXPECT_NE(error(tokens, -1, 0, logits), "");
  EXPECT_NE(error(tokens, 1, -1, logits), "");
  EXPECT_EQ(heed_session_step(session.get(), nullptr, 0, 0, nullptr), HEED_OK);
}

TEST(Session, TakesAStepFunctionAlone) {
  Model model = openTiny(1);
  heed_session *session = nullptr;
  EXPECT_EQ(heed_session_new(model.get(), tiny::kScale, 0, &session), HEED_ERROR_INPUT);
  EXPECT_STREQ(heed_last_error(), "'scale' keeps no cache between calls, so it can't continue a "
                                  "text: call it as a whole");
  EXPECT_EQ(heed_session_new(model.get(), 3, 0, &session), HEED_ERROR_INPUT);
  EXPECT_EQ(heed_session_new(nullptr, 1, 0, &session), HEED_ERROR_INPUT);
  EXPECT_EQ(heed_session_step(nullptr, nullptr, 0, 0, nullptr), HEED_ERROR_INPUT);
  heed_session_free(nullptr);
}

TEST(Session, SharesAModelBetweenThreads) {
  Model model = openTiny(2);
  std::vector<float> whole = allLogits(model, 100);
  std::vector<std::thread> threads;
  for (int64_t piece : {1, 3, 4})
    threads.emplace_back([&, piece] { EXPECT_EQ(allLogits(model, piece), whole); });
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace
