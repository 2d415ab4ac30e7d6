//===- CompiledModel.h - a compiled library with its weights ----*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_GOLDEN_COMPILEDMODEL_H
#define HEED_TEST_UNIT_GOLDEN_COMPILEDMODEL_H

#include "heed/Runtime/Heed.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace heed::golden {

struct CloseModel {
  void operator()(heed_model *model) const { heed_model_close(model); }
};
struct FreeSession {
  void operator()(heed_session *session) const { heed_session_free(session); }
};
using Model = std::unique_ptr<heed_model, CloseModel>;
using Session = std::unique_ptr<heed_session, FreeSession>;

/// The library and the weights that the command line names, run by `threads` threads; opened once
/// for each number. Ends the program with a message where that fails.
heed_model &model(int threads);

/// An empty text of at most `capacity` tokens, 0 for the model's context.
Session newSession(int threads, int64_t capacity = 0);

/// How a text is fed.
enum class Feed : int64_t { Whole = 0, ChunksOfSeven = 7, OneByOne = 1 };

/// Feeds `tokens`, and returns the logits of the last `rows` of them, [rows, vocabulary]. A
/// failing step fails the test and yields fewer.
std::vector<float> feed(heed_session &session, std::span<const int32_t> tokens, int64_t rows,
                        Feed how);

/// Reads the program's arguments: the subject, its library, then its weights, which otherwise the
/// subject's variable of the environment names.
void readArguments(int argc, char **argv);

} // namespace heed::golden

#endif // HEED_TEST_UNIT_GOLDEN_COMPILEDMODEL_H
