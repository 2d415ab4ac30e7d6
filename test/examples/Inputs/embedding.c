// Embeds the token ids of the command line with a compiled bert.heed: prints the length of the
// embedding and its first number.
#include "bert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  heed_model *model;
  int32_t tokens[256];
  float unit[384];
  double squares = 0;
  int64_t n = argc - 2;
  if (argc < 2 || n > 256)
    return 1;
  for (int64_t i = 0; i < n; ++i)
    tokens[i] = (int32_t)atoi(argv[i + 2]);
  if (bert_open(argv[1], NULL, &model) || bert_embedding(model, n, tokens, unit)) {
    fprintf(stderr, "error: %s\n", bert_last_error());
    return 1;
  }
  for (int i = 0; i < 384; ++i)
    squares += unit[i] * unit[i];
  printf("%.4f %.4f\n", sqrt(squares), unit[0]);
  bert_close(model);
  return 0;
}
