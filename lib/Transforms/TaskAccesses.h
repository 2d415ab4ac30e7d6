//===- TaskAccesses.h - which memory the tasks of a parallel loop touch -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to heed-merge-tasks. A loop in chunks of rows looks like
//
//   scf.forall (%t) in (ceildiv(rows, C)) {
//     begin = t * C, end = min(begin + C, rows)
//     … scf.for %row = begin to end { … }
//
// and an access of it is by row where %row itself is the index of some axis: two
// such loops with the same rows and chunks, whose accesses to a buffer are all by
// row of one axis, touch the same part of it in the same task.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TRANSFORMS_TASKACCESSES_H
#define HEED_LIB_TRANSFORMS_TASKACCESSES_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/MapVector.h"

namespace heed {

/// How an op uses a buffer.
struct BufferUse {
  bool reads = false, writes = false;
  /// The axis of the buffer that the loop's rows index in all accesses; -1: none, or several.
  int64_t rowAxis = -1;
  bool isFirst = true;

  void add(bool isWrite, int64_t axis) {
    (isWrite ? writes : reads) = true;
    rowAxis = isFirst || rowAxis == axis ? axis : -1;
    isFirst = false;
  }
};

/// The buffers that a parallel loop or a copy touches, by the op that made each.
class TaskAccesses {
public:
  /// What `op`, an scf.forall or memref.copy, touches. Nothing where that can't be told: an op in
  /// it has effects that aren't known, or a buffer comes from an unknown place.
  static std::optional<TaskAccesses> of(mlir::Operation *op);

  /// Whether the two ops have to stay in order.
  bool conflictsWith(const TaskAccesses &other) const;
  /// Whether, beyond that, each task of the one conflicts with the same task of the other alone.
  /// Both loops are in chunks of the same rows.
  bool conflictsByRow(const TaskAccesses &other) const;

  /// For a loop in chunks: rows, and how many make a chunk. Else null.
  mlir::Value rows;
  int64_t chunk = 0;
  /// And of a task, the first row and the one behind the last.
  mlir::Value chunkBegin, chunkEnd;

private:
  void findChunks(mlir::scf::ForallOp loop);
  bool isRow(mlir::Value index) const;
  bool add(mlir::Value memref, bool isWrite, mlir::ValueRange indices);
  bool visit(mlir::Operation *op);

  llvm::SmallMapVector<mlir::Value, BufferUse, 8> uses;
};

} // namespace heed

#endif // HEED_LIB_TRANSFORMS_TASKACCESSES_H
