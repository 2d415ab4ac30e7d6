//===- ProjectBlocking.cpp - which parts of a product are multiplied together -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProjectBlocking.h"

#include <numeric>

using namespace heed::attn;

/// The most panels of a part: a tile's rows are read once for all of them.
static constexpr int64_t kPanels = 8;
/// Parts that few rows are divided into, at least, where there are enough panels.
static constexpr int64_t kFewParts = 16;
/// So many rows of a tile may meet in one set of a first-level cache. Its eight lines or more would
/// hold three, but weights pass through it too: bf16 rows 1 K or 2 K apart took a half more time.
static constexpr int64_t kRowsOfSet = 2;

/// How many of `rows` rows so many bytes apart meet in one set of a first-level cache, whose sets
/// repeat every 4 K.
static int64_t rowsOfSet(int64_t rows, int64_t rowStride) {
  return llvm::divideCeil(rows, 4096 / std::gcd(rowStride, int64_t(4096)));
}

ProjectBlocking ProjectBlocking::choose(const KernelShape &shape, int64_t panels, int64_t rowStride,
                                        bool isUnpacked) {
  ProjectBlocking blocking{shape.projectRows, shape.projectPanels, 0, 0};
  // Lower and wider, with as many sums. Otherwise each number of x would be fetched anew.
  if (rowsOfSet(blocking.tileRows, rowStride) > kRowsOfSet) {
    blocking.tileRows /= 2;
    blocking.tilePanels *= 2;
  }
  if (isUnpacked) {
    blocking.panels = blocking.fewPanels = blocking.tilePanels;
    return blocking;
  }
  // About as many panels in each part.
  auto divided = [&](int64_t parts) {
    return int64_t(llvm::alignTo(llvm::divideCeil(panels, parts), blocking.tilePanels));
  };
  blocking.panels = divided(llvm::divideCeil(panels, kPanels));
  blocking.fewPanels = std::min(blocking.panels, divided(kFewParts));
  return blocking;
}
