//===- Part.h - the part of an array that an op takes -*- C++ -*-----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_REFERENCE_PART_H
#define HEED_LIB_REFERENCE_PART_H

#include "Machine.h"

namespace heed::reference {

/// Offsets, sizes and strides.
struct Part {
  llvm::SmallVector<int64_t> offsets, sizes, strides;
};

/// The part that `op` names: what isn't static in it are operands `first` and on.
template <typename Op> mlir::FailureOr<Part> readPart(Step &step, Op op, unsigned first) {
  mlir::FailureOr<llvm::SmallVector<int64_t>> offsets = step.mixed(op.getStaticOffsets(), first);
  first += op.getOffsets().size();
  mlir::FailureOr<llvm::SmallVector<int64_t>> sizes = step.mixed(op.getStaticSizes(), first);
  first += op.getSizes().size();
  mlir::FailureOr<llvm::SmallVector<int64_t>> strides = step.mixed(op.getStaticStrides(), first);
  if (failed(offsets) || failed(sizes) || failed(strides))
    return mlir::failure();
  return Part{*offsets, *sizes, *strides};
}

} // namespace heed::reference

#endif // HEED_LIB_REFERENCE_PART_H
