//===- SharedThreadsTest.cpp ----------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "heed/Runtime/Heed.h"
#include "heed/Runtime/Model.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using Model = std::unique_ptr<heed_model, decltype(&heed_model_close)>;

Model openTiny(int32_t threads, const heed_model *other = nullptr) {
  tiny::WeightsOnDisk file;
  heed_options options{sizeof(heed_options), threads, nullptr, other};
  heed_model *model = nullptr;
  heed_model_open(&tiny::artifact, file.path().c_str(), &options, &model);
  return {model, heed_model_close};
}

std::vector<float> lastLogits(const Model &model) {
  const int32_t text[] = {72, 101, 101, 100, 33, 0, 7};
  std::vector<float> logits(tiny::kVocabulary);
  heed_session *session = nullptr;
  EXPECT_EQ(heed_session_new(model.get(), tiny::kStep, 0, &session), HEED_OK);
  for (int32_t token : text)
    EXPECT_EQ(heed_session_step(session, &token, 1, 1, logits.data()), HEED_OK);
  heed_session_free(session);
  return logits;
}

TEST(SharedThreads, GiveTheSameBits) {
  for (int32_t threads : {1, 2, 5}) {
    Model first = openTiny(threads);
    std::vector<float> alone = lastLogits(first);
    Model second = openTiny(0, first.get()), third = openTiny(threads, second.get());
    EXPECT_EQ(first->pool, third->pool);
    EXPECT_EQ(lastLogits(third), alone);
    EXPECT_EQ(lastLogits(first), alone);
    first.reset(); // the threads stay with whoever has them
    EXPECT_EQ(lastLogits(second), alone);
    second.reset();
    EXPECT_EQ(lastLogits(third), alone);
  }
}

TEST(SharedThreads, TakeOneCallerAtATime) {
  Model first = openTiny(3);
  std::vector<float> alone = lastLogits(first);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int i = 0; i < 5; ++i) { // opened, run and closed while others run
        Model own = openTiny(0, first.get());
        EXPECT_EQ(lastLogits(own), alone);
      }
    });
  for (std::thread &caller : callers)
    caller.join();
}

TEST(SharedThreads, RefuseAnotherNumberAndAnotherVersion) {
  Model first = openTiny(2);
  EXPECT_EQ(openTiny(3, first.get()), nullptr);
  EXPECT_STREQ(heed_last_error(), "heed_model_open: options.threads is 3, and the model of "
                                  "options.threads_of has 2: set threads to 0 or that");
  heed_artifact older = tiny::artifact;
  first->artifact = &older;
  older.abi_version = HEED_ABI_VERSION - 1;
  EXPECT_EQ(openTiny(0, first.get()), nullptr);
  EXPECT_NE(std::string(heed_last_error()).find("threads_of was compiled for version"),
            std::string::npos);
}

} // namespace
