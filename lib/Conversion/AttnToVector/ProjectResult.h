//===- ProjectResult.h - what becomes of a projection's sums -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_ATTNTOVECTOR_PROJECTRESULT_H
#define HEED_CONVERSION_ATTNTOVECTOR_PROJECTRESULT_H

#include "Lowerings.h"

namespace heed::attn {

/// The memory that a projection writes, and its epilogue: what is computed from each sum, and from
/// what belongs to it, before it is stored.
class ProjectResult {
public:
  /// Fails at `op` where its memory can't be seen as rows of features.
  static mlir::FailureOr<ProjectResult> of(mlir::OpBuilder &builder, ProjectOp op);

  /// Whether the epilogue has so many ops that they are better built once for many sums, in a loop.
  bool isCostly();

  /// Stores what becomes of 16 sums of each weight: features `feature` … of row `row`, of which the
  /// first `count` exist.
  mlir::LogicalResult store(mlir::OpBuilder &builder, mlir::ValueRange sums, mlir::Value row,
                            mlir::Value feature, int64_t count);

  /// Asks for what `store` will read of that place.
  void prefetch(mlir::OpBuilder &builder, mlir::Value row, mlir::Value feature);

private:
  explicit ProjectResult(ProjectOp op) : op(op) {}

  /// A joined operand: a number for each feature of each row, for each feature, or for each row.
  struct Joined {
    mlir::Value memory;
    bool hasRows, hasFeatures;
  };
  /// The place of a feature of a row in memory that has both.
  llvm::SmallVector<mlir::Value> placeOf(mlir::OpBuilder &builder, mlir::Value row,
                                         mlir::Value feature);
  mlir::Value load(mlir::OpBuilder &builder, mlir::Value memory, mlir::ValueRange place,
                   mlir::Value mask);
  mlir::Value read(mlir::OpBuilder &builder, const Joined &joined, mlir::Value row,
                   mlir::Value feature, mlir::Value mask);

  ProjectOp op;
  mlir::Value into;
  llvm::SmallVector<Joined> joined;
};

} // namespace heed::attn

#endif // HEED_CONVERSION_ATTNTOVECTOR_PROJECTRESULT_H
