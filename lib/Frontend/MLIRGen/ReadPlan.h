//===- ReadPlan.h - which reads of a formula are operands of its linalg op ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A linalg op walks its operands by affine maps, which is what later passes
// recognise and tile. A read becomes an operand where its indices are affine in
// the loops and provably inside the tensor; any other read stays in the body.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_MLIRGEN_READPLAN_H
#define HEED_LIB_FRONTEND_MLIRGEN_READPLAN_H

#include "IndexRange.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Value.h"

namespace heed::mlirgen {

/// The loops of a linalg op: the formula's axes, then what it sums over.
class LoopNest {
public:
  void append(const program::IndexVar &var) {
    dims[var.id] = vars.size();
    vars.push_back(var);
  }
  unsigned size() const { return vars.size(); }
  const program::IndexVar &operator[](unsigned dim) const { return vars[dim]; }
  /// The loop of an index variable, or nothing for a variable that isn't the formula's own.
  std::optional<unsigned> dimOf(int32_t var) const;

private:
  llvm::SmallVector<program::IndexVar> vars;
  llvm::DenseMap<int32_t, unsigned> dims;
};

/// The operands of a formula, in the order in which the text reads them first.
class ReadPlan {
public:
  struct Operand {
    mlir::Value tensor;
    mlir::AffineMap map;
  };

  ReadPlan(const LoopNest &loops, const IndexRanges &ranges) : loops(loops), ranges(ranges) {}

  /// Makes `read` an operand where that is possible. `tensor` is what it reads, of the shape
  /// `shape`; the same tensor by the same map is one operand.
  void add(const program::Expr &read, mlir::Value tensor, llvm::ArrayRef<program::Extent> shape);
  /// An operand that is never read but has the shape of loops that no other operand tells.
  void addShape(mlir::Value tensor, mlir::AffineMap map) { operands.push_back({tensor, map}); }

  llvm::ArrayRef<Operand> getOperands() const { return operands; }
  /// The operand that stands for a read, if any does.
  std::optional<unsigned> operandOf(const program::Expr &read) const;
  /// The loops from `begin` on whose lengths no operand tells.
  llvm::SmallVector<unsigned> loopsWithoutShape(unsigned begin) const;

private:
  mlir::AffineExpr affine(const program::Expr &index, mlir::MLIRContext *context) const;

  const LoopNest &loops;
  const IndexRanges &ranges;
  llvm::SmallVector<Operand> operands;
  llvm::DenseMap<const program::Expr *, unsigned> operandOfRead;
};

} // namespace heed::mlirgen

#endif // HEED_LIB_FRONTEND_MLIRGEN_READPLAN_H
