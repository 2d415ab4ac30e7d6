//===- ProjectBlocking.h - which parts of a product are multiplied together -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_ATTNTOVECTOR_PROJECTBLOCKING_H
#define HEED_CONVERSION_ATTNTOVECTOR_PROJECTBLOCKING_H

#include "Lowerings.h"

namespace heed::attn {

/// How a product of many rows is cut. A tile's sums stay in registers over all columns: both
/// operands are then long streams, which processors fetch ahead, from whatever cache they are in.
/// (Blocks of columns, with copies that fit the first level, were slower for 512 to 4,096 columns.)
struct ProjectBlocking {
  int64_t tileRows, tilePanels; ///< rows of x and panels of the weight in a tile
  int64_t panels;               ///< of a part: a multiple of tilePanels
  int64_t fewPanels;            ///< of a part where rows make a few tiles only

  /// Of a product with `panels` panels and rows of x that are `rowStride` bytes apart.
  /// `isUnpacked`: a part's panels are unpacked first.
  static ProjectBlocking choose(const KernelShape &shape, int64_t panels, int64_t rowStride,
                                bool isUnpacked);
};

} // namespace heed::attn

#endif // HEED_CONVERSION_ATTNTOVECTOR_PROJECTBLOCKING_H
