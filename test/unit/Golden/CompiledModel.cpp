//===- CompiledModel.cpp - a compiled library with its weights ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledModel.h"
#include "Reference.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <map>
#include <string>

using namespace heed::golden;

static std::string libraryPath, weightsPath;

[[noreturn]] static void die(const std::string &message) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  std::exit(1);
}

void heed::golden::readArguments(int argc, char **argv) {
  if (argc > 3 && std::string_view(argv[argc - 1]) == "--rounded") {
    setTolerance(kRounded);
    --argc;
  }
  if ((argc != 3 && argc != 4) || !chooseSubject(argv[1]))
    die("usage: HeedGoldenTests smollm2|gemma3 LIBRARY.so [WEIGHTS.gguf] [--rounded]");
  const char *environment = std::getenv(subject().variable);
  libraryPath = argv[2];
  weightsPath = argc == 4 ? argv[3] : environment ? environment : "";
  if (weightsPath.empty())
    die(std::string("set ") + subject().variable + " to the path of " + subject().weights);
}

static const heed_artifact &artifact() {
  static const heed_artifact *const loaded = [] {
    void *library = dlopen(libraryPath.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library)
      die(dlerror());
    auto *found = static_cast<const heed_artifact *>(dlsym(library, "heed_artifact_export"));
    if (!found)
      die("'" + libraryPath + "' has no heed_artifact_export");
    return found;
  }();
  return *loaded;
}

heed_model &heed::golden::model(int threads) {
  static std::map<int, Model> models;
  Model &wanted = models[threads];
  if (!wanted) {
    heed_options options{sizeof(heed_options), threads, nullptr, nullptr};
    heed_model *opened = nullptr;
    if (heed_model_open(&artifact(), weightsPath.c_str(), &options, &opened) != HEED_OK)
      die(heed_last_error());
    wanted.reset(opened);
  }
  return *wanted;
}

Session heed::golden::newSession(int threads, int64_t capacity) {
  heed_model &opened = model(threads);
  heed_session *session = nullptr;
  if (heed_session_new(&opened, heed_model_function(&opened, "logits"), capacity, &session) !=
      HEED_OK)
    die(heed_last_error());
  return Session(session);
}

std::vector<float> heed::golden::feed(heed_session &session, std::span<const int32_t> tokens,
                                      int64_t rows, Feed how) {
  int64_t total = tokens.size(), vocabulary = subject().vocabulary;
  int64_t chunk = how == Feed::Whole ? total : static_cast<int64_t>(how);
  std::vector<float> logits(rows * vocabulary);
  int64_t written = 0;
  for (int64_t begin = 0; begin < total; begin += chunk) {
    int64_t n = std::min(chunk, total - begin);
    // Rows of this chunk that are among the last `rows` of all.
    int64_t wanted = std::clamp<int64_t>(begin + n - (total - rows), 0, n);
    int32_t status = heed_session_step(&session, tokens.data() + begin, n, wanted,
                                       logits.data() + written * vocabulary);
    EXPECT_EQ(status, HEED_OK) << heed_last_error();
    if (status != HEED_OK)
      break;
    written += wanted;
  }
  logits.resize(written * vocabulary);
  return logits;
}
