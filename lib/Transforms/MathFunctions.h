//===- MathFunctions.h - functions as arithmetic without branches - -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TRANSFORMS_MATHFUNCTIONS_H
#define HEED_TRANSFORMS_MATHFUNCTIONS_H

#include "mlir/IR/Builders.h"

namespace heed {

/// Functions of x, an f32 or a vector of them, as sums and products, so that each lane costs what
/// the others do. A NaN stays one, and so does the sign of a zero. How far they are from the
/// functions is in docs/Performance.md, where HeedConversionTests checks it for every float.
mlir::Value buildExp(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildTanh(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildErf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);

/// The same, but for one part in 2^13: a sixteenth of what rounding to bf16 may cost, at about
/// half the price. Nothing is left of 1 - tanh(x) and 1 - erf(x) where they are less than that.
mlir::Value buildRoughExp(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildRoughTanh(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildRoughErf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);

} // namespace heed

#endif // HEED_TRANSFORMS_MATHFUNCTIONS_H
