//===- Model.cpp - a compiled model with its weights ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Model.h"

#include "heed/Runtime/Cpu.h"
#include "heed/Weights/WeightsFile.h"

#include <cstdlib>
#include <fmt/format.h>

using namespace heed;

heed_model::~heed_model() {
  if (!pool)
    return;
  std::lock_guard guard(pool->running);
  pool->awaitLate(); // they may still look up where weights are
}

Status heed_model::open(const heed_artifact &artifact, const WeightsFile *file, int threads,
                        std::unique_ptr<heed_model> &model, const std::string &packedFolder) {
  ErrorOr<std::shared_ptr<Pool>> pool = Pool::create(threads);
  if (!pool)
    return Status::input(pool.error());
  return open(artifact, file, std::move(*pool), model, packedFolder);
}

Status heed_model::open(const heed_artifact &artifact, const WeightsFile *file,
                        std::shared_ptr<Pool> pool, std::unique_ptr<heed_model> &model,
                        const std::string &packedFolder) {
  if (artifact.abi_version != HEED_ABI_VERSION)
    return Status::input(fmt::format("the model was compiled for version {} of the runtime's "
                                     "interface, and this is version {}: recompile it",
                                     artifact.abi_version, HEED_ABI_VERSION));
  ErrorOr<const heed_variant *> variant =
      chooseVariant(artifact, cpuFeatures(), std::getenv("HEED_ISA"));
  if (!variant)
    return Status::input(variant.error());
  auto opened = std::make_unique<heed_model>();
  opened->artifact = &artifact;
  opened->variant = *variant;
  opened->pool = std::move(pool);
  Status status;
  {
    std::lock_guard guard(opened->pool->running);
    status = opened->weights.load(artifact, file, *opened->pool, packedFolder);
  }
  if (!status.ok())
    return status;
  model = std::move(opened);
  return {};
}

Status heed_model::find(int32_t function, const heed_function *&found) const {
  if (function < 0 || function >= artifact->n_functions)
    return Status::input(fmt::format("there is no function number {}: {} has {}", function,
                                     artifact->name, artifact->n_functions));
  found = &artifact->functions[function];
  return {};
}

void heed_model::run(int32_t function, const int64_t *ints, void *const *buffers) {
  std::lock_guard guard(pool->running);
  heed_context context{weights.addresses(), static_cast<PoolHandle *>(pool.get())};
  variant->entries[function](&context, ints, buffers);
}

Status heed::checkTokens(const int32_t *tokens, int64_t count, int64_t limit, const char *what) {
  for (int64_t i = 0; limit > 0 && i < count; ++i)
    if (tokens[i] < 0 || tokens[i] >= limit)
      return Status::input(fmt::format("{}[{}] is {}, and the vocabulary has 0 … {}", what, i,
                                       tokens[i], limit - 1));
  return {};
}

namespace {

/// The number of elements of `tensor` under run-time sizes `sizes`.
Status elementCount(const heed_tensor &tensor, const int64_t *sizes, int64_t &count) {
  count = 1;
  bool tooMany = false;
  for (int32_t a = 0; a < tensor.rank; ++a) {
    int64_t extent = tensor.dims[a] >= 0 ? tensor.dims[a] : sizes[-1 - tensor.dims[a]];
    if (extent == 0) {
      count = 0;
      return {};
    }
    tooMany |= __builtin_mul_overflow(count, extent, &count);
  }
  // Elements are four bytes, and the code adds up addresses of several buffers.
  constexpr int64_t kMost = INT64_MAX / 16;
  if (tooMany || count > kMost)
    return Status::input(fmt::format("'{}' would have more than {} elements: its sizes are too "
                                     "large",
                                     tensor.name, kMost));
  return {};
}

Status checkBuffer(const heed_tensor &tensor, const void *buffer, int64_t count) {
  if (!buffer && count > 0)
    return Status::input(fmt::format("the buffer of '{}' is null, and {} elements were expected",
                                     tensor.name, count));
  return {};
}

} // namespace

Status heed_model::call(int32_t function, const int64_t *sizes, const void *const *params,
                        void *const *results) {
  const heed_function *callee = nullptr;
  if (Status status = find(function, callee); !status.ok())
    return status;
  if (callee->kind != HEED_PLAIN)
    return Status::input(
        fmt::format("'{}' keeps caches between calls: use a session", callee->name));
  if ((callee->n_sizes > 0 && !sizes) || (callee->n_params > 0 && !params) ||
      (callee->n_results > 0 && !results))
    return Status::input(fmt::format("'{}' takes {} sizes, {} parameters and {} results, and one "
                                     "of the three arrays is null",
                                     callee->name, callee->n_sizes, callee->n_params,
                                     callee->n_results));
  for (int32_t s = 0; s < callee->n_sizes; ++s) {
    if (sizes[s] < 0)
      return Status::input(
          fmt::format("size {} is {}, and at least 0 was expected", callee->sizes[s], sizes[s]));
    int64_t most = callee->bounds ? callee->bounds[s] : 0;
    if (most > 0 && sizes[s] > most)
      return Status::input(fmt::format("size {} is {}, and '{}' allows at most {}",
                                       callee->sizes[s], sizes[s], callee->name, most));
  }

  std::vector<void *> buffers;
  for (int32_t p = 0; p < callee->n_params; ++p) {
    const heed_tensor &param = callee->params[p];
    int64_t count;
    if (Status status = elementCount(param, sizes, count); !status.ok())
      return status;
    if (Status status = checkBuffer(param, params[p], count); !status.ok())
      return status;
    if (param.element == HEED_I32)
      if (Status status = checkTokens(static_cast<const int32_t *>(params[p]), count,
                                      callee->token_limit, param.name);
          !status.ok())
        return status;
    // Generated code never writes to parameters; it takes one array for both kinds.
    buffers.push_back(const_cast<void *>(params[p]));
  }
  for (int32_t r = 0; r < callee->n_results; ++r) {
    int64_t count;
    if (Status status = elementCount(callee->results[r], sizes, count); !status.ok())
      return status;
    if (Status status = checkBuffer(callee->results[r], results[r], count); !status.ok())
      return status;
    buffers.push_back(results[r]);
  }
  run(function, sizes, buffers.data());
  return {};
}
