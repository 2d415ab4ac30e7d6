//===- RowSpan.h - where a tile's rows certainly lie -----------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROWSPAN_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROWSPAN_H

#include "mlir/IR/OpDefinition.h"

#include <optional>

namespace heed::attn {

/// Rows start … start + length - 1.
struct RowSpan {
  mlir::OpFoldResult start;
  int64_t length;
};

/// A span that provably holds rows first … first + count - 1, where one of constant length is
/// found: from `first` on, or the tile that the rows are what a bound leaves of.
std::optional<RowSpan> spanOf(mlir::OpFoldResult first, mlir::OpFoldResult count);

/// Whether `value` is provably a multiple of `factor`.
bool isMultipleOf(mlir::OpFoldResult value, int64_t factor);

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROWSPAN_H
