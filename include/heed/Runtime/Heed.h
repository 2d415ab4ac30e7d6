/*===- Heed.h - running a compiled model from C ---------------------------===*\
|*
|* Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
|*===----------------------------------------------------------------------===*|
|*
|* What every compiled model exports besides its own functions. The header that
|* `heed compile` writes beside a model repeats these declarations, so a program
|* needs that header alone.
|*
|*   heed_model *model;
|*   if (heed_model_open(&heed_artifact_llama, "m.gguf", NULL, &model))
|*     puts(heed_last_error());
|*
|* A model and its sessions may be used from several threads: calls that run the
|* model, or one that it shares threads with, wait for one another. One session
|* belongs to one thread at a time.
|*
\*===----------------------------------------------------------------------===*/

#ifndef HEED_RUNTIME_HEED_H
#define HEED_RUNTIME_HEED_H

#include "heed/Runtime/Artifact.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef HEED_API
#define HEED_API __attribute__((visibility("default")))
#endif

/** What every function below returns. After anything but HEED_OK, heed_last_error says why. */
enum heed_status {
  HEED_OK = 0,
  HEED_ERROR_INPUT = 1,    /**< an argument, a file or a setting: the message names the remedy */
  HEED_ERROR_INTERNAL = 2, /**< a mistake of Heed's own */
  HEED_ERROR_MEMORY = 3    /**< the system has no room for weights or caches */
};

typedef struct heed_options {
  uint32_t size;   /**< sizeof(heed_options), so that later versions can add to the end */
  int32_t threads; /**< 1 … 1024, the caller's own among them; 0: one for each processor */
  /** Where the weights are kept as they lie in memory, for the next time: a folder, "on" for
   *  ~/.cache/heed/packed, or "off". The environment's HEED_PACKED comes first. NULL is "off". */
  const char *packed;
  /** A model whose threads this one uses too, so that two models that take turns don't each keep
   *  some, and wake them at every turn. Calls that run either wait for one another. Then `threads`
   *  is 0 or that model's. That one may be closed first, but its library must stay loaded. NULL:
   *  threads of its own. */
  const struct heed_model *threads_of;
} heed_options;

typedef struct heed_model heed_model;
typedef struct heed_session heed_session;

/** The message of this thread's last error; "" if there was none. Valid until this thread's next
 *  error. Never NULL. */
HEED_API const char *heed_last_error(void);

/** Reads the weights at `weights_path` (GGUF or safetensors) into memory as the code wants them,
 *  and starts the threads. `options` may be NULL, and so may `weights_path` where the program has
 *  no weights. The file is not needed afterwards. The environment's HEED_ISA (such as avx2) takes
 *  the place of the best instruction set, its HEED_PACKED that of options->packed. */
HEED_API int32_t heed_model_open(const heed_artifact *artifact, const char *weights_path,
                                 const heed_options *options, heed_model **model);

/** Ends the threads, if no other model has them, and frees the weights. Every session must have
 * been freed before. NULL is legal. */
HEED_API void heed_model_close(heed_model *model);

/** The number of the function called `name`, or -1. */
HEED_API int32_t heed_model_function(const heed_model *model, const char *name);

/** Calls a HEED_PLAIN function. sizes[n_sizes] are its run-time sizes, params[n_params] and
 *  results[n_results] row-major contiguous buffers of the sizes that follow from them; the caller
 *  owns all. Sizes must be at least 0, integer parameters in [0, token_limit). */
HEED_API int32_t heed_call(heed_model *model, int32_t function, const int64_t *sizes,
                           const void *const *params, void *const *results);

/** Begins an empty text for a HEED_STEP function. `capacity` is the most tokens it will hold; 0 is
 *  the model's context; where that is unbounded 4096, or 2^31 - 1 if no memory depends on it, as
 *  every row sees the last rows alone. Memory is used as the text grows. */
HEED_API int32_t heed_session_new(heed_model *model, int32_t function, int64_t capacity,
                                  heed_session **session);

/** Appends n >= 0 tokens and writes the logits of the last `rows` of them (0 … n) to `logits`,
 *  [rows, vocabulary]; with 0 rows `logits` may be NULL. After an error the session is as it was
 *  before the call. */
HEED_API int32_t heed_session_step(heed_session *session, const int32_t *tokens, int64_t n,
                                   int64_t rows, float *logits);

/** Tokens the session holds. */
HEED_API int64_t heed_session_length(const heed_session *session);

/** Tokens the session has room for. */
HEED_API int64_t heed_session_capacity(const heed_session *session);

/** Width of a row of logits. */
HEED_API int64_t heed_session_vocabulary(const heed_session *session);

/** Forgets all but the first `length` tokens. A model that sees the last rows alone has lost what
 *  came long before: then a short length above 0 is HEED_ERROR_INPUT, and the session as it was. */
HEED_API int32_t heed_session_truncate(heed_session *session, int64_t length);

/** NULL is legal. */
HEED_API void heed_session_free(heed_session *session);

#ifdef __cplusplus
}
#endif

#endif /* HEED_RUNTIME_HEED_H */
