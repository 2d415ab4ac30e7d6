//===- Placement.h - where a weight comes from and goes to -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_RUNTIME_PLACEMENT_H
#define HEED_LIB_RUNTIME_PLACEMENT_H

#include "heed/Runtime/Artifact.h"
#include "heed/Runtime/Status.h"
#include "heed/Weights/PanelLayout.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace heed {

class WeightsFile;

/// One tensor's way from the file to memory.
struct Placement {
  std::span<const std::byte> source;
  StorageType storage;
  bool panels;
  PanelLayout layout; // if panels
  int64_t rows, cols; // of one matrix
  int64_t matrices;
  int64_t offset; // in the region
  /// The file's order of axes and the wanted one; rank 0 where they are the same.
  int32_t rank;
  std::array<int32_t, HEED_MAX_RANK> permutation;
  std::array<int64_t, HEED_MAX_RANK> shape; // in units of storage: blocks along the last axis

  /// Bytes in memory. False if they pass int64_t.
  bool packedBytes(int64_t &bytes) const;
};

/// A part of a placement: panels of one of its matrices, or blocks of a dense weight.
struct Piece {
  const Placement *placement;
  int64_t matrix, begin, end;

  /// Bytes that it is read from.
  int64_t sourceBytes() const;
};

/// The tensor that weight `weight` has in layer `layer`, checked against the artefact; `name` is
/// the tensor's. Errors are those of PackedWeights::load.
Status place(const heed_weight &weight, int64_t layer, const WeightsFile &file, std::string &name,
             Placement &placement);

/// Cuts every placement into pieces that are each worth a task.
std::vector<Piece> cut(const std::vector<Placement> &placements);

/// Lays a piece out in the region that begins at `base`. Pieces may be laid out at the same time.
void layOut(const Piece &piece, std::byte *base);

} // namespace heed

#endif // HEED_LIB_RUNTIME_PLACEMENT_H
