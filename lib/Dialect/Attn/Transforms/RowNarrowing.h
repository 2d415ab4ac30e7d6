//===- RowNarrowing.h - computes some rows instead of all ------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROWNARROWING_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROWNARROWING_H

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

#include <optional>

namespace heed::attn {

/// Where `slice` takes all of its source but for rows of one axis, one after the other: that axis.
/// A slice along axis 0 that takes all rows counts too.
std::optional<int64_t> rowAxisOf(mlir::tensor::ExtractSliceOp slice);

/// Moves a slice of rows up through row-wise producers: an op of whose result only slices of the
/// same rows are used is replaced by the same op on slices of its operands. Asked about the ops of
/// a block backwards, every use of an op's result has been seen before the op itself.
class RowNarrowing {
public:
  /// `slice` takes rows along `axis` alone.
  RowNarrowing(mlir::tensor::ExtractSliceOp slice, int64_t axis);

  /// Moves the slices above `op` if nothing else than them, all along one axis, is used of its
  /// result. Returns whether it did.
  bool moveAbove(mlir::Operation *op);

  /// The tensors that the slices still take rows of.
  llvm::SmallVector<mlir::Value> getSources() const;

private:
  /// The rows of `whole` along `axis`.
  mlir::Value sliceOf(mlir::Value whole, int64_t axis);
  mlir::Value narrowed(mlir::Operation *op, int64_t axis);
  mlir::Value narrowedEmbed(EmbedOp op, int64_t axis);
  mlir::Value narrowedProject(ProjectOp op, int64_t axis);
  mlir::Value narrowedLinalg(mlir::linalg::LinalgOp op, int64_t axis);
  mlir::Value narrowedAttention(AttentionOp op, int64_t axis);
  mlir::Value narrowedConcat(mlir::tensor::ConcatOp op, int64_t axis);
  /// Makes `index`, which counts the narrow op's rows, count those of the whole one.
  void shiftRow(mlir::Value index);

  mlir::IRRewriter rewriter;
  mlir::OpFoldResult first, count;
  /// The slices made so far that are still there, and the axis that each takes rows along.
  llvm::DenseMap<mlir::Operation *, int64_t> slices;
};

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROWNARROWING_H
