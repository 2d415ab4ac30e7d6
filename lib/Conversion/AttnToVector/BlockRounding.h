//===- BlockRounding.h - how blocks of a row are rounded to integers -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of 32 columns is two vectors. What is found for a whole block, its
// extremes and its sum, is found for four blocks together, so that four lanes of
// one vector are compared or added at the price of one.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_ATTNTOVECTOR_BLOCKROUNDING_H
#define HEED_CONVERSION_ATTNTOVECTOR_BLOCKROUNDING_H

#include "Lowerings.h"

namespace heed::attn {

/// The vectors that hold a block.
inline constexpr int64_t kBlockParts = QuantizeOp::kBlock / kLanes;
/// Blocks that are rounded together.
inline constexpr int64_t kBlocks = 4;

/// How the numbers of four blocks are rounded, 4 x f32 each: times `inverse`, and less what that
/// makes of the centre, if there is one. A quant then stands for `scale * quant + centre`.
struct BlockRounding {
  mlir::Value scale, inverse, centre;

  /// What is furthest from 0, the positive of two, becomes -`reach`. `values` are the vectors of
  /// up to four blocks. Where all of a block are 0, so is `inverse`.
  static BlockRounding aboutZero(mlir::OpBuilder &builder, mlir::Location loc,
                                 llvm::ArrayRef<mlir::Value> values, int64_t reach);
  /// What is furthest from the middle of the extremes, rounded to bf16, becomes `reach` or its
  /// opposite.
  static BlockRounding aboutCentre(mlir::OpBuilder &builder, mlir::Location loc,
                                   llvm::ArrayRef<mlir::Value> values, int64_t reach);
};

/// The elements of each of four vectors of 16 joined by `join`: four lanes.
mlir::Value
joinLanes(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::Value> vectors,
          llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Value, mlir::Value)> join);
/// In each four lanes those of two vectors that `ofFour` names: 0 … 3 of `a`, 4 … 7 of `b`.
mlir::Value pickOfFour(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value a, mlir::Value b,
                       llvm::ArrayRef<int64_t> ofFour);

} // namespace heed::attn

#endif // HEED_CONVERSION_ATTNTOVECTOR_BLOCKROUNDING_H
