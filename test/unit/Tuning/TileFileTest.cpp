//===- TileFileTest.cpp - tiles are kept, and bad files refused -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Tuning/TileFile.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::tuning;

namespace {

class TileFileTest : public testing::Test {
protected:
  void SetUp() override { std::filesystem::remove_all(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string path() const { return folder + "/tiles/processor-avx2.json"; }
  void writeText(const std::string &text) {
    std::filesystem::create_directories(folder + "/tiles");
    std::ofstream(path()) << text;
  }
  std::string refusal(const std::string &text) {
    writeText(text);
    TileFile file(path());
    auto read = file.read();
    return read ? "" : read.message();
  }

  std::string folder = testing::TempDir() + "heed-tile-file";
};

TEST_F(TileFileTest, IsEmptyWithoutAFile) {
  TileFile file(path());
  EXPECT_TRUE(file.read());
  EXPECT_TRUE(file.tiles().empty());
}

TEST_F(TileFileTest, KeepsWhatIsSet) {
  TileFile file(path());
  file.set("64x32:f32:f32", {4, 2, 4}, 1.25);
  file.set("64x32:q8_0:i8", {6, 2, 2}, 1);
  ASSERT_TRUE(file.write());
  TileFile again(path());
  ASSERT_TRUE(again.read());
  EXPECT_EQ(again.tiles(),
            (std::vector<std::string>{"64x32:f32:f32=4x2x4", "64x32:q8_0:i8=6x2x2"}));
  // A later run adds to it.
  again.set("64x32:f32:f32", {8, 2, 4}, 1.5);
  ASSERT_TRUE(again.write());
  TileFile last(path());
  ASSERT_TRUE(last.read());
  EXPECT_EQ(last.tiles().front(), "64x32:f32:f32=8x2x4");
}

TEST_F(TileFileTest, RefusesWhatIsNoTileFile) {
  EXPECT_NE(refusal("{").find("isn't JSON: remove it"), std::string::npos);
  EXPECT_NE(refusal("[]").find("has no object \"tiles\""), std::string::npos);
  EXPECT_NE(refusal(R"({"tiles": {"a": {"tile": "6x4x2"}}})").find("names no tile"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"tiles": {"a": 3}})").find("for 'a'"), std::string::npos);
}

} // namespace
