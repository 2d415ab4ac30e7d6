//===- Reference.h - attention in f64, as the formulas read -*- C++ -*-----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What compiled programs are compared with: every formula as nested loops over
// its indices, in f64. Arrays are row-major.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_ENDTOEND_REFERENCE_H
#define HEED_TEST_UNIT_ENDTOEND_REFERENCE_H

#include "Weights.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace heed::endtoend {

using Numbers = std::vector<double>;

Numbers asNumbers(const Tensor &tensor);

/// y[i, f] = sum[c] w[f, c] * x[i, c] + bias[f]: w is [features, columns], as many columns as make
/// up the size of `w`; without a bias, none is added.
Numbers linear(const Numbers &x, const Tensor &w, int64_t features, const Tensor *bias = nullptr);

/// What an attention needs to be told.
struct Attention {
  int64_t heads = 1, keyHeads = 1;
  int64_t rows = 0, keys = 0;   ///< n and m
  int64_t depth = 0, width = 0; ///< of queries and keys, of values
  double scale = 1;
  std::function<double(double score, int64_t h, int64_t i, int64_t j)> modify = {};
  std::function<bool(int64_t h, int64_t i, int64_t j)> visible = {};
  /// One more score of each row, without a value.
  std::function<double(int64_t h, int64_t i)> sink = {};

  /// Softmax of all scores, [heads, rows, keys]; a row that sees nothing is zeros.
  Numbers pattern(const Numbers &q, const Numbers &k) const;
  /// [heads, rows, width] from q [heads, rows, depth], k [keyHeads, keys, depth] and
  /// v [keyHeads, keys, width]. Head h reads key head h / (heads / keyHeads).
  Numbers operator()(const Numbers &q, const Numbers &k, const Numbers &v) const;
};

inline bool causal(int64_t, int64_t i, int64_t j) { return j <= i; }

/// Attention of n rows to themselves and the rows before them, scaled by 1 / sqrt(dk).
Attention causalSelfAttention(int64_t heads, int64_t keyHeads, int64_t n, int64_t dk);

/// [heads, rows, width] from [rows, heads, width] (what a projection yields), and the other way
/// round by exchanging the first two sizes.
Numbers swapAxes(const Numbers &x, int64_t first, int64_t second, int64_t width);

/// x[i, c] / sqrt(mean of squares + eps) * w[c]
Numbers rmsNorm(const Numbers &x, const Tensor &w, double eps);
Numbers layerNorm(const Numbers &x, const Tensor &w, const Tensor &b, double eps);
/// Rotary positions on pairs (2p, 2p+1) of [heads, rows, depth].
Numbers rope(const Numbers &x, int64_t rows, int64_t depth, double theta);

void addTo(Numbers &x, const Numbers &y);
/// `count` tokens below `vocab`, in no order that repeats soon.
std::vector<int32_t> someTokens(int64_t count, int64_t vocab);
/// The rows of `table`, [vocab, d], that `tokens` name: [tokens, d].
Numbers embedded(const Tensor &table, const std::vector<int32_t> &tokens, int64_t d);

/// Fails the test where a number differs by more than `tolerance` times the largest magnitude
/// expected (at least 1e-3), or where the sizes do.
void expectNear(const std::vector<float> &found, const Numbers &expected, double tolerance,
                const char *what);
/// The same for the results of every instruction set.
void expectAllNear(const std::vector<std::vector<float>> &found, const Numbers &expected,
                   double tolerance, const char *what);

} // namespace heed::endtoend

#endif // HEED_TEST_UNIT_ENDTOEND_REFERENCE_H
