//===- Shapes.h - what verifiers and shape reification share ---*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_IR_SHAPES_H
#define HEED_LIB_DIALECT_ATTN_IR_SHAPES_H

#include "heed/Dialect/Attn/IR/AttnDialect.h"

namespace heed::attn {

/// Whether two sizes can be equal when the model runs: a dynamic one may be any.
bool mayBeEqual(int64_t a, int64_t b);

/// A shape as errors show it: `[9, ?, 64]`.
std::string shapeText(llvm::ArrayRef<int64_t> shape);

/// Checks that the type of `what` (a result, an operand) has this shape, or may have.
llvm::LogicalResult expectShape(mlir::Operation *op, llvm::StringRef what, mlir::Type found,
                                llvm::ArrayRef<int64_t> expected);

/// Checks that `a` and `b` have rank 2, 3 with heads or 4 with a batch of heads, and the same.
llvm::LogicalResult expectSameRank(mlir::Operation *op, llvm::StringRef nameOfA, mlir::Type a,
                                   llvm::StringRef nameOfB, mlir::Type b);

/// Checks that each head of `shared` serves as many heads of `many`, grouped heads, and that their
/// batches are equal or that of `shared` is 1. Both have one of the ranks above.
llvm::LogicalResult expectGroupedHeads(mlir::Operation *op, llvm::StringRef nameOfMany,
                                       mlir::Type many, llvm::StringRef nameOfShared,
                                       mlir::Type shared);

/// Checks that a region is absent or one block that takes these types and yields one value.
llvm::LogicalResult expectRegion(mlir::Operation *op, llvm::StringRef name, mlir::Region &region,
                                 mlir::TypeRange takes, mlir::Type yields);

/// The size of a result's axis, which is that of an operand's axis.
struct AxisOf {
  mlir::Value operand;
  int64_t axis;
};
/// The sizes of `result`, one origin an axis; constants where its type has them.
llvm::SmallVector<mlir::OpFoldResult> reifySizes(mlir::OpBuilder &builder, mlir::Value result,
                                                 llvm::ArrayRef<AxisOf> origins);

/// Reifies an op whose one result has the shape of `operand`.
llvm::LogicalResult reifyAsOperand(mlir::OpBuilder &builder, mlir::Operation *op,
                                   mlir::Value operand, mlir::ReifiedRankedShapedTypeDims &shapes);

/// Fails at `op` unless its destinations, of types `made`, are all memrefs and it has no result, or
/// its results have their types. `names` lists them for the message.
llvm::LogicalResult expectResultsLike(mlir::Operation *op, llvm::ArrayRef<mlir::Type> made,
                                      llvm::StringRef names);

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_IR_SHAPES_H
