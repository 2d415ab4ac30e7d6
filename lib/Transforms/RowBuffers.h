//===- RowBuffers.h - buffers of which a task needs one row ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to heed-merge-tasks. Where loops over the same rows became one, what
// the one wrote for the other is often of no use to anybody else: a normalised
// row that is rounded at once. A row of it, each task's own, is enough, and stays
// in the first-level cache.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TRANSFORMS_ROWBUFFERS_H
#define HEED_LIB_TRANSFORMS_ROWBUFFERS_H

namespace mlir {
class Operation;
} // namespace mlir

namespace heed {

/// Shrinks the buffers under `root` that only loops over rows touch, each of which writes a row as
/// a whole before it reads it. Returns how many.
unsigned shrinkToRows(mlir::Operation *root);

} // namespace heed

#endif // HEED_LIB_TRANSFORMS_ROWBUFFERS_H
