//===- Heed.cpp - running a compiled model from C -------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Heed.h"

#include "heed/Runtime/Model.h"
#include "heed/Weights/WeightsFile.h"

#include <atomic>
#include <cstddef>
#include <fmt/format.h>
#include <string>
#include <string_view>

using namespace heed;

namespace {

thread_local std::string lastError;

/// Models of this process, so that the last one to close gives back what calls kept for reuse.
std::atomic<int> openModels{0};

int32_t report(Status status) {
  if (!status.ok())
    lastError = std::move(status.message);
  return status.code;
}

Status nullArgument(const char *function, const char *argument) {
  return Status::input(fmt::format("{}: {} is null", function, argument));
}

/// The threads that a model to be opened shares with `other`.
Status shareThreads(const heed_model &other, int threads, std::shared_ptr<Pool> &pool) {
  if (other.artifact->abi_version != HEED_ABI_VERSION)
    return Status::input(fmt::format("heed_model_open: options.threads_of was compiled for version "
                                     "{} of the runtime's interface, and this is version {}: "
                                     "recompile it",
                                     other.artifact->abi_version, HEED_ABI_VERSION));
  if (threads != 0 && threads != other.pool->threads())
    return Status::input(fmt::format("heed_model_open: options.threads is {}, and the model of "
                                     "options.threads_of has {}: set threads to 0 or that",
                                     threads, other.pool->threads()));
  pool = other.pool;
  return {};
}

Status open(const heed_artifact *artifact, const char *path, const heed_options *options,
            heed_model **result) {
  bool hasWeights = artifact && artifact->n_weights > 0;
  if (!artifact || (hasWeights && !path) || !result)
    return nullArgument("heed_model_open", !artifact ? "artifact"
                                           : !result ? "model"
                                                     : "weights_path");
  *result = nullptr;
  int threads = 0;
  const char *packed = "off";
  std::shared_ptr<Pool> pool;
  if (options) {
    constexpr size_t kFirstVersion = offsetof(heed_options, threads) + sizeof(options->threads);
    if (options->size < kFirstVersion)
      return Status::input(fmt::format("heed_model_open: options.size is {}, and at least {} was "
                                       "expected: set it to sizeof(heed_options)",
                                       options->size, kFirstVersion));
    threads = options->threads;
    if (options->size >= offsetof(heed_options, packed) + sizeof(options->packed) &&
        options->packed)
      packed = options->packed;
    if (options->size >= offsetof(heed_options, threads_of) + sizeof(options->threads_of) &&
        options->threads_of)
      if (Status status = shareThreads(*options->threads_of, threads, pool); !status.ok())
        return status;
  }
  std::unique_ptr<WeightsFile> file;
  if (path) {
    ErrorOr<std::unique_ptr<WeightsFile>> opened = WeightsFile::open(path);
    if (!opened)
      return Status::input(opened.error());
    file = std::move(*opened);
  }
  std::unique_ptr<heed_model> model;
  Status status =
      pool ? heed_model::open(*artifact, file.get(), pool, model, packedFolder(packed))
           : heed_model::open(*artifact, file.get(), threads, model, packedFolder(packed));
  if (!status.ok())
    return status;
  openModels.fetch_add(1);
  *result = model.release();
  return {};
}

} // namespace

const char *heed_last_error(void) { return lastError.c_str(); }

int32_t heed_model_open(const heed_artifact *artifact, const char *weights_path,
                        const heed_options *options, heed_model **model) {
  return report(open(artifact, weights_path, options, model));
}

void heed_model_close(heed_model *model) {
  if (!model)
    return;
  delete model;
  if (openModels.fetch_sub(1) == 1)
    trimMemory();
}

int32_t heed_model_function(const heed_model *model, const char *name) {
  for (int32_t f = 0; model && name && f < model->artifact->n_functions; ++f)
    if (std::string_view(name) == model->artifact->functions[f].name)
      return f;
  return -1;
}

int32_t heed_call(heed_model *model, int32_t function, const int64_t *sizes,
                  const void *const *params, void *const *results) {
  if (!model)
    return report(nullArgument("heed_call", "model"));
  return report(model->call(function, sizes, params, results));
}

int32_t heed_session_new(heed_model *model, int32_t function, int64_t capacity,
                         heed_session **session) {
  if (!model || !session)
    return report(nullArgument("heed_session_new", !model ? "model" : "session"));
  *session = nullptr;
  std::unique_ptr<heed_session> created;
  Status status = heed_session::create(*model, function, capacity, created);
  *session = created.release();
  return report(std::move(status));
}

int32_t heed_session_step(heed_session *session, const int32_t *tokens, int64_t n, int64_t rows,
                          float *logits) {
  if (!session)
    return report(nullArgument("heed_session_step", "session"));
  return report(session->step(tokens, n, rows, logits));
}

int64_t heed_session_length(const heed_session *session) { return session ? session->length() : 0; }

int64_t heed_session_capacity(const heed_session *session) {
  return session ? session->capacity() : 0;
}

int64_t heed_session_vocabulary(const heed_session *session) {
  return session ? session->vocabulary() : 0;
}

int32_t heed_session_truncate(heed_session *session, int64_t length) {
  if (!session)
    return report(nullArgument("heed_session_truncate", "session"));
  return report(session->truncate(length));
}

void heed_session_free(heed_session *session) { delete session; }
