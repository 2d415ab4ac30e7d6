//===- ProjectCostTest.cpp - which tiles the model prefers, and why -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/CostModel/ProjectCost.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace heed::cost;

namespace {

const Processor kWide = Processor::withLanes(16), kNarrow = Processor::withLanes(8);

Projection gate(Product product) {
  Projection projection;
  projection.product = product;
  projection.columns = 576;
  projection.features = 1536;
  projection.rowStride = 576 * 4;
  return projection;
}

TEST(ProjectCost, TilesFitRegisters) {
  for (Product product : {Product::F32, Product::Widened, Product::Pairs})
    for (const ProjectTile &tile : tilesOf(gate(product), kWide))
      EXPECT_LE(tile.rows * tile.panels + tile.panels + 1, 32);
  // A panel is two registers of eight.
  for (const ProjectTile &tile : tilesOf(gate(Product::F32), kNarrow))
    EXPECT_LE(2 * (tile.rows * tile.panels + tile.panels) + 1, 16);
  // Bytes have a second sum, of whole numbers.
  for (const ProjectTile &tile : tilesOf(gate(Product::Bytes), kWide))
    EXPECT_LE(2 * tile.rows * tile.panels + tile.panels + 2, 32);
  for (const ProjectTile &tile : tilesOf(gate(Product::Words), kNarrow))
    EXPECT_LE(2 * (2 * tile.rows * tile.panels + tile.panels) + 2, 16);
  // In pairs two vectors of a panel and two numbers of x meet, and so do their sums.
  Projection centred = gate(Product::Bytes);
  centred.isCentred = true;
  for (const ProjectTile &tile : tilesOf(centred, kWide))
    EXPECT_LE(2 * tile.rows * tile.panels + 2 * tile.panels + 4, 32);
}

TEST(ProjectCost, TilesAreRankedOnce) {
  Projection projection = gate(Product::Pairs);
  std::vector<ProjectTile> tiles = tilesOf(projection, kWide);
  for (size_t at = 1; at < tiles.size(); ++at) {
    EXPECT_LE(cyclesOf(projection, tiles[at - 1], kWide), cyclesOf(projection, tiles[at], kWide));
    EXPECT_EQ(std::count(tiles.begin(), tiles.end(), tiles[at]), 1);
  }
  for (const ProjectTile &tile : tiles)
    EXPECT_EQ(tile.part % tile.panels, 0);
}

TEST(ProjectCost, SumsHideLatency) {
  // Four sums wait for one another, 24 don't.
  Projection projection = gate(Product::F32);
  EXPECT_GT(cyclesOf(projection, {2, 2, 8}, kWide), 1.8 * cyclesOf(projection, {12, 2, 8}, kWide));
  EXPECT_GE(tilesOf(projection, kWide).front().rows * tilesOf(projection, kWide).front().panels,
            16);
}

TEST(ProjectCost, CyclesAreAtLeastThoseOfMultiplying) {
  Projection projection = gate(Product::F32);
  projection.rows = 512;
  double multiplications = 512.0 * 576 * 1536 / kWide.lanes;
  EXPECT_GE(cyclesOf(projection, {12, 2, 8}, kWide), multiplications / kWide.multiplies);
  EXPECT_LE(cyclesOf(projection, {12, 2, 8}, kWide), 1.5 * multiplications / kWide.multiplies);
}

TEST(ProjectCost, RowsThatMeetInOneSetWantLowerTiles) {
  // Rows 1,024 bf16 apart lie in two places of the first level, those 1,056 apart all over it.
  Projection projection = gate(Product::Pairs);
  projection.columns = 1024;
  auto costOfHeight = [&](int64_t stride) {
    projection.rowStride = stride;
    return cyclesOf(projection, {12, 2, 8}, kWide) / cyclesOf(projection, {4, 4, 8}, kWide);
  };
  EXPECT_GT(costOfHeight(2048), costOfHeight(2112));
}

TEST(ProjectCost, AnOddNumberOfVectorsCosts) {
  Projection projection = gate(Product::F32);
  EXPECT_GT(cyclesOf(projection, {8, 3, 6}, kWide), cyclesOf(projection, {12, 2, 6}, kWide));
}

TEST(ProjectCost, PartsStayInTheSecondLevel) {
  // Panels of 2,048 columns of f32 take 128 K: eight of them would come from the third level.
  Projection projection = gate(Product::F32);
  projection.columns = projection.features = 2048;
  projection.rowStride = 2048 * 4;
  EXPECT_LT(cyclesOf(projection, {4, 4, 4}, kWide), cyclesOf(projection, {4, 4, 8}, kWide));
}

TEST(ProjectCost, OffsetsOfBytesCost) {
  Projection projection = gate(Product::Bytes);
  double without = cyclesOf(projection, {6, 2, 2}, kWide);
  projection.hasOffset = true;
  EXPECT_GT(cyclesOf(projection, {6, 2, 2}, kWide), without);
}

TEST(ProjectCost, PairsOfBytesCostLess) {
  Projection projection = gate(Product::Bytes);
  projection.hasOffset = true;
  double oneByOne = cyclesOf(projection, {6, 2, 2}, kWide);
  projection.isCentred = true;
  EXPECT_LT(cyclesOf(projection, {5, 2, 2}, kWide), oneByOne);
  // Each word of a row meets two panels, or loads are what is waited for.
  EXPECT_EQ(tilesOf(projection, kWide).front().panels, 2);
}

TEST(ProjectCost, KnownRowsBoundTheTile) {
  Projection projection = gate(Product::F32);
  projection.rows = 3;
  for (const ProjectTile &tile : tilesOf(projection, kWide))
    EXPECT_LE(tile.rows, 3);
}

TEST(ProjectCost, LongRowsAreCutIntoBlocks) {
  EXPECT_EQ(columnBlocks(2 * kBlockBytes), 1);
  EXPECT_EQ(columnBlocks(3 * kBlockBytes), 3);
  EXPECT_EQ(columnBlocks(8 * kBlockBytes + 100), 8);
  // A block of 4 panels stays in the second level, where 4 panels as a whole wouldn't.
  Projection projection = gate(Product::F32);
  projection.columns = projection.features = 4096;
  projection.rowStride = 4096 * 4;
  EXPECT_GE(tilesOf(projection, kWide).front().part, 4);
}

TEST(ProjectCost, BlocksOfRowsMakeEnoughParts) {
  EXPECT_EQ(rowBlocks(/*tiles=*/4, /*tileRows=*/12, /*panelBlocks=*/1), 1);    // weights read once
  EXPECT_EQ(rowBlocks(/*tiles=*/128, /*tileRows=*/12, /*panelBlocks=*/8), 13); // 128 rows at most
  EXPECT_EQ(rowBlocks(/*tiles=*/128, /*tileRows=*/6, /*panelBlocks=*/8), 7);
  EXPECT_EQ(rowBlocks(/*tiles=*/10, /*tileRows=*/12, /*panelBlocks=*/1), 10);
  EXPECT_EQ(partTiles(/*tileRows=*/12), 10);
  EXPECT_EQ(partTiles(/*tileRows=*/1000), 1);
  EXPECT_EQ(sectionBlocks(/*tileRows=*/8, /*bytesOfRow=*/16384), 4);
  EXPECT_EQ(sectionBlocks(/*tileRows=*/8, /*bytesOfRow=*/1 << 20), 1);
}

} // namespace
