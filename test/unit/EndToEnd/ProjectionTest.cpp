//===- ProjectionTest.cpp - weights whose axes lie in any order -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include <array>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

namespace {

const char kProgram[] = R"(
size n, a = 56, b = 33, c = 64
weight W : [a, b]
weight T : [c, a, b]
weight L : [a, c]
weight B : [b, a, c]
weight D : [b]

fn columns(X: [n, a]) -> [n, b] {
  Y[i, f] = sum[x] W[x, f] * X[i, x]
  return Y
}
fn two_columns(X: [n, c, a]) -> [n, b] {
  Y[i, f] = sum[x, y] T[x, y, f] * X[i, x, y]
  return Y
}
fn middle(X: [n, a]) -> [n, c, b] {
  Y[i, x, f] = sum[y] T[x, y, f] * X[i, y]
  return Y
}
fn blocks_as_features(X: [n, a]) -> [n, c] {
  Y[i, f] = sum[x] L[x, f] * X[i, x]
  return Y
}
fn rows_of_blocks(X: [n, b, c]) -> [n, a] {
  Y[i, f] = sum[x, y] B[x, f, y] * X[i, x, y]
  return Y
}
fn one_row(x: [c]) -> [a] {
  y[f] = sum[k] L[f, k] * x[k]
  return y
}
fn elementwise(X: [n, b]) -> [n, b] {
  Y[i, f] = X[i, f] * D[f]
  return Y
}
fn over_rows(X: [n, a]) -> [a] {
  y[f] = sum[i] X[i, f]
  return y
}
)";

/// sum over `summed` of w * x, all of whose elements are given by functions of flat indices.
template <typename Weight, typename X>
Numbers sums(int64_t rows, int64_t features, int64_t summed, Weight weight, X x) {
  Numbers y;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t f = 0; f < features; ++f) {
      double sum = 0;
      for (int64_t s = 0; s < summed; ++s)
        sum += weight(f, s) * x(i, s);
      y.push_back(sum);
    }
  return y;
}

class Projection : public testing::TestWithParam<StorageType> {};

TEST_P(Projection, AxesInAnyOrder) {
  constexpr int64_t a = 56, b = 33, c = 64;
  Weights weights;
  weights.add("W", {a, b});
  weights.add("T", {c, a, b});
  weights.add("L", {a, c}, 0.4f, GetParam());
  weights.add("B", {b, a, c}, 0.4f, GetParam());
  weights.add("D", {b});
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "--precise");
  ASSERT_TRUE(program.ok());
  const Tensor &W = weights["W"], &T = weights["T"], &L = weights["L"], &B = weights["B"];

  for (int64_t n : {0, 1, 5, 18}) {
    Tensor xa = randomTensor({n, a}, 11), xb = randomTensor({n, b}, 12);
    Tensor xca = randomTensor({n, c, a}, 13), xbc = randomTensor({n, b, c}, 14);
    auto from = [](const Tensor &x, int64_t width) {
      return [&x, width](int64_t i, int64_t s) { return x[i * width + s]; };
    };
    auto call = [&](const char *name, const Tensor &x, const Numbers &expected) {
      expectAllNear(program.call(name, {n}, {x.values.data()}, expected.size()), expected, 1e-5,
                    name);
    };
    call("columns", xa,
         sums(n, b, a, [&](int64_t f, int64_t s) { return W[s * b + f]; }, from(xa, a)));
    call("two_columns", xca,
         sums(n, b, c * a, [&](int64_t f, int64_t s) { return T[s * b + f]; }, from(xca, c * a)));
    call("middle", xa,
         sums(
             n, c * b, a, [&](int64_t f, int64_t s) { return T[(f / b * a + s) * b + f % b]; },
             from(xa, a)));
    call("blocks_as_features", xa,
         sums(n, c, a, [&](int64_t f, int64_t s) { return L[s * c + f]; }, from(xa, a)));
    call("rows_of_blocks", xbc,
         sums(
             n, a, b * c, [&](int64_t f, int64_t s) { return B[(s / c * a + f) * c + s % c]; },
             from(xbc, b * c)));
    Numbers scaled = asNumbers(xb);
    for (size_t e = 0; e < scaled.size(); ++e)
      scaled[e] *= weights["D"][e % b];
    call("elementwise", xb, scaled);
    call("over_rows", xa,
         sums(
             1, a, n, [&](int64_t f, int64_t s) { return xa[s * a + f]; },
             [](int64_t, int64_t) { return 1.0; }));
  }
  Tensor x = randomTensor({c}, 15);
  expectAllNear(program.call("one_row", {}, {x.values.data()}, a), linear(asNumbers(x), L, a), 1e-5,
                "one_row");
}

INSTANTIATE_TEST_SUITE_P(Storage, Projection,
                         testing::Values(StorageType::F32, StorageType::F16, StorageType::Q8_0,
                                         StorageType::Q5_0));

// A size that the program bounds is refused above its bound, before any code runs.
TEST(Sizes, BoundsAreKept) {
  CompiledProgram program(R"(
size n <= 8
fn double(X: [n, 3]) -> [n, 3] {
  Y[i, k] = X[i, k] * 2.0
  return Y
}
)");
  ASSERT_TRUE(program.ok());
  Tensor x = randomTensor({9, 3}, 1);
  Numbers doubled;
  for (int64_t e = 0; e < 8 * 3; ++e)
    doubled.push_back(2 * x[e]);
  expectAllNear(program.call("double", {8}, {x.values.data()}, 24), doubled, 1e-7, "double");
  int64_t size = 9;
  const void *params[] = {x.values.data()};
  float result[27];
  void *results[] = {result};
  EXPECT_EQ(heed_call(program.model(), 0, &size, params, results), HEED_ERROR_INPUT);
  EXPECT_STREQ(heed_last_error(), "size n is 9, and 'double' allows at most 8");
}

// What a loop carries is computed elsewhere, exchanged, or read after it was changed.
TEST(Loops, CarriedValues) {
  constexpr int64_t n = 6, d = 20, layers = 3;
  Weights weights;
  for (int64_t l = 0; l < layers; ++l)
    weights.add("w." + std::to_string(l), {d, d}, 0.3f);
  CompiledProgram program(R"(
size n, d = 20, layers = 3
per layer l {
  weight w : [d, d] = "w.{l}"
}
fn run(X: [n, d]) -> [n, d] {
  A[i, c] = X[i, c] + 0.0
  B[i, c] = X[i, c] * 2.0
  for l in layers {
    P[i, e] = sum[c] w[l][e, c] * A[i, c]
    C[i, e] = A[i, e] * P[i, e]
    A += P
    A += C
    T = A
    A = B
    B = T
  }
  return A + B
}
)",
                          &weights);
  ASSERT_TRUE(program.ok());
  Tensor input = randomTensor({n, d}, 3);
  Numbers A = asNumbers(input), B = A;
  for (double &b : B)
    b *= 2;
  for (int64_t l = 0; l < layers; ++l) {
    Numbers P = linear(A, weights["w." + std::to_string(l)], d), C = A;
    for (size_t e = 0; e < C.size(); ++e)
      C[e] *= P[e];
    addTo(A, P);
    addTo(A, C);
    std::swap(A, B);
  }
  addTo(A, B);
  expectAllNear(program.call("run", {n}, {input.values.data()}, n * d), A, 1e-5, "run");
}

} // namespace

// Files of mixed precision store a weight's layers in several formats.
TEST(Projection, LayersOfSeveralFormats) {
  using enum StorageType;
  constexpr int64_t d = 64, n = 3;
  const char text[] = R"(
size n, d = 64
per layer l in 3 { weight W : [d, d] = "W.{l}" }
fn f(X: [n, d]) -> [n, d] {
  for l in 3 {
    Y[i, e] = sum[c] W[l][e, c] * X[i, c]
    X = Y
  }
  return X
}
)";
  for (std::array<StorageType, 3> storages :
       {std::array{Q8_0, Q4_1, Q8_0}, std::array{Q4_1, F16, F32}, std::array{Q8_0, Q8_0, F16}}) {
    Weights weights;
    for (int64_t l = 0; l < 3; ++l)
      weights.add("W." + std::to_string(l), {d, d}, 0.4f, storages[l]);
    CompiledProgram program(text, &weights, CompiledProgram::Format::Gguf);
    ASSERT_TRUE(program.ok());
    Tensor input = randomTensor({n, d}, 7);
    Numbers X = asNumbers(input);
    for (int64_t l = 0; l < 3; ++l)
      X = linear(X, weights["W." + std::to_string(l)], d);
    expectAllNear(program.call("f", {n}, {input.values.data()}, n * d), X, 1e-4, "three layers");
  }
}
