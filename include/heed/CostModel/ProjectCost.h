//===- ProjectCost.h - what a projection's tiles cost ---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernel (lib/Conversion/AttnToVector/ProjectLowering.cpp) keeps the sums of a
// tile, some rows of x times some panels of the weight, in registers over all
// columns. For each column it loads the panels' vectors, and for each row one
// number of x in all lanes, and multiplies each pair. So a tile's time is the
// largest of what multiplying takes, what loading takes, and the latency of a
// sum; and what of the operands isn't in the first cache level is waited for.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_COSTMODEL_PROJECTCOST_H
#define HEED_COSTMODEL_PROJECTCOST_H

#include "heed/CostModel/Processor.h"

#include <cstdint>
#include <vector>

namespace heed::cost {

/// Features of a panel of a weight.
inline constexpr int64_t kPanelFeatures = 16;

/// What an instruction multiplies.
enum class Product {
  F32,     ///< f32 weights, as they lie in memory
  Widened, ///< weights that are widened to f32 first, a part at a time
  Pairs,   ///< pairs of bf16
  Bytes,   ///< fours of bytes, whose sums are scaled
  Words    ///< the same of pairs of 16 bits
};

/// A product of many rows.
struct Projection {
  Product product = Product::F32;
  int64_t rows = 0;          ///< of x; 0 where that is known when the model runs only
  int64_t columns = 0;       ///< that are summed over
  int64_t features = 0;      ///< of one matrix
  int64_t weights = 1;       ///< matrices of so many features, beside each other in tiles
  int64_t rowStride = 0;     ///< bytes from a row of x to the next
  int64_t scalesOfGroup = 1; ///< Bytes and Words: scales of 32 columns
  bool hasOffset = false;    ///< Bytes and Words: sums of x are multiplied too
  bool isCentred = false;    ///< Bytes: columns are multiplied in pairs, half by additions

  /// Of all weights.
  int64_t panels() const { return (features + kPanelFeatures - 1) / kPanelFeatures * weights; }
};

/// How it is cut; see #attn.tile. Panels are of all weights, as many of each.
struct ProjectTile {
  int64_t rows = 1, panels = 1, part = 1;

  bool operator==(const ProjectTile &) const = default;
};

// A part is a block of rows and one of panels, at least kParts of them so that threads end
// together. A block of rows has about kPartRows rows at most; up to kFewTiles tiles are one block,
// so that each weight is read once.
inline constexpr int64_t kParts = 32, kPartRows = 128, kFewTiles = 4;

/// How many tiles of so many rows a part has at most.
int64_t partTiles(int64_t tileRows);

/// Bytes of x, about, whose products with all weights are computed before those of other rows. They
/// stay in the last cache level; else rows come from memory once for each block of panels.
inline constexpr int64_t kSectionBytes = int64_t{8} << 20;

/// How many blocks of rows, of so many bytes each row, that are.
int64_t sectionBlocks(int64_t tileRows, int64_t bytesOfRow);

/// Bytes of a row of x in a block of columns. A block of four panels, of f32 or bf16, then takes a
/// quarter of the second cache level where all of the part's rows are multiplied with it.
inline constexpr int64_t kBlockBytes = 4096;

/// How many blocks of columns a product over rows of so many bytes is cut into, near kBlockBytes;
/// between two blocks sums wait in memory. Those of integers are never cut.
int64_t columnBlocks(int64_t bytesOfRow);

/// How many blocks of rows `tiles` tiles of `tileRows` rows are, beside so many blocks of panels.
int64_t rowBlocks(int64_t tiles, int64_t tileRows, int64_t panelBlocks);

/// Cycles of one core for the whole product; for a prompt of middling length where rows are
/// unknown.
double cyclesOf(const Projection &projection, const ProjectTile &tile, const Processor &processor);

/// The tiles whose sums fit the registers, the cheapest first; never empty, since where none fits
/// it has the smallest.
std::vector<ProjectTile> tilesOf(const Projection &projection, const Processor &processor);

} // namespace heed::cost

#endif // HEED_COSTMODEL_PROJECTCOST_H
