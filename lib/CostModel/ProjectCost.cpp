//===- ProjectCost.cpp - what a projection's tiles cost -------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/CostModel/ProjectCost.h"

#include <algorithm>
#include <numeric>
#include <tuple>

using namespace heed::cost;

namespace {

/// Of what can be done beside something longer, so much is waited for all the same: where memory is
/// read beside multiplications, from the third cache level or from the second.
constexpr double kNotHidden = 0.25, kNotHiddenNear = 0.06;
/// The same of loads beside multiplications, which one scheduler serves.
constexpr double kBesideMultiplying = 0.1;
/// Chains of sums don't begin when it would be best: so much longer than its latency a sum takes.
constexpr double kLateChain = 1.25;
/// Cycles of a tile that no column accounts for: its loop, and what a vector of sums costs in the
/// end.
constexpr double kTileCycles = 20, kStoreCycles = 2;
/// Cycles for a vector of sums to wait in memory from one block of columns to the next.
constexpr double kKeepCycles = 1;
constexpr double kNoRegisterLeft = 1.05;
/// What a number of x costs more of each row that is one too many in its set of the first level.
constexpr double kConflictCycles = 0.08;
/// How much longer an odd number of vectors takes, of which one multiplier gets more than the
/// other.
constexpr double kOddVectors = 1.03;
/// A result of more bytes than this leaves the caches while it is written.
constexpr double kFarResult = 32 << 20;
/// Cycles that a row of a tile is then waited for: its lines lie on a page of their own.
constexpr double kFarCycles = 60;
/// Panels of a tile and of a part are tried up to here.
constexpr int64_t kMostTilePanels = 4, kMostPanels = 32;

int64_t divideUp(int64_t lhs, int64_t rhs) { return (lhs + rhs - 1) / rhs; }

/// Rows of a short prompt and of a long one.
constexpr int64_t kTypicalRows[] = {128, 512};

/// What one product's instructions do.
struct Unit {
  int64_t columns;      ///< that a multiplication adds up in a lane
  int64_t bytesOfX;     ///< of a number of x
  double bytesOfColumn; ///< of a column of a panel, as the tile reads it
  int64_t lowRows;      ///< the height of tiles for rows that don't fill one
};

Unit unitOf(const Projection &projection) {
  switch (projection.product) {
  case Product::F32:
  case Product::Widened:
    return {1, 4, 4 * kPanelFeatures, 4};
  case Product::Pairs:
    return {2, 2, 2 * kPanelFeatures, 4};
  case Product::Bytes:
  case Product::Words: {
    int64_t bytes = projection.product == Product::Words ? 2 : 1; // of a number
    int64_t vectors = projection.scalesOfGroup *
                      (1 + (projection.hasOffset ? 1 : 0) + (projection.isCentred ? 1 : 0));
    return {4 / bytes, bytes, bytes * kPanelFeatures + vectors * 4 * kPanelFeatures / 32.0, 2};
  }
  }
  return {};
}

bool isOfIntegers(Product product) {
  return product == Product::Bytes || product == Product::Words;
}

/// A part of a product: tiles of `rows` rows and `panels` panels.
class TileCost {
public:
  TileCost(const Projection &projection, const ProjectTile &tile, const Processor &processor)
      : projection(projection), tile(tile), processor(processor), unit(unitOf(projection)),
        registersOfPanel(std::max<int64_t>(1, kPanelFeatures / processor.lanes)) {}

  int64_t usedRegisters() const {
    int64_t sums = tile.rows * tile.panels * registersOfPanel;
    int64_t others = tile.panels * registersOfPanel + 1;
    // Two panels' vectors and two numbers of x at a time, each with a sum of theirs.
    if (projection.isCentred)
      return 2 * sums + 2 * others + 3;
    // Each sum of integers has one of products beside it, and a scale is multiplied by another.
    if (isOfIntegers())
      return 2 * sums + others + 1;
    return sums + others;
  }

  /// Of all tiles.
  double cycles() const {
    double all = 0;
    int64_t rest = projection.rows;
    for (int64_t height : {tile.rows, unit.lowRows, int64_t{2}, int64_t{1}}) {
      all += rowsOf(height, rest / height);
      rest %= height;
    }
    all += firstReadsOfWeights();
    // Without a register left nothing is loaded ahead: of whole panels one more than is needed.
    int64_t ahead = isOfIntegers() || registersOfPanel > 1 ? 0 : 1;
    if (usedRegisters() + ahead >= processor.registers)
      all *= kNoRegisterLeft;
    return all * waitForLast();
  }

private:
  /// How much longer threads take than if all ended at once: parts are what they share. As many as
  /// small machines have, since where there are many threads, parts are too few in any case.
  double waitForLast() const {
    int64_t parts = divideUp(projection.panels(), tile.part) * blocksOfRows();
    double sum = 0;
    for (int64_t threads : {2, 4})
      sum += static_cast<double>(divideUp(parts, threads) * threads) / parts;
    return sum / 2;
  }

  /// `count` rows of tiles that are `rows` high.
  double rowsOf(int64_t rows, int64_t count) const {
    int64_t panels = projection.panels();
    return count * (tilesOf(rows, tile.panels, panels / tile.panels) +
                    tilesOf(rows, projection.weights, panels % tile.panels / projection.weights) +
                    firstReadsOfX(rows));
  }
  double tilesOf(int64_t rows, int64_t panels, int64_t count) const {
    double works = arithmetic(rows, panels), waits = memory(rows, panels);
    double stores = kStoreCycles * rows * panels * registersOfPanel;
    if (4.0 * projection.rows * projection.features > kFarResult)
      stores += kFarCycles * rows;
    if (blocksOfColumns() > 1)
      stores += blocksOfColumns() * (kTileCycles + kKeepCycles * rows * panels * registersOfPanel);
    return count *
           (std::max(works, waits) + notHidden() * std::min(works, waits) + kTileCycles + stores);
  }

  bool isOfIntegers() const { return ::isOfIntegers(projection.product); }

  /// How much of the shorter of multiplying and reading is waited for beside the longer. Rows of
  /// bytes come with scales and sums, each a short stream of its own.
  double notHidden() const {
    if (isOfIntegers() || isFar(bytesOfPart()))
      return kNotHidden;
    // The fuller the second level, the more of it has been pushed out by rows and results.
    return kNotHiddenNear * (1 + bytesOfPart() / processor.secondLevel);
  }

  double arithmetic(int64_t rows, int64_t panels) const {
    int64_t vectors = panels * registersOfPanel, sums = rows * vectors;
    double multiplies = sums, loads = rows + vectors, others = 0;
    if (isOfIntegers()) {
      // For 32 columns each scale is multiplied by x's, and scales their sum.
      double units = 32.0 / unit.columns, scales = projection.scalesOfGroup / units;
      double offsets = projection.hasOffset ? 1 : 0, crosses = projection.isCentred ? 1 : 0;
      // In pairs half of the products are two additions each.
      if (projection.isCentred) {
        multiplies /= 2;
        others = sums;
      }
      multiplies += sums * scales * (2 + offsets);
      others += sums * scales;
      loads +=
          vectors * scales * (1 + offsets + crosses) + rows * (scales + (1 + 2 * crosses) / units);
    }
    multiplies /= processor.multiplies;
    if (projection.isCentred)
      multiplies = std::max(multiplies, multiplies * processor.multiplies / processor.operations +
                                            others / processor.operations);
    loads /= processor.loads;
    double latency =
        projection.product == Product::Pairs ? processor.pairsLatency : processor.latency;
    if (!isOfIntegers())
      latency *= kLateChain;
    double ofUnit =
        std::max({multiplies, loads, latency}) + kBesideMultiplying * std::min(multiplies, loads);
    if (vectors % 2 != 0 && !isOfIntegers())
      ofUnit *= kOddVectors;
    ofUnit += kConflictCycles * rowsTooMany(rows);
    return ofUnit * projection.columns / unit.columns;
  }

  /// Cycles until what isn't in the first cache level has arrived.
  double memory(int64_t rows, int64_t panels) const {
    double ofPart = bytesOfPart(), cycles = 0;
    double ofRows = static_cast<double>(rows * bytesOfRow()) / blocksOfColumns();
    if (ofPart + ofRows <= processor.firstLevel)
      return 0;
    // Weights pass through the first level, and rows stay in it where they take half of it.
    cycles += panels * unit.bytesOfColumn * projection.columns / rateFor(ofPart);
    if (ofRows > processor.firstLevel / 2)
      cycles += rows * bytesOfRow() / processor.fromSecond;
    return cycles;
  }
  int64_t blocksOfColumns() const { return isOfIntegers() ? 1 : columnBlocks(bytesOfRow()); }
  int64_t blocksOfRows() const {
    if (isOfIntegers())
      return 1;
    return rowBlocks(divideUp(projection.rows, tile.rows), tile.rows,
                     divideUp(projection.panels(), tile.part));
  }
  /// Of a block of columns.
  double bytesOfPart() const {
    return tile.part * unit.bytesOfColumn * projection.columns / blocksOfColumns();
  }
  /// Parts with the same weights follow each other, and find them in the second level if they fit.
  double firstReadsOfWeights() const {
    int64_t times = isFar(bytesOfPart() * blocksOfColumns()) ? blocksOfRows() : 1;
    return kNotHidden * times * projection.panels() * unit.bytesOfColumn * projection.columns /
           processor.fromThird;
  }
  /// The first tile of each part finds its rows further away than the others do.
  double firstReadsOfX(int64_t rows) const {
    int64_t parts = divideUp(projection.panels(), tile.part);
    double all = static_cast<double>(projection.rows * bytesOfRow());
    return (isOfIntegers() ? kNotHidden : kNotHiddenNear) * parts * rows * bytesOfRow() /
           rateFor(all);
  }

  int64_t bytesOfRow() const { return unit.bytesOfX * projection.columns; }
  /// Whether so many bytes don't stay in the second level.
  bool isFar(double bytes) const { return bytes > processor.secondLevel / 2; }
  double rateFor(double bytes) const {
    return isFar(bytes) ? processor.fromThird : processor.fromSecond;
  }
  /// How many rows of x fall into the same sets of the first level beyond those that go well:
  /// weights pass through it too. (Zen 4: bf16 rows 1 K or 2 K apart took a half more time in tiles
  /// of 12.)
  int64_t rowsTooMany(int64_t rows) const {
    int64_t places = 4096 / std::gcd(std::max<int64_t>(1, projection.rowStride), int64_t{4096});
    return std::max<int64_t>(0, rows - places * (processor.ways / 4));
  }

  const Projection &projection;
  const ProjectTile &tile;
  const Processor &processor;
  Unit unit;
  int64_t registersOfPanel;
};

} // namespace

int64_t heed::cost::columnBlocks(int64_t bytesOfRow) {
  return bytesOfRow <= 2 * kBlockBytes ? 1 : (bytesOfRow + kBlockBytes / 2) / kBlockBytes;
}

int64_t heed::cost::partTiles(int64_t tileRows) {
  return std::max<int64_t>(1, kPartRows / tileRows);
}

int64_t heed::cost::sectionBlocks(int64_t tileRows, int64_t bytesOfRow) {
  return std::max<int64_t>(1, kSectionBytes / (partTiles(tileRows) * tileRows * bytesOfRow));
}

int64_t heed::cost::rowBlocks(int64_t tiles, int64_t tileRows, int64_t panelBlocks) {
  int64_t wanted = std::min(divideUp(kParts, panelBlocks), tiles);
  return tiles <= kFewTiles ? 1 : std::max(wanted, divideUp(tiles, partTiles(tileRows)));
}

double heed::cost::cyclesOf(const Projection &projection, const ProjectTile &tile,
                            const Processor &processor) {
  if (projection.rows == 0) {
    // Short prompts and long ones count alike, whatever they are cut into.
    double ofRow = 0;
    for (int64_t rows : kTypicalRows) {
      Projection typical = projection;
      typical.rows = rows;
      ofRow += cyclesOf(typical, tile, processor) / static_cast<double>(rows);
    }
    return ofRow / std::size(kTypicalRows) * kTypicalRows[1];
  }
  return TileCost(projection, tile, processor).cycles();
}

/// How many panels a part may have: a share of all, in whole tiles.
static std::vector<int64_t> partsOf(const Projection &projection, int64_t tilePanels) {
  // Integers are unpacked for each tile.
  if (isOfIntegers(projection.product))
    return {tilePanels};
  std::vector<int64_t> parts;
  int64_t panels = projection.panels();
  for (int64_t count = divideUp(panels, kMostPanels); count <= panels; ++count) {
    int64_t part = divideUp(divideUp(panels, count), tilePanels) * tilePanels;
    if (parts.empty() || parts.back() != part)
      parts.push_back(part);
  }
  return parts;
}

std::vector<ProjectTile> heed::cost::tilesOf(const Projection &projection,
                                             const Processor &processor) {
  struct Ranked {
    double cycles;
    ProjectTile tile;
  };
  std::vector<Ranked> ranked;
  int64_t mostRows =
      projection.rows == 0 ? processor.registers : std::min(projection.rows, processor.registers);
  for (int64_t panels = projection.weights; panels <= kMostTilePanels; panels += projection.weights)
    for (int64_t rows = mostRows; rows >= 1; --rows) {
      ProjectTile least{rows, panels, panels};
      if (TileCost(projection, least, processor).usedRegisters() > processor.registers)
        continue;
      for (int64_t part : partsOf(projection, panels)) {
        ProjectTile tile{rows, panels, part};
        ranked.push_back({cyclesOf(projection, tile, processor), tile});
      }
    }
  // Of equals the higher, then the one with larger parts.
  std::ranges::sort(ranked, [](const Ranked &a, const Ranked &b) {
    return std::tuple(a.cycles, -a.tile.rows, -a.tile.part) <
           std::tuple(b.cycles, -b.tile.rows, -b.tile.part);
  });
  std::vector<ProjectTile> tiles;
  for (const Ranked &entry : ranked)
    tiles.push_back(entry.tile);
  if (tiles.empty())
    tiles.push_back({1, projection.weights, projection.weights});
  return tiles;
}
