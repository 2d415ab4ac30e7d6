/* main.c - continues a text with a compiled model, from plain C
 *
 * Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * llama.h and llama.so are all that this program needs; README.md says how `heed compile` makes
 * them. Text becomes tokens outside: `heed tokenize` prints them. */

#include "llama.h"

#include <stdio.h>
#include <stdlib.h>

/* The width of llama_logits' rows, as llama.h gives it. */
#define VOCABULARY 49152

static int fail(void) {
  fprintf(stderr, "error: %s\n", llama_last_error());
  return 1;
}

static int32_t largest(const float *logits) {
  int32_t best = 0;
  for (int32_t token = 1; token < VOCABULARY; ++token)
    if (logits[token] > logits[best])
      best = token;
  return best;
}

/* Reads the prompt, then one new token at a time, and prints the new tokens. */
static int generate(heed_session *session, const int32_t *prompt, int64_t length, int count) {
  static float logits[VOCABULARY];
  if (llama_logits(session, prompt, length, 1, logits) != HEED_OK)
    return fail();
  for (int i = 0; i < count; ++i) {
    int32_t token = largest(logits);
    printf("%d%c", (int)token, i + 1 < count ? ' ' : '\n');
    if (llama_logits(session, &token, 1, 1, logits) != HEED_OK)
      return fail();
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s model.gguf TOKEN...\n", argv[0]);
    return 1;
  }
  int64_t length = argc - 2;
  int32_t *prompt = malloc(length * sizeof *prompt);
  if (!prompt)
    return 3;
  for (int64_t i = 0; i < length; ++i)
    prompt[i] = (int32_t)strtol(argv[2 + i], NULL, 10);

  heed_model *model = NULL;
  heed_session *session = NULL;
  int status;
  if (llama_open(argv[1], NULL, &model) != HEED_OK)
    status = fail();
  else if (llama_logits_session(model, 0, &session) != HEED_OK)
    status = fail();
  else
    status = generate(session, prompt, length, 8);

  llama_session_free(session);
  llama_close(model);
  free(prompt);
  return status;
}
