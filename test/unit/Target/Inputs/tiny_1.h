/* tiny_1.h - the model 'tiny-1', compiled by Heed; made by `heed compile`, do not edit.
 *
 * A model may be used from several threads: calls that run it wait for one another.
 * One session belongs to one thread at a time. Buffers are row-major and contiguous,
 * belong to the caller, and are not kept. */

#ifndef HEED_MODEL_TINY_1_H
#define HEED_MODEL_TINY_1_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if !defined(HEED_MODEL_TYPES) && !defined(HEED_RUNTIME_HEED_H)
#define HEED_MODEL_TYPES

/** What the functions below return. After anything but HEED_OK, the last error says why. */
enum heed_status {
  HEED_OK = 0,
  HEED_ERROR_INPUT = 1,    /**< an argument, a file or a setting */
  HEED_ERROR_INTERNAL = 2, /**< a mistake of Heed's own */
  HEED_ERROR_MEMORY = 3    /**< no room for weights or caches */
};

typedef struct heed_options {
  uint32_t size;   /**< sizeof(heed_options) */
  int32_t threads; /**< 1 to 1024, the caller's own among them; 0: one for each processor */
  const char *packed; /**< where packed weights are kept for the next time: a folder, "on" for the
                           user's cache, "off"; NULL is "off", and HEED_PACKED comes first */
  const struct heed_model *threads_of; /**< a model whose threads this one uses too: calls of both
                                            wait for one another; NULL: threads of its own */
} heed_options;

typedef struct heed_model heed_model;     /**< code with its weights and threads */
typedef struct heed_session heed_session; /**< a text that a model has read so far */

#endif

/** Reads the weights at `path` (GGUF or safetensors) and starts the threads.
 * `options` may be NULL. Free *model with tiny_1_close. The file is not needed afterwards. */
int32_t tiny_1_open(const char *path, const heed_options *options, heed_model **model);

/** Ends the threads and frees the weights, after every session was freed. NULL is legal. */
void tiny_1_close(heed_model *model);

/** The message of this thread's last error, valid until its next one; "" if there was
 * none. Never NULL. */
const char *tiny_1_last_error(void);

/** Doubles each row.
 * A comment * / that tries to end.
 *
 * n: a size, at least 0 and at most 16
 * x[n][2]: read
 * twice[n][2]: written
 * HEED_ERROR_INPUT: a size or an integer is out of range; nothing was written. */
int32_t tiny_1_twice(heed_model *model, int64_t n, const float *x, float *twice);

/** Begins an empty text for tiny_1_logits. `capacity` is the most tokens it will hold,
 * 0 for the model's context, 64. Each token takes 216 bytes of caches, used as the text grows.
 * Free *session with tiny_1_session_free.
 * HEED_ERROR_INPUT: capacity is negative or too large. HEED_ERROR_MEMORY: there is no room. */
int32_t tiny_1_logits_session(heed_model *model, int64_t capacity, heed_session **session);

/** The model.
 *
 * Appends n >= 0 tokens and writes the logits of the last `rows` of them (0 to n) to
 * logits[rows][3]; with 0 rows it may be NULL.
 * Integers must lie in 0 to 2.
 * HEED_ERROR_INPUT: n, rows or a token is out of range, or the session is full. After an
 * error the session is as it was before. */
int32_t tiny_1_logits(heed_session *session, const int32_t *tokens, int64_t n, int64_t rows,
    float *logits);

/** Tokens that the session holds. */
int64_t tiny_1_session_length(const heed_session *session);

/** Forgets all but the first `length` tokens.
 * HEED_ERROR_INPUT: length is negative or more than the session holds. */
int32_t tiny_1_session_truncate(heed_session *session, int64_t length);

/** Frees a session. NULL is legal. */
void tiny_1_session_free(heed_session *session);

#ifdef __cplusplus
}
#endif

#endif /* HEED_MODEL_TINY_1_H */
