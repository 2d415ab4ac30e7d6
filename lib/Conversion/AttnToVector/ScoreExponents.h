//===- ScoreExponents.h - scores as exponents of 2 ------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Softmax takes powers of 2, so scores are multiplied by log2(e). Without a modifier
// that is part of their scale. A modifier takes and gives scores to base e, and they
// stay so until the greatest is subtracted: a rounded product would cost scores of
// some tens, as ALiBi makes them, as much accuracy as all else.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_ATTNTOVECTOR_SCOREEXPONENTS_H
#define HEED_CONVERSION_ATTNTOVECTOR_SCOREEXPONENTS_H

#include "Lowerings.h"

namespace heed::attn {

/// The greater of two vectors in each lane; `b` where `a` is no number.
mlir::Value larger(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value a, mlir::Value b);

/// How the kernels of one attention go from scores to weights.
class ScoreExponents {
public:
  ScoreExponents(OnlineAttentionOp op, const KernelShape &shape)
      : loc(op.getLoc()), scale(op.getScale().convertToDouble()), modified(!op.getScore().empty()),
        power(op.isPaired() ? exp2ToBeRounded : exp2OfNonPositive), shape(shape) {}

  bool isModified() const { return modified; }
  /// What a query times a key is multiplied by to be a score.
  float factor() const;
  /// The greatest score of each lane as an exponent, which is what the op's running maximum holds.
  mlir::Value ofGreatest(mlir::OpBuilder &builder, mlir::Value score) const;
  /// By how much sums shrink whose maximum, an exponent, was `before` and is `reference` now.
  mlir::Value correction(mlir::OpBuilder &builder, mlir::Value before, mlir::Value reference) const;
  /// 2^(exponent - reference) for the reference that `ofGreatest` gives, or a greater one.
  mlir::Value weight(mlir::OpBuilder &builder, mlir::Value score, mlir::Value reference) const;

private:
  mlir::Location loc;
  double scale;
  bool modified;
  /// Of what isn't above 0.
  mlir::Value (*power)(mlir::OpBuilder &, mlir::Location, mlir::Value, const KernelShape &);
  KernelShape shape;
};

} // namespace heed::attn

#endif // HEED_CONVERSION_ATTNTOVECTOR_SCOREEXPONENTS_H
