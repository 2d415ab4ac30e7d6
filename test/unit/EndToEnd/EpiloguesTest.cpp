//===- EpiloguesTest.cpp - what follows a projection, done where it stores ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include "heed/Runtime/Artifact.h"
#include "heed/Runtime/Cpu.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

namespace {

/// 72 features are four panels and a half; a head's 16 are a panel.
const char kProgram[] = R"(
use std
size n, c = 64, f = 72, heads = 3, k = 16
weight W : [f, c]
weight V : [c, f]
weight B : [f]
weight H : [heads, k, c]
weight HB : [heads, k]

fn biased(X: [n, c]) -> [n, f] { return linear_bias(X, W, B) }
fn gelus(X: [n, c]) -> [n, f] { return gelu_erf(linear_bias(X, W, B)) }
fn silus(X: [n, c]) -> [n, f] { return silu(linear_bias(X, W, B)) }
fn clipped(X: [n, c]) -> [n, f] {
  Y = linear(X, W)
  Z[i, e] = max(Y[i, e], -0.5) * 2.0
  return Z
}
fn block(X: [n, c]) -> [n, c] { return X + linear(gelu(linear_bias(X, W, B)), V) }
fn erf_block(X: [n, c]) -> [n, c] { return linear(gelu_erf(linear_bias(X, W, B)), V) }
fn gated_block(X: [n, c]) -> [n, c] { return linear(gated(X), V) }
fn weighed(X: [n, c], r: [n], E: [n, f]) -> [n, f] {
  Y[i, e] = E[i, e] + B[e] - r[i] * (sum[x] W[e, x] * X[i, x])
  return Y
}
fn gated(X: [n, c]) -> [n, f] {
  G = linear_bias(X, W, B)
  U = linear(X, W)
  return silu(G) * U
}
fn of_heads(X: [n, c]) -> [heads, n, k] {
  Q[h, i, x] = (sum[y] H[h, x, y] * X[i, y]) + HB[h, x]
  return Q
}
fn one_row(x: [c]) -> [f] {
  y[e] = tanh((sum[i] W[e, i] * x[i]) + B[e])
  return y
}
)";

constexpr int64_t c = 64, f = 72, heads = 3, k = 16;

double gelu(double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }
double geluTanh(double x) {
  return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
double silu(double x) { return x / (1 + std::exp(-x)); }

/// Each of `values` with the bias of its feature added.
Numbers withBias(Numbers values, const Tensor &bias) {
  for (size_t e = 0; e < values.size(); ++e)
    values[e] += bias[e % bias.size()];
  return values;
}
template <typename F> Numbers each(Numbers values, F function) {
  for (double &value : values)
    value = function(value);
  return values;
}

class Epilogues : public testing::TestWithParam<StorageType> {
protected:
  Epilogues() {
    weights.add("W", {f, c}, 0.4f, GetParam());
    weights.add("V", {c, f}, 0.4f, GetParam() == StorageType::BF16 ? GetParam() : StorageType::F16);
    weights.add("B", {f});
    weights.add("H", {heads, k, c}, 0.4f, GetParam());
    weights.add("HB", {heads, k});
  }
  Weights weights;
};

} // namespace

TEST_P(Epilogues, MeanWhatTheyFollow) {
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "--precise");
  ASSERT_TRUE(program.ok());
  const Tensor &W = weights["W"], &B = weights["B"];
  // Few rows, tiles of every height, several parts.
  for (int64_t n : {0, 1, 3, 4, 17, 70}) {
    Tensor X = randomTensor({n, c}, 31), r = randomTensor({n}, 32), E = randomTensor({n, f}, 33);
    auto call = [&](const char *name, std::vector<const void *> params, const Numbers &expected) {
      expectAllNear(program.call(name, {n}, std::move(params), expected.size()), expected, 1e-5,
                    name);
    };
    Numbers plain = linear(asNumbers(X), W, f), sums = withBias(plain, B);
    call("biased", {X.values.data()}, sums);
    call("gelus", {X.values.data()}, each(sums, gelu));
    call("silus", {X.values.data()}, each(sums, silu));
    call("clipped", {X.values.data()}, each(plain, [](double y) { return std::max(y, -0.5) * 2; }));
    Numbers block = asNumbers(X);
    addTo(block, linear(each(sums, geluTanh), weights["V"], c));
    call("block", {X.values.data()}, block);
    Numbers weighed, gated;
    for (int64_t e = 0; e < n * f; ++e) {
      weighed.push_back(E[e] + B[e % f] - r[e / f] * plain[e]);
      gated.push_back(silu(sums[e]) * plain[e]);
    }
    call("weighed", {X.values.data(), r.values.data(), E.values.data()}, weighed);
    call("gated", {X.values.data()}, gated);
    Numbers ofHeads = withBias(linear(asNumbers(X), weights["H"], heads * k), weights["HB"]);
    call("of_heads", {X.values.data()}, swapAxes(ofHeads, n, heads, k));
  }
  Tensor x = randomTensor({c}, 34);
  Numbers row =
      each(withBias(linear(asNumbers(x), W, f), B), [](double y) { return std::tanh(y); });
  expectAllNear(program.call("one_row", {}, {x.values.data()}, f), row, 1e-5, "one_row");
}

INSTANTIATE_TEST_SUITE_P(Storage, Epilogues,
                         testing::Values(StorageType::F32, StorageType::F16, StorageType::BF16,
                                         StorageType::Q8_0),
                         [](const auto &param) {
                           return std::string(storageInfo(param.param).name);
                         });

class NarrowEpilogue : public testing::Test {
protected:
  void SetUp() override {
    if (!(cpuFeatures() & HEED_AVX512_BF16))
      GTEST_SKIP() << "this processor has no dot products of bf16";
    weights.add("W", {f, c}, 0.4f, StorageType::BF16);
    weights.add("V", {c, f}, 0.4f, StorageType::BF16);
    weights.add("B", {f});
    weights.add("H", {heads, k, c}, 0.4f, StorageType::BF16);
    weights.add("HB", {heads, k});
  }
  Weights weights;
};

// Between two projections by bf16 weights, rows are rounded to bf16 where they are stored.
// Functions of what is rounded are approximate, others aren't.
TEST_F(NarrowEpilogue, RoundsRows) {
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "", {"avx512bf16"});
  ASSERT_TRUE(program.ok());
  auto rounded = [](double value) {
    auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
    bits += 0x7fff + (bits >> 16 & 1);
    return double(std::bit_cast<float>(bits & 0xffff0000));
  };
  const Tensor &W = weights["W"], &V = weights["V"], &B = weights["B"];
  for (int64_t n : {1, 4, 17, 70}) {
    Tensor X = randomTensor({n, c}, 35);
    Numbers plain = linear(each(asNumbers(X), rounded), W, f), sums = withBias(plain, B), gated;
    for (int64_t e = 0; e < n * f; ++e)
      gated.push_back(silu(sums[e]) * plain[e]);
    Numbers block = asNumbers(X);
    addTo(block, linear(each(each(sums, geluTanh), rounded), V, c));
    // A number at the edge between two of bf16 may become the other one.
    auto call = [&](const char *name, const Numbers &expected, double allowed) {
      expectAllNear(program.call(name, {n}, {X.values.data()}, expected.size()), expected, allowed,
                    name);
    };
    call("block", block, 5e-4);
    call("erf_block", linear(each(each(sums, gelu), rounded), V, c), 5e-4);
    call("gated_block", linear(each(gated, rounded), V, c), 1e-3); // products are larger
    call("gelus", each(sums, gelu), 1e-5);
    call("gated", gated, 1e-5);
  }
}

// One row has the code of one, which must have the same approximations.
TEST_F(NarrowEpilogue, DoesNotDependOnOtherRows) {
  CompiledProgram program(kProgram, &weights, CompiledProgram::Format::Gguf, "--invariant",
                          {"avx512bf16"});
  ASSERT_TRUE(program.ok());
  constexpr int64_t n = 17;
  Tensor X = randomTensor({n, c}, 36);
  for (const char *name : {"block", "erf_block", "gated_block"})
    program.expectSameAlone(name, X.values.data(), n, c, c);
}
