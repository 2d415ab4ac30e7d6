//===- RoundedKeys.h - keys and values in bf16, for all tasks of an attention -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROUNDEDKEYS_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROUNDEDKEYS_H

#include "mlir/IR/Builders.h"

namespace heed::attn {

/// Which rows of a tensor `[batch, head, row, column]` a task reads.
struct RowsOfTask {
  mlir::Value batch, head; ///< null where there is no such axis
  mlir::Value first, count;
};

/// These rows, `[count, columns]`. Of a batch of 1 every task reads the same.
mlir::Value sliceOfRows(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor,
                        const RowsOfTask &rows);

/// Keys begin … end-1 as `attn.online_attention` multiplies them in pairs.
class RoundedKeys {
public:
  /// Makes room for them. `k` and `v` are `[batch, head, row, column]`, or lack some of the axes in
  /// front; `tile` is even, `begin` a multiple of it, and there are `most` keys in all.
  RoundedKeys(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value k, mlir::Value v,
              bool hasBatch, mlir::Value begin, mlir::Value end, mlir::Value most, int64_t tile);

  /// Rounds them, in tasks of `tile` rows.
  void round(mlir::OpBuilder &builder, mlir::Location loc);

  mlir::Value getBegin() const { return begin; }
  mlir::Value getEnd() const { return end; }
  /// What one tile multiplies: its keys, `[count, d]`, and its values. `rows.first` is even.
  mlir::Value keysOf(mlir::OpBuilder &builder, mlir::Location loc, const RowsOfTask &rows) const;
  mlir::Value valuesOf(mlir::OpBuilder &builder, mlir::Location loc, const RowsOfTask &rows) const;

private:
  mlir::Value k, v;
  bool hasBatch;
  mlir::Value begin, end;
  int64_t tile;
  mlir::Value keys;   ///< `[batch, head, end - begin, d]` of bf16
  mlir::Value values; ///< `[batch, head, ceil((end - begin) / 2), 2 w]`, pairs of bf16
};

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROUNDEDKEYS_H
