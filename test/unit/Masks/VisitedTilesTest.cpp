//===- VisitedTilesTest.cpp - masks of every kind visit what they show ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileVisits.h"

#include <gtest/gtest.h>

using namespace heed::masks;

namespace {

/// p is the row's place among the keys: the texts end together.
#define HEED_P (c.keys - c.rows + i)
const Mask kMasks[] = {
    {"everything", "0 <= j", [](const Case &, int64_t, int64_t, int64_t) { return true; }},
    {"never", "j > i && j < i", [](const Case &, int64_t, int64_t, int64_t) { return false; }},
    {"beyond", "j >= m", [](const Case &, int64_t, int64_t, int64_t) { return false; }},
    {"causal", "j <= i + m - n",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j <= HEED_P; }},
    {"window", "j <= i + m - n && i + m - n - j < 13",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j <= HEED_P && HEED_P - j < 13; }},
    {"window_of", "j <= i + m - n && i + m - n - j < w",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j <= HEED_P && HEED_P - j < c.w; }},
    {"sinks", "j <= i + m - n && (i + m - n - j < w || j < 3)",
     [](const Case &c, int64_t, int64_t i, int64_t j) {
       return j <= HEED_P && (HEED_P - j < c.w || j < 3);
     }},
    {"prefix", "j < w || j <= i + m - n",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j < c.w || j <= HEED_P; }},
    {"three_ranges", "j < 3 || (j >= 33 && j < 36) || i == j",
     [](const Case &, int64_t, int64_t i, int64_t j) {
       return j < 3 || (j >= 33 && j < 36) || i == j;
     }},
    {"many_ranges", "j == 2 || j == 19 || j == 37 || j == 55 || j == 73 || j == i",
     [](const Case &, int64_t, int64_t i, int64_t j) {
       return (j < 74 && j % 18 == 1 && j > 1) || j == 2 || j == i;
     }},
    {"documents", "of_row[i] == of_key[j]",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return c.ofRow[i] == c.ofKey[j]; }},
    {"causal_documents", "of_row[i] == of_key[j] && j <= i + m - n",
     [](const Case &c, int64_t, int64_t i, int64_t j) {
       return c.ofRow[i] == c.ofKey[j] && j <= HEED_P;
     }},
    {"other_documents", "of_row[i] != of_key[j]",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return c.ofRow[i] != c.ofKey[j]; }},
    {"reach_of_keys", "j <= i && i - j < of_key[j]",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j <= i && i - j < c.ofKey[j]; }},
    {"lengths_of_rows", "j < of_row[i]",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j < c.ofRow[i]; }},
    {"dilated", "j <= i + m - n && (i + m - n - j) % 4 == 0",
     [](const Case &c, int64_t, int64_t i, int64_t j) {
       return j <= HEED_P && (HEED_P - j) % 4 == 0;
     }},
    {"striped", "(j / 16) % 2 == 0",
     [](const Case &, int64_t, int64_t, int64_t j) { return j / 16 % 2 == 0; }},
    {"blocks", "i / 12 == j / 12",
     [](const Case &, int64_t, int64_t i, int64_t j) { return i / 12 == j / 12; }},
    {"causal_blocks", "i / 12 >= j / 12",
     [](const Case &, int64_t, int64_t i, int64_t j) { return i / 12 >= j / 12; }},
    {"causal_in_blocks", "i / 12 == j / 12 && j <= i",
     [](const Case &, int64_t, int64_t i, int64_t j) { return i / 12 == j / 12 && j <= i; }},
    {"padded", "j < w", [](const Case &c, int64_t, int64_t, int64_t j) { return j < c.w; }},
    {"both_padded", "j < w && i < w && j <= i + m - n",
     [](const Case &c, int64_t, int64_t i, int64_t j) {
       return j < c.w && i < c.w && j <= HEED_P;
     }},
    {"by_head", "j <= i && (i - j) % (h + 1) == 0",
     [](const Case &, int64_t h, int64_t i, int64_t j) {
       return j <= i && (i - j) % (h + 1) == 0;
     }},
    {"window_by_head", "j <= i && i - j < 4 + 20 * h",
     [](const Case &, int64_t h, int64_t i, int64_t j) { return j <= i && i - j < 4 + 20 * h; }},
    {"negations", "!(j < 5) && !(j > i || i - j > w)",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j >= 5 && j <= i && i - j <= c.w; }},
    {"not_itself", "j != i", [](const Case &, int64_t, int64_t i, int64_t j) { return j != i; }},
    {"scaled", "2 * j <= 3 * i + 1",
     [](const Case &, int64_t, int64_t i, int64_t j) { return 2 * j <= 3 * i + 1; }},
    {"clamped", "j <= min(i, w) && j >= max(i - 20, 2)",
     [](const Case &c, int64_t, int64_t i, int64_t j) {
       return j <= std::min(i, c.w) && j >= std::max<int64_t>(i - 20, 2);
     }},
    {"chosen", "j <= (if i < w then i else 3)",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j <= (i < c.w ? i : 3); }},
    {"late_rows", "i >= w && j <= i", // the first rows see nothing
     [](const Case &c, int64_t, int64_t i, int64_t j) { return i >= c.w && j <= i; }},
};
#undef HEED_P

/// Numbers 0, 0, …, 1, 1, …: documents of `length` rows, the last of them incomplete.
std::vector<int64_t> packed(int64_t count, int64_t length) {
  std::vector<int64_t> numbers(count);
  for (int64_t i = 0; i < count; ++i)
    numbers[i] = i / length;
  return numbers;
}

/// Numbers in no order.
std::vector<int64_t> scattered(int64_t count, int64_t seed) {
  std::vector<int64_t> numbers(count);
  for (int64_t i = 0; i < count; ++i)
    numbers[i] = (i * i + seed * i) % 11 - 2;
  return numbers;
}

} // namespace

TEST(VisitedTiles, Texts) {
  TileVisits visits(kMasks);
  for (int64_t n : {1, 7, 8, 9, 16, 40, 91, 130})
    for (int64_t w : {0, 1, 21, 200})
      for (const Mask &mask : kMasks)
        visits.check(mask, {n, n, w, packed(n, 13), packed(n, 13)});
}

TEST(VisitedTiles, TextsThatContinue) {
  TileVisits visits(kMasks);
  for (auto [rows, keys] : {std::pair(1, 2), {1, 64}, {1, 83}, {9, 47}, {20, 24}})
    for (const Mask &mask : kMasks)
      visits.check(mask, {rows, keys, 18, scattered(rows, 1), scattered(keys, 3)});
}

TEST(VisitedTiles, MoreRowsThanKeys) {
  TileVisits visits(kMasks);
  for (auto [rows, keys] : {std::pair(2, 1), {33, 8}, {41, 23}})
    for (const Mask &mask : kMasks)
      visits.check(mask, {rows, keys, 6, scattered(rows, 5), scattered(keys, 2)});
}

// Rows and heads that see nothing, and nothing at all to see.
TEST(VisitedTiles, NothingVisible) {
  TileVisits visits(kMasks);
  for (const Mask &mask : kMasks) {
    visits.check(mask, {17, 17, -5, std::vector<int64_t>(17, 1), std::vector<int64_t>(17, 2)});
    visits.check(mask, {3, 0, 4, {1, 1, 1}, {}});
    visits.check(mask, {0, 3, 4, {}, {1, 1, 1}});
  }
}
