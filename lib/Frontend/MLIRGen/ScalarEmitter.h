//===- ScalarEmitter.h - expressions as scalar operations -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_MLIRGEN_SCALAREMITTER_H
#define HEED_LIB_FRONTEND_MLIRGEN_SCALAREMITTER_H

#include "FunctionEmitter.h"

namespace heed::mlirgen {

/// Emits expressions where its builder stands: in a linalg op's body, in a mask's predicate, or
/// between ops. Integers are of type index while they are computed with, and i32 in tensors.
///
/// No expression traps or reads outside a tensor, whatever a tensor holds: an index that may be
/// outside is clamped to the axis, a divisor of zero counts as one, and a float that no integer
/// can hold becomes the nearest one. So both sides of a Select can be computed.
class ScalarEmitter {
public:
  ScalarEmitter(FunctionEmitter &function, mlir::OpBuilder &builder)
      : function(function), builder(builder) {}

  /// `var` is the value `index`.
  void bindIndex(int32_t var, mlir::Value index) { indices[var] = index; }
  /// The variables of `nest` are the loops of the linalg op around.
  void bindLoops(const LoopNest &nest) { loops = &nest; }
  /// What each read reads.
  void bindTensors(const llvm::DenseMap<const program::Expr *, mlir::Value> &read) {
    tensors = &read;
  }
  /// The elements of a linalg op's operands, for the reads that are operands.
  void bindOperands(const ReadPlan &reads, mlir::ValueRange elements) {
    plan = &reads;
    operands = elements;
  }

  /// f32, index or i1, after the expression's element.
  mlir::Value emit(const program::Expr &expr);
  /// As a tensor's element: f32, i32 or i1.
  mlir::Value emitElement(const program::Expr &expr);

private:
  mlir::Value emitIndexVar(const program::IndexValue &index, mlir::Location loc);
  mlir::Value emitRead(const program::Expr &read);
  mlir::Value emitClamped(const program::Expr &index, const program::Extent &axis);
  mlir::Value emitUnary(const program::Expr &expr, const program::Unary &unary);
  mlir::Value emitBinary(const program::Expr &expr, const program::Binary &binary);
  mlir::Value emitFloat(const program::Expr &expr, const program::Binary &binary);
  mlir::Value emitInteger(const program::Expr &expr, const program::Binary &binary);
  mlir::Value emitLogic(const program::Expr &expr, const program::Binary &binary);
  mlir::Value emitDivision(const program::Expr &expr, const program::Binary &binary);
  mlir::Value emitPower(const program::Expr &expr, const program::Binary &binary);
  mlir::Value emitCast(const program::Expr &expr, const program::Cast &cast);
  mlir::Value floatConstant(mlir::Location loc, double value);
  mlir::Value indexConstant(mlir::Location loc, int64_t value);
  mlir::Value fail(mlir::Location loc, const llvm::Twine &message, mlir::Type type);

  FunctionEmitter &function;
  mlir::OpBuilder &builder;
  llvm::DenseMap<int32_t, mlir::Value> indices;
  const LoopNest *loops = nullptr;
  const llvm::DenseMap<const program::Expr *, mlir::Value> *tensors = nullptr;
  const ReadPlan *plan = nullptr;
  mlir::ValueRange operands;
};

} // namespace heed::mlirgen

#endif // HEED_LIB_FRONTEND_MLIRGEN_SCALAREMITTER_H
