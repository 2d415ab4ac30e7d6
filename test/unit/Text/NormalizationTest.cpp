//===- NormalizationTest.cpp - canonical composition ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Normalization.h"

#include <gtest/gtest.h>

using namespace heed;

TEST(Normalization, ComposesCanonically) {
  EXPECT_EQ(normalizeNfc("plain"), "plain");
  EXPECT_EQ(normalizeNfc("e\xCC\x81"), "\xC3\xA9");
  // Marks are sorted by class: dot below comes before acute, whatever the text's order.
  EXPECT_EQ(normalizeNfc("a\xCC\x81\xCC\xA3"), normalizeNfc("a\xCC\xA3\xCC\x81"));
  EXPECT_EQ(normalizeNfc("\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8"), "\xEA\xB0\x81"); // Hangul
  EXPECT_EQ(normalizeNfc("\xE2\x84\xAB"), "\xC3\x85");     // the angstrom sign is a letter
  EXPECT_EQ(normalizeNfc("\xEF\xAC\x81"), "\xEF\xAC\x81"); // the fi ligature stays
  EXPECT_EQ(normalizeNfc("\xE0\xA5\x98"), "\xE0\xA4\x95\xE0\xA4\xBC"); // never composed again
}

TEST(Normalization, KeepsWrongBytes) {
  EXPECT_EQ(normalizeNfc("\xFF"
                         "e\xCC\x81\xC3"),
            "\xFF\xC3\xA9\xC3");
  EXPECT_EQ(normalizeNfc("e\xFF\xCC\x81"), "e\xFF\xCC\x81");
}
