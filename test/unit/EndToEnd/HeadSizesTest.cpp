//===- HeadSizesTest.cpp - heads of all widths and in all groups ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A prompt (many rows), a few rows, and one row, as in decoding: for both
// instruction sets.
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Reference.h"
#include "Weights.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::endtoend;

namespace {

struct Heads {
  int64_t heads, keyHeads, depth, width;
};

/// `text` with each '#' replaced by a number: the names of one function's sizes.
std::string numbered(std::string text, size_t number) {
  for (size_t at; (at = text.find('#')) != std::string::npos;)
    text.replace(at, 1, std::to_string(number));
  return text;
}

std::string functionFor(const Heads &sizes, size_t number) {
  std::string text = "size q# = " + std::to_string(sizes.heads) +
                     ", g# = " + std::to_string(sizes.keyHeads) +
                     ", k# = " + std::to_string(sizes.depth) +
                     ", v# = " + std::to_string(sizes.width) + ", r# = q# / g#\n";
  return numbered(text + R"(
fn f#(q: [q#, n, k#], k: [g#, m, k#], v: [g#, m, v#]) -> [q#, n, v#] {
  S[h, i, j] = sum[c] q[h, i, c] * k[h / r#, j, c] / sqrt(k#)
  A[h, i, j] = softmax[j] S[h, i, j] where j <= i + m - n
  O[h, i, c] = sum[j] A[h, i, j] * v[h / r#, j, c]
  return O
}
)",
                  number);
}

void testHeads(const std::vector<Heads> &all) {
  std::string text = "size n, m\n";
  for (size_t number = 0; number < all.size(); ++number)
    text += functionFor(all[number], number);
  CompiledProgram program(text);
  ASSERT_TRUE(program.ok());
  for (size_t number = 0; number < all.size(); ++number) {
    const Heads &sizes = all[number];
    for (auto [n, m] : {std::pair<int64_t, int64_t>(1, 83), {5, 70}, {67, 67}}) {
      Tensor q = randomTensor({sizes.heads, n, sizes.depth}, 1, 3),
             k = randomTensor({sizes.keyHeads, m, sizes.depth}, 2, 3),
             v = randomTensor({sizes.keyHeads, m, sizes.width}, 3);
      Attention attention{.heads = sizes.heads, .keyHeads = sizes.keyHeads, .rows = n, .keys = m};
      attention.depth = sizes.depth;
      attention.width = sizes.width;
      attention.scale = 1 / std::sqrt(static_cast<double>(sizes.depth));
      attention.visible = [n = n, m = m](int64_t, int64_t i, int64_t j) { return j <= i + m - n; };
      Numbers expected = attention(asNumbers(q), asNumbers(k), asNumbers(v));
      std::string name = "f" + std::to_string(number);
      std::string what = name + ": " + std::to_string(sizes.heads) + " heads in " +
                         std::to_string(sizes.keyHeads) + " groups, keys of " +
                         std::to_string(sizes.depth) + ", values of " +
                         std::to_string(sizes.width) + ", rows " + std::to_string(n);
      expectAllNear(program.call(name, {n, m}, {q.values.data(), k.values.data(), v.values.data()},
                                 expected.size()),
                    expected, 1e-5, what.c_str());
    }
  }
}

} // namespace

TEST(HeadSizes, Widths) {
  testHeads({{2, 1, 32, 32},
             {2, 2, 72, 72},
             {2, 1, 80, 80},
             {2, 2, 96, 96},
             {1, 1, 128, 128},
             {2, 2, 160, 160},
             {2, 1, 256, 256}});
}

TEST(HeadSizes, OddWidths) {
  testHeads({{2, 2, 20, 20}, {2, 1, 33, 33}, {3, 3, 1, 1}, {2, 1, 100, 7}, {4, 2, 57, 3}});
}

TEST(HeadSizes, KeysAndValuesDiffer) {
  testHeads({{2, 2, 192, 128}, {2, 1, 40, 104}, {16, 1, 24, 16}});
}

TEST(HeadSizes, Groups) {
  testHeads({{7, 1, 16, 16},
             {14, 2, 32, 32},
             {12, 1, 24, 24},
             {16, 1, 16, 16},
             {24, 2, 16, 16},
             {48, 1, 16, 16},
             {71, 1, 8, 8},
             {10, 5, 16, 16},
             {33, 3, 16, 16}});
}
