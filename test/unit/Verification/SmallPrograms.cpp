//===- SmallPrograms.cpp - programs to verify -----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallPrograms.h"

#include "heed/Pipelines/RegisterPasses.h"
#include "heed/Target/CPU/InstructionSet.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace heed;
using namespace heed::verification;

std::string verification::smallModel() {
  std::stringstream text;
  text << std::ifstream(HEED_TEST_SOURCE_DIR "/Verification/Inputs/small-model.heed").rdbuf();
  return text.str();
}

std::string verification::oneHead() {
  return R"(
size n, d = 16
weight Wq, Wk : [d, d]
fn head(E: [n, d]) -> [n, d] {
  Q[i, k] = sum[c] Wq[k, c] * E[i, c]
  K[j, k] = sum[c] Wk[k, c] * E[j, c]
  S[i, j] = sum[k] Q[i, k] * K[j, k] / sqrt(d)
  A[i, j] = softmax[j] S[i, j] where j <= i
  Z[i, c] = sum[j] A[i, j] * E[j, c]
  return E + Z
}
)";
}

std::string verification::crossAttention() {
  return R"(
size n, m, heads = 2, dk = 16
fn cross(q: [heads, n, dk], k: [heads, m, dk], v: [heads, m, dk]) -> [heads, n, dk] {
  S[h, i, j] = sum[c] q[h, i, c] * k[h, j, c] / sqrt(dk)
  A[h, i, j] = softmax[j] S[h, i, j] where j <= i + 2
  O[h, i, c] = sum[j] A[h, i, j] * v[h, j, c]
  return O
}
)";
}

std::unique_ptr<Compiler> verification::checked(const std::string &text) {
  static const bool isRegistered = (registerPasses(), true);
  (void)isRegistered;
  CompilerOptions options;
  options.sets = {hostSet()};
  auto compiler = std::make_unique<Compiler>("program.heed", text, options);
  EXPECT_TRUE(compiler->check(nullptr, nullptr)) << text;
  return compiler;
}

const InstructionSet *verification::hostSet() {
  auto set = hostInstructionSet();
  EXPECT_TRUE(bool(set));
  return *set;
}
