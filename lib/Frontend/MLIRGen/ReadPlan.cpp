//===- ReadPlan.cpp - which reads of a formula are operands of its linalg op ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReadPlan.h"

#include "mlir/IR/AffineExpr.h"

using namespace mlir;

namespace heed::mlirgen {

std::optional<unsigned> LoopNest::dimOf(int32_t var) const {
  auto dim = dims.find(var);
  return dim == dims.end() ? std::nullopt : std::optional<unsigned>(dim->second);
}

/// The indices of a read, whatever it reads.
static const std::vector<program::ExprPtr> &indicesOf(const program::Expr &read) {
  if (auto *tensor = std::get_if<program::Read>(&read.node))
    return tensor->indices;
  return std::get<program::ReadWeight>(read.node).indices;
}

/// An index as an affine expression of the loops, or null.
AffineExpr ReadPlan::affine(const program::Expr &index, MLIRContext *context) const {
  if (auto constant = constantIndex(index))
    return getAffineConstantExpr(*constant, context);
  if (auto *var = std::get_if<program::IndexValue>(&index.node)) {
    auto dim = loops.dimOf(var->var);
    return dim ? getAffineDimExpr(*dim, context) : AffineExpr();
  }
  auto *binary = std::get_if<program::Binary>(&index.node);
  if (!binary)
    return {};
  if (const program::Expr *operand = ranges.decided(*binary))
    return affine(*operand, context);
  AffineExpr lhs = affine(*binary->lhs, context), rhs = affine(*binary->rhs, context);
  if (!lhs || !rhs)
    return {};
  bool constantLhs = isa<AffineConstantExpr>(lhs), constantRhs = isa<AffineConstantExpr>(rhs);
  switch (binary->op) {
  case program::BinaryOp::Add:
    return lhs + rhs;
  case program::BinaryOp::Sub:
    return lhs - rhs;
  case program::BinaryOp::Mul:
    return constantLhs || constantRhs ? lhs * rhs : AffineExpr();
  case program::BinaryOp::Div:
  case program::BinaryOp::Mod:
    if (!constantRhs || cast<AffineConstantExpr>(rhs).getValue() <= 0)
      return {};
    return binary->op == program::BinaryOp::Div ? lhs.floorDiv(rhs) : lhs % rhs;
  default:
    return {};
  }
}

void ReadPlan::add(const program::Expr &read, Value tensor, ArrayRef<program::Extent> shape) {
  MLIRContext *context = tensor.getContext();
  SmallVector<AffineExpr> results;
  for (auto [index, extent] : llvm::zip_equal(indicesOf(read), shape)) {
    // linalg takes a loop's length from any operand that it indexes plainly, so the axis has to be
    // exactly as long, not only long enough.
    if (auto *var = std::get_if<program::IndexValue>(&index->node)) {
      if (ranges.extentOf(var->var) != extent)
        return;
    } else if (!ranges.of(*index).isInside(extent)) {
      return;
    }
    AffineExpr result = affine(*index, context);
    if (!result)
      return;
    // Simplification can make a loop of more than a loop (`i * 1`); the rule above holds for it
    // too.
    if (auto dim = dyn_cast<AffineDimExpr>(result);
        dim && loops[dim.getPosition()].extent != extent)
      return;
    results.push_back(result);
  }
  AffineMap map = AffineMap::get(loops.size(), 0, results, context);
  for (auto [number, operand] : llvm::enumerate(operands)) {
    if (operand.tensor == tensor && operand.map == map) {
      operandOfRead[&read] = number;
      return;
    }
  }
  operandOfRead[&read] = operands.size();
  operands.push_back({tensor, map});
}

std::optional<unsigned> ReadPlan::operandOf(const program::Expr &read) const {
  auto operand = operandOfRead.find(&read);
  return operand == operandOfRead.end() ? std::nullopt : std::optional<unsigned>(operand->second);
}

SmallVector<unsigned> ReadPlan::loopsWithoutShape(unsigned begin) const {
  SmallVector<unsigned> missing;
  for (unsigned dim = begin; dim < loops.size(); ++dim) {
    bool told = llvm::any_of(operands, [&](const Operand &operand) {
      return llvm::any_of(operand.map.getResults(), [&](AffineExpr result) {
        auto plain = dyn_cast<AffineDimExpr>(result);
        return plain && plain.getPosition() == dim;
      });
    });
    if (!told)
      missing.push_back(dim);
  }
  return missing;
}

} // namespace heed::mlirgen
