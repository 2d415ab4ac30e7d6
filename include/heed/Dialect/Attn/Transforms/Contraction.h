//===- Contraction.h - a sum of products as its factors and loops -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_CONTRACTION_H
#define HEED_DIALECT_ATTN_TRANSFORMS_CONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineMap.h"

#include <optional>

namespace heed::attn {

/// One tensor of a product, indexed by the loops through `map`.
struct Factor {
  mlir::Value value;
  mlir::AffineMap map;

  bool uses(unsigned loop) const { return map.isFunctionOfDim(loop); }
  /// The axis that is indexed by exactly this loop.
  std::optional<int64_t> axisOf(unsigned loop) const;
  /// The loops of the axes, where each axis is indexed by a loop of its own.
  std::optional<llvm::SmallVector<unsigned>> plainLoops() const;
  /// Whether the factor is a weight, read as a tensor.
  bool isWeight() const;
};

/// `result[p…] = scale * sum[r…] product of the factors`, as a linalg.generic whose
/// loops are the result's axes in order, then the summed ones.
struct Contraction {
  mlir::linalg::GenericOp op;
  llvm::SmallVector<Factor> factors;
  double scale = 1;
  /// Loops below this are the result's axes, those from it on are summed over.
  unsigned parallel = 0;
  /// Each loop's trip count, kDynamic where it is known only at run time.
  llvm::SmallVector<int64_t> extents;

  /// Nothing where `op` computes anything else. The accumulator must start at zero;
  /// the body may multiply the factors and constants in any order and divide by constants.
  static std::optional<Contraction> match(mlir::linalg::GenericOp op);

  unsigned loops() const { return extents.size(); }
  bool isSummed(unsigned loop) const { return loop >= parallel; }
  /// A loop's trip count as a constant or a value at `builder`.
  mlir::OpFoldResult extent(mlir::OpBuilder &builder, unsigned loop) const;
};

/// What an f32 expression of constants is worth: literals under `math.sqrt`,
/// negation and the four operations. Nothing where it isn't constant.
std::optional<double> constantWorth(mlir::Value value);

/// Whether `op` computes each element of its one result from its own indices alone:
/// all loops parallel, the result indexed by them in order.
bool isElementwise(mlir::linalg::GenericOp op);

} // namespace heed::attn

#endif // HEED_DIALECT_ATTN_TRANSFORMS_CONTRACTION_H
