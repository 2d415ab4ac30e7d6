//===- Reference.cpp - attention in f64, as the formulas read -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reference.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace heed::endtoend;

Numbers heed::endtoend::asNumbers(const Tensor &tensor) {
  return Numbers(tensor.values.begin(), tensor.values.end());
}

std::vector<int32_t> heed::endtoend::someTokens(int64_t count, int64_t vocab) {
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < count; ++i)
    tokens.push_back(static_cast<int32_t>((i * 31 + 7) % vocab));
  return tokens;
}

Numbers heed::endtoend::embedded(const Tensor &table, const std::vector<int32_t> &tokens,
                                 int64_t d) {
  Numbers E;
  for (int32_t token : tokens)
    for (int64_t c = 0; c < d; ++c)
      E.push_back(table[token * d + c]);
  return E;
}

Numbers heed::endtoend::linear(const Numbers &x, const Tensor &w, int64_t features,
                               const Tensor *bias) {
  int64_t columns = w.size() / features, rows = static_cast<int64_t>(x.size()) / columns;
  Numbers y(rows * features);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t f = 0; f < features; ++f) {
      double sum = 0;
      for (int64_t c = 0; c < columns; ++c)
        sum += w[f * columns + c] * x[i * columns + c];
      y[i * features + f] = sum + (bias ? (*bias)[f] : 0);
    }
  return y;
}

Numbers Attention::pattern(const Numbers &q, const Numbers &k) const {
  Numbers a(heads * rows * keys);
  int64_t group = heads / keyHeads;
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t i = 0; i < rows; ++i) {
      double *row = a.data() + (h * rows + i) * keys;
      double largest = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int64_t j = 0; j < keys; ++j) {
        double score = 0;
        for (int64_t c = 0; c < depth; ++c)
          score += q[(h * rows + i) * depth + c] * k[(h / group * keys + j) * depth + c];
        score *= scale;
        if (modify)
          score = modify(score, h, i, j);
        if (visible && !visible(h, i, j))
          score = -std::numeric_limits<double>::infinity();
        row[j] = score;
        largest = std::max(largest, score);
      }
      if (sink && !std::isinf(largest)) { // rows that see nothing are zeros with a sink too
        largest = std::max(largest, sink(h, i));
        sum = std::exp(sink(h, i) - largest);
      }
      for (int64_t j = 0; j < keys; ++j)
        sum += row[j] = std::isinf(largest) ? 0 : std::exp(row[j] - largest);
      for (int64_t j = 0; j < keys && sum > 0; ++j)
        row[j] /= sum;
    }
  return a;
}

Numbers Attention::operator()(const Numbers &q, const Numbers &k, const Numbers &v) const {
  Numbers a = pattern(q, k), z(heads * rows * width);
  int64_t group = heads / keyHeads;
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < keys; ++j)
        for (int64_t c = 0; c < width; ++c)
          z[(h * rows + i) * width + c] +=
              a[(h * rows + i) * keys + j] * v[(h / group * keys + j) * width + c];
  return z;
}

Attention heed::endtoend::causalSelfAttention(int64_t heads, int64_t keyHeads, int64_t n,
                                              int64_t dk) {
  return {.heads = heads,
          .keyHeads = keyHeads,
          .rows = n,
          .keys = n,
          .depth = dk,
          .width = dk,
          .scale = 1 / std::sqrt(dk),
          .visible = causal};
}

Numbers heed::endtoend::swapAxes(const Numbers &x, int64_t first, int64_t second, int64_t width) {
  Numbers y(x.size());
  for (int64_t a = 0; a < first; ++a)
    for (int64_t b = 0; b < second; ++b)
      for (int64_t c = 0; c < width; ++c)
        y[(b * first + a) * width + c] = x[(a * second + b) * width + c];
  return y;
}

Numbers heed::endtoend::rmsNorm(const Numbers &x, const Tensor &w, double eps) {
  int64_t d = w.size();
  Numbers y(x.size());
  for (size_t row = 0; row < x.size(); row += d) {
    double squares = 0;
    for (int64_t c = 0; c < d; ++c)
      squares += x[row + c] * x[row + c];
    for (int64_t c = 0; c < d; ++c)
      y[row + c] = x[row + c] / std::sqrt(squares / d + eps) * w[c];
  }
  return y;
}

Numbers heed::endtoend::layerNorm(const Numbers &x, const Tensor &w, const Tensor &b, double eps) {
  int64_t d = w.size();
  Numbers y(x.size());
  for (size_t row = 0; row < x.size(); row += d) {
    double mean = 0, squares = 0;
    for (int64_t c = 0; c < d; ++c)
      mean += x[row + c] / d;
    for (int64_t c = 0; c < d; ++c)
      squares += (x[row + c] - mean) * (x[row + c] - mean);
    for (int64_t c = 0; c < d; ++c)
      y[row + c] = (x[row + c] - mean) / std::sqrt(squares / d + eps) * w[c] + b[c];
  }
  return y;
}

Numbers heed::endtoend::rope(const Numbers &x, int64_t rows, int64_t depth, double theta) {
  Numbers y(x.size());
  for (size_t row = 0; row * depth < x.size(); ++row)
    for (int64_t p = 0; p < depth; p += 2) {
      double angle = static_cast<double>(row % rows) * std::pow(theta, -double(p) / depth);
      double even = x[row * depth + p], odd = x[row * depth + p + 1];
      y[row * depth + p] = even * std::cos(angle) - odd * std::sin(angle);
      y[row * depth + p + 1] = odd * std::cos(angle) + even * std::sin(angle);
    }
  return y;
}

void heed::endtoend::addTo(Numbers &x, const Numbers &y) {
  ASSERT_EQ(x.size(), y.size());
  for (size_t e = 0; e < x.size(); ++e)
    x[e] += y[e];
}

void heed::endtoend::expectNear(const std::vector<float> &found, const Numbers &expected,
                                double tolerance, const char *what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double largest = 1e-3;
  for (double value : expected)
    largest = std::max(largest, std::fabs(value));
  for (size_t e = 0; e < expected.size(); ++e) // written so that NaN fails
    ASSERT_TRUE(std::fabs(found[e] - expected[e]) <= tolerance * largest)
        << what << ": element " << e << " of " << expected.size() << " is " << found[e]
        << ", expected " << expected[e] << " within " << tolerance * largest;
}

void heed::endtoend::expectAllNear(const std::vector<std::vector<float>> &found,
                                   const Numbers &expected, double tolerance, const char *what) {
  EXPECT_FALSE(found.empty()) << what;
  for (const std::vector<float> &one : found)
    expectNear(one, expected, tolerance, what);
}
