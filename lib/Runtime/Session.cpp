//===- Session.cpp - a text that a model has read so far ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Model.h"

#include <algorithm>
#include <fmt/format.h>

using namespace heed;

namespace {

/// Checks that the artefact describes a step as Artifact.h defines it: one run-time size, int[n]
/// in, [n, vocabulary] out.
Status checkStep(const heed_function &function) {
  if (function.kind != HEED_STEP)
    return Status::input(fmt::format("'{}' keeps no cache between calls, so it can't continue a "
                                     "text: call it as a whole",
                                     function.name));
  if (function.n_sizes != 1 || function.n_params != 1 || function.n_results != 1 ||
      function.params[0].element != HEED_I32 || function.params[0].rank != 1 ||
      function.results[0].rank != 2 || function.results[0].dims[1] < 1)
    return Status::internal(fmt::format("the artefact describes '{}' as a step, but not as one "
                                        "from int[n] to [n, vocabulary]",
                                        function.name));
  return {};
}

int64_t elementBytes(const heed_cache &cache) {
  switch (cache.element) {
  case HEED_I8:
    return 1;
  case HEED_F16:
  case HEED_BF16:
    return 2;
  default:
    return 4;
  }
}

bool isRing(const heed_cache &cache) { return cache.rows > 0; }

/// Maps one cache. A product that passes int64_t is as much out of memory as a refusal.
Status allocateCache(const heed_cache &cache, int64_t capacity, Region &region) {
  int64_t rows = isRing(cache) ? cache.rows : capacity;
  int64_t bytes = elementBytes(cache);
  bool tooMany = false;
  for (int64_t extent : {cache.layers, cache.heads, rows, cache.width})
    tooMany |= __builtin_mul_overflow(bytes, extent, &bytes);
  if (tooMany || !region.allocate(bytes, Region::Pages::Small))
    return Status::memory(fmt::format("out of memory: cache {} for {} tokens is {} layers x {} "
                                      "heads x {} numbers a token: ask for a smaller context",
                                      cache.name, rows, cache.layers, cache.heads, cache.width));
  return {};
}

} // namespace

Status heed_session::create(heed_model &model, int32_t function, int64_t capacity,
                            std::unique_ptr<heed_session> &session) {
  const heed_function *callee = nullptr;
  if (Status status = model.find(function, callee); !status.ok())
    return status;
  if (Status status = checkStep(*callee); !status.ok())
    return status;

  // Token numbers are 32 bits wide wherever positions are.
  int64_t most = callee->context > 0 ? callee->context : INT32_MAX;
  if (capacity < 0 || capacity > most)
    return Status::input(fmt::format("a context of {} tokens was asked for, and '{}' allows "
                                     "1 … {}",
                                     capacity, callee->name, most));
  // Rings take the same memory however long the text is.
  bool isBounded = callee->n_caches > 0 &&
                   std::all_of(callee->caches, callee->caches + callee->n_caches, isRing);
  if (capacity == 0)
    capacity = callee->context > 0 || isBounded ? most : kDefaultCapacity;

  std::unique_ptr<heed_session> created(new heed_session);
  created->model = &model;
  created->function = callee;
  created->functionIndex = function;
  created->room = capacity;
  created->caches.resize(callee->n_caches);
  for (int32_t c = 0; c < callee->n_caches; ++c)
    if (Status status = allocateCache(callee->caches[c], capacity, created->caches[c]);
        !status.ok())
      return status;
  session = std::move(created);
  return {};
}

int64_t heed_session::vocabulary() const { return function->results[0].dims[1]; }

Status heed_session::step(const int32_t *tokens, int64_t n, int64_t rows, float *logits) {
  if (n < 0 || rows < 0 || rows > n)
    return Status::input(fmt::format("a step of {} tokens with logits of the last {} was asked "
                                     "for: at least 0 tokens and at most as many rows were "
                                     "expected",
                                     n, rows));
  if ((n > 0 && !tokens) || (rows > 0 && !logits))
    return Status::input(
        fmt::format("the buffer of {} is null", n > 0 && !tokens ? "tokens" : "logits"));
  if (n > room - past)
    return Status::input(fmt::format(
        "the context holds {} tokens: {} are used and {} more were "
        "asked for; {}",
        room, past, n,
        function->context > room ? fmt::format("ask for a larger one, up to {}", function->context)
                                 : "shorten the text or start a new one"));
  if (Status status = checkTokens(tokens, n, function->token_limit, function->params[0].name);
      !status.ok())
    return status;
  if (n == 0)
    return {};

  // With no rows asked for the code writes none, but it is given an address all the same.
  alignas(64) static float nowhere[16];
  int64_t chunk = function->chunk > 0 ? function->chunk : n;
  int64_t skipped = n - rows; // tokens before the first whose logits are asked for
  for (int64_t begin = 0; begin < n; begin += chunk) {
    int64_t count = std::min(chunk, n - begin);
    int64_t first = std::clamp<int64_t>(skipped - begin, 0, count);
    std::vector<void *> buffers{const_cast<int32_t *>(tokens + begin)};
    for (Region &cache : caches)
      buffers.push_back(cache.data());
    buffers.push_back(first < count ? logits + (begin + first - skipped) * vocabulary() : nowhere);
    int64_t ints[] = {count, past, first, room};
    model->run(functionIndex, ints, buffers.data());
    past += count;
    written = std::max(written, past);
  }
  return {};
}

int64_t heed_session::shortest() const {
  int64_t least = 0;
  for (int32_t c = 0; c < function->n_caches; ++c) {
    const heed_cache &cache = function->caches[c];
    // The row after the cut reads window - 1 rows before it; all from written - rows on are there.
    if (isRing(cache) && written > cache.rows)
      least = std::max(least, written - cache.rows + cache.window - 1);
  }
  return std::min(least, past);
}

Status heed_session::truncate(int64_t newLength) {
  if (newLength < 0 || newLength > past)
    return Status::input(fmt::format("a text of {} tokens can't be cut to {}", past, newLength));
  if (newLength > 0 && newLength < shortest())
    return Status::input(fmt::format("a text of {} tokens can't be cut to {}: the model keeps the "
                                     "last tokens alone, so cut it to {} or more, or to 0 and read "
                                     "it again",
                                     past, newLength, shortest()));
  past = newLength;
  if (newLength == 0)
    written = 0;
  return {};
}
