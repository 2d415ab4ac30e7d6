//===- Model.h - a compiled model with its weights, and a text -*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The same as Heed.h for C++, which that interface is made of.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_RUNTIME_MODEL_H
#define HEED_RUNTIME_MODEL_H

#include "heed/Runtime/Memory.h"
#include "heed/Runtime/PackedWeights.h"
#include "heed/Runtime/Pool.h"
#include "heed/Runtime/Status.h"

#include <memory>
#include <string>
#include <vector>

namespace heed {
class WeightsFile;
}

/// A model whose weights are loaded and whose threads run.
struct heed_model {
  const heed_artifact *artifact = nullptr;
  const heed_variant *variant = nullptr;
  heed::PackedWeights weights;
  std::shared_ptr<heed::Pool> pool;

  ~heed_model();

  /// Loads from a file that is already open; null is legal where the artefact has no weights.
  /// `packedFolder` is where packed weights are kept for the next time, see PackedWeights; empty:
  /// nowhere.
  static heed::Status open(const heed_artifact &artifact, const heed::WeightsFile *file,
                           int threads, std::unique_ptr<heed_model> &model,
                           const std::string &packedFolder = {});
  /// The same, with the threads of `pool`, which other models may have too.
  static heed::Status open(const heed_artifact &artifact, const heed::WeightsFile *file,
                           std::shared_ptr<heed::Pool> pool, std::unique_ptr<heed_model> &model,
                           const std::string &packedFolder = {});

  /// Runs function `function`; arguments have been checked.
  void run(int32_t function, const int64_t *ints, void *const *buffers);

  /// Checks all arguments and runs a HEED_PLAIN function.
  heed::Status call(int32_t function, const int64_t *sizes, const void *const *params,
                    void *const *results);

  /// The function with this number, or an error.
  heed::Status find(int32_t function, const heed_function *&found) const;
};

/// A text that a model has read so far, as caches.
struct heed_session {
  static constexpr int64_t kDefaultCapacity = 4096;

  static heed::Status create(heed_model &model, int32_t function, int64_t capacity,
                             std::unique_ptr<heed_session> &session);

  heed::Status step(const int32_t *tokens, int64_t n, int64_t rows, float *logits);
  heed::Status truncate(int64_t newLength);

  int64_t length() const { return past; }
  /// The most tokens that the text may have; no memory depends on it where all caches are rings.
  int64_t capacity() const { return room; }
  int64_t vocabulary() const;

private:
  heed_session() = default;
  /// The shortest length, above 0, that the text can still be cut to: rings have lost what rows
  /// before it read.
  int64_t shortest() const;

  heed_model *model = nullptr;
  const heed_function *function = nullptr;
  int32_t functionIndex = 0;
  int64_t past = 0, room = 0;
  int64_t written = 0; ///< the largest `past` since the caches were empty
  std::vector<heed::Region> caches;
};

namespace heed {

/// Checks that integers lie in [0, limit); a limit of 0 allows all. `what` names them in the error.
Status checkTokens(const int32_t *tokens, int64_t count, int64_t limit, const char *what);

} // namespace heed

#endif // HEED_RUNTIME_MODEL_H
