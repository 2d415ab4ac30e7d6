/*===- Artifact.h - what a compiled model says of itself ------------------===*\
|*
|* Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
|*===----------------------------------------------------------------------===*|
|*
|* The contract between generated code and the runtime. The compiler emits one
|* constant `heed_artifact` into every object it writes, and the runtime reads
|* it to load weights, allocate caches and call the code. Plain C, because both
|* sides must agree on every byte.
|*
\*===----------------------------------------------------------------------===*/

#ifndef HEED_RUNTIME_ARTIFACT_H
#define HEED_RUNTIME_ARTIFACT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Raised whenever a struct below changes, or heed_model does, which a model of another library may
 *  share threads with; the runtime refuses any other value. */
#define HEED_ABI_VERSION 5

#define HEED_MAX_RANK 6

/** How a weight lies in memory once it is loaded. */
enum heed_layout {
  HEED_LAYOUT_DENSE_F32 = 0, /**< row-major f32, dequantised at load */
  HEED_LAYOUT_PANELS = 1,    /**< panels of 16 rows, see heed/Weights/PanelLayout.h */
  HEED_LAYOUT_ROWS = 2       /**< row-major f16 or bf16, as the file has it */
};

/** One `weight` of the program. */
typedef struct heed_weight {
  const char *name;     /**< its name in the program */
  const char *tensor;   /**< its tensor in the file, "{l}" standing for the layer's number */
  const char *fallback; /**< the tensor to take where the first is missing, or NULL */
  uint32_t storages;    /**< a heed::StorageSet: what the file may hold, bit n being type n */
  int32_t layout;       /**< a heed_layout */
  int64_t layers;       /**< how many tensors, one a layer; 1 where it isn't per layer */
  int64_t rows, cols;   /**< the matrix: feature axes flattened, contracted axes flattened;
                             a dense weight has rows = all elements, cols = 1 */
  int64_t matrices;     /**< rows are those of so many matrices, one for each head, which all begin
                             with a panel of their own; else 1 */
  /** Where its axes are laid out in another order than the file's: how many there are, else 0.
   *  Axis a of the weight in memory is axis permutation[a] of `shape`, the shape in the file's
   *  order. In block storage the last axis stays the last and is made of whole blocks. */
  int32_t rank;
  int32_t permutation[HEED_MAX_RANK];
  int64_t shape[HEED_MAX_RANK];
} heed_weight;

enum heed_element { HEED_F32 = 0, HEED_I32 = 1, HEED_F16 = 2, HEED_BF16 = 3, HEED_I8 = 4 };

/** One derived cache: [layers, heads, rows, width]. Row r of a text lies at r mod rows. */
typedef struct heed_cache {
  const char *name; /**< the value it holds, such as "K", or "K_scale" */
  int64_t layers, heads, width;
  int32_t element; /**< a heed_element: all but HEED_I32 */
  /** A ring's rows, a multiple of a tile of attention; else 0: as many as the context's capacity,
   *  which is chosen at run time. */
  int64_t rows;
  int64_t window; /**< how many rows are read from a row on backwards, itself among them; 0: all */
} heed_cache;

/** A parameter or result. `dims[a]` >= 0 is a size; -1-s is the run-time size number s. */
typedef struct heed_tensor {
  const char *name;
  int32_t element; /**< a heed_element */
  int32_t rank;
  int64_t dims[HEED_MAX_RANK];
} heed_tensor;

enum heed_function_kind {
  HEED_PLAIN = 0, /**< parameters in, results out */
  HEED_STEP = 1   /**< tokens in, logits of the last rows out, caches kept between calls */
};

/** One exported `fn`. */
typedef struct heed_function {
  const char *name;
  int32_t kind; /**< a heed_function_kind */
  int32_t n_sizes, n_params, n_results, n_caches;
  const char *const *sizes; /**< names of the run-time sizes, in `ints` order */
  const heed_tensor *params, *results;
  const heed_cache *caches;
  int64_t token_limit; /**< int parameters must lie in [0, token_limit); 0: unchecked */
  int64_t context;     /**< the largest past + n, from `size n <= …`; 0: unbounded */
  int64_t chunk;       /**< the most tokens that one call of a step may bring; 0: unbounded */
  /** The most that each size of a plain function may be, 0: unbounded; NULL where none is bounded.
   */
  const int64_t *bounds;
} heed_function;

/** What generated code is handed at each call. */
typedef struct heed_context {
  /** Base addresses: weight w of layer l is weights[offset(w) + l], where offset(w) is the sum of
   *  the layers of the weights before it. Each is 64-byte aligned. */
  const void *const *weights;
  void *pool; /**< for heed_run_team alone, see heed/Runtime/Pool.h */
} heed_context;

/** Generated code for one function.
 *  HEED_PLAIN: ints = run-time sizes;                      buffers = params, results.
 *  HEED_STEP:  ints = run-time sizes (n), past, first, capacity; buffers = params, caches, results.
 *  A step writes logits of rows first … n-1 of this call, [n - first, vocab].
 *  Every buffer is row-major and contiguous. */
typedef void (*heed_entry)(const heed_context *context, const int64_t *ints, void *const *buffers);

/** Instruction sets, as bits of heed_variant.features. */
enum heed_features {
  HEED_AVX2_FMA_F16C = 1 << 0,
  HEED_AVX512 = 1 << 1, /**< F, BW, DQ, VL, CD */
  HEED_AVX512_VNNI = 1 << 2,
  HEED_AVX512_BF16 = 1 << 3,
  HEED_AVX_VNNI = 1 << 4 /**< dot products of bytes without AVX-512 */
};

/** The code for one instruction set; entries[f] serves functions[f]. */
typedef struct heed_variant {
  const char *name;
  uint64_t features; /**< all of these must be present */
  const heed_entry *entries;
} heed_variant;

/** Everything a compiled model says of itself. */
typedef struct heed_artifact {
  uint32_t abi_version;
  const char *name; /**< the program's file name without its extension */
  int64_t n_weights, n_functions, n_variants;
  const heed_weight *weights;
  const heed_function *functions;
  const heed_variant *variants; /**< best first */
} heed_artifact;

/* What generated code calls. */

/** A task of a group, by its number. */
typedef void (*heed_task)(void *payload, int64_t index);
/** Asks memory for HEED_TOUCH_BYTES of what task `index` reads first, `offset` bytes on, and
 *  returns how many bytes that is in all. Has no other effect, and may run at any time. */
typedef int64_t (*heed_touch)(void *payload, int64_t index, int64_t offset);
#define HEED_TOUCH_BYTES 1024

/** A thread in a team. The first word says how to run tasks, so that code and pool may come from
 *  two copies of the runtime. */
typedef struct heed_member heed_member;
struct heed_member {
  void (*run_tasks)(heed_member *member, heed_task task, heed_touch touch, void *payload,
                    int64_t count);
};
/** What every thread of a team runs. */
typedef void (*heed_body)(void *payload, heed_member *member);

/** Runs `body` on all threads of the pool, each with its own copy of the `bytes` bytes at
 *  `payload`, and returns when the tasks of all groups in it are finished. Threads may be anywhere
 *  in it then, so outside tasks a body reads and writes nothing that others can see, except what
 *  stays the same as long as the context. All threads must come by the same groups. */
void heed_run_team(const heed_context *context, heed_body body, const void *payload, int64_t bytes);

/** A group: task(payload, 0 … count-1) is run by the threads of the team together, after all tasks
 *  of the groups before. `payload` is the calling thread's own, and the same for all. `touch` may
 * be NULL. Which thread runs which index never changes a result. Not to be called by a task. */
void heed_run_tasks(heed_member *member, heed_task task, heed_touch touch, void *payload,
                    int64_t count);

/** Temporary memory, 64-byte aligned, kept for reuse after it is freed. Thread-safe. Never NULL:
 *  generated code runs on many threads and cannot be unwound, so where the system refuses memory
 *  the process ends with a message and exit code 3. */
void *heed_alloc(int64_t bytes);
void heed_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif /* HEED_RUNTIME_ARTIFACT_H */
