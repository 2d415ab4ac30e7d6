//===- SourceManagerTest.cpp - lines and columns --------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Support/SourceManager.h"

#include <gtest/gtest.h>

using namespace heed;

TEST(SourceManager, CountsLinesAndColumnsFromOne) {
  SourceManager sources;
  uint32_t file = sources.addBuffer("a.heed", "ab\r\ncd\n\nlast");
  auto at = [&](uint32_t offset) {
    LineColumn place = sources.lineColumn(file, offset);
    return std::pair(place.line, place.column);
  };
  EXPECT_EQ(at(0), std::pair(1u, 1u));
  EXPECT_EQ(at(4), std::pair(2u, 1u));
  EXPECT_EQ(at(7), std::pair(3u, 1u));
  EXPECT_EQ(at(11), std::pair(4u, 4u));
  EXPECT_EQ(at(1000), std::pair(4u, 5u));
  EXPECT_EQ(sources.lineText(file, 1), "ab");
  EXPECT_EQ(sources.lineText(file, 3), "");
  EXPECT_EQ(sources.lineText(file, 4), "last");
  EXPECT_EQ(sources.lineText(file, 5), "");
}

TEST(SourceManager, ColumnsCountBytes) {
  SourceManager sources;
  uint32_t file = sources.addBuffer("a.heed", "\xC3\x97x");
  EXPECT_EQ(sources.lineColumn(file, 2).column, 3u);
}

TEST(SourceManager, ClipsRangesAndFiles) {
  SourceManager sources;
  uint32_t file = sources.addBuffer("a.heed", "abc");
  EXPECT_EQ(sources.text(SourceRange{file, 1, 100}), "bc");
  EXPECT_EQ(sources.text(SourceRange{file, 50, 2}), "");
  EXPECT_EQ(sources.path(9), "");
  EXPECT_EQ(sources.lineColumn(9, 4).line, 1u);
}
