//===- AttnShapes.h - batch, heads and rows of attention's operands -*- C++ -*-=//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_REFERENCE_ATTNSHAPES_H
#define HEED_LIB_REFERENCE_ATTNSHAPES_H

#include "Machine.h"

namespace heed::reference {

/// The floats of operand `operand` in row-major order, all of which must have been written.
mlir::FailureOr<std::vector<double>> readFloats(Step &step, unsigned operand);

/// Writes `values`, row-major, where the op gives its result: operand `into` in memref form, else
/// the result, of shape `shape`.
mlir::LogicalResult writeFloats(Step &step, unsigned into, llvm::ArrayRef<int64_t> shape,
                                llvm::ArrayRef<double> values);

/// The axes before the last two, batch and heads, of operands that keys or values are shared by.
struct SharedHeads {
  /// For each batch and head of the many, row-major, the batch and head of the shared that it
  /// reads.
  llvm::SmallVector<int64_t> of;
  /// The indices of each, as regions are given them.
  std::vector<llvm::SmallVector<int64_t>> indices;
};

/// Batch b and head h of `many` read batch b, or 0 where there is but one, and head
/// h floordiv (H / G) of `shared`. Fails where the sizes don't divide.
mlir::FailureOr<SharedHeads> sharedHeads(Step &step, const Array &many, const Array &shared);

/// Softmax in place, without the maximum's part in rounding: `scores` become weights. A sink takes
/// weight too. All -inf become zeros. With `narrow` the exponentials are numbers of that format.
void normalise(const Machine &machine, Format format, std::vector<double> &scores, double sink,
               std::optional<Format> narrow = std::nullopt);

} // namespace heed::reference

#endif // HEED_LIB_REFERENCE_ATTNSHAPES_H
