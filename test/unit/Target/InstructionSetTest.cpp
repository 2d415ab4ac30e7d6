//===- InstructionSetTest.cpp - names of instruction sets ------------------ ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/InstructionSet.h"

#include <gtest/gtest.h>

using namespace heed;

namespace {

TEST(InstructionSet, BestComesFirst) {
  auto sets = parseInstructionSets("avx2, avx512,avx2");
  ASSERT_TRUE(sets);
  ASSERT_EQ(sets->size(), 2u);
  EXPECT_STREQ(sets->at(0)->name, "avx512");
  EXPECT_STREQ(sets->at(1)->name, "avx2");
}

TEST(InstructionSet, EveryOneNeedsWhatLaterOnesOfItsWidthNeed) {
  auto sets = allInstructionSets();
  for (size_t i = 0; i < sets.size(); ++i)
    for (size_t later = i + 1; later < sets.size(); ++later)
      if (sets[i].vectorBits == sets[later].vectorBits || later + 1 == sets.size())
        EXPECT_TRUE(sets[i].has(sets[later].features)) << sets[i].name << ", " << sets[later].name;
}

TEST(InstructionSet, UnknownNameListsTheOthers) {
  auto sets = parseInstructionSets("sse9");
  ASSERT_FALSE(sets);
  EXPECT_EQ(sets.message(), "there is no instruction set 'sse9': expected host, all, avx512bf16, "
                            "avx512vnni, avx512, avx2vnni, avx2");
}

} // namespace
