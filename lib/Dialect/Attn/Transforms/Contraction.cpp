//===- Contraction.cpp - a sum of products as its factors and loops -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/Contraction.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallBitVector.h"

#include <cmath>

using namespace mlir;

namespace heed::attn {

std::optional<int64_t> Factor::axisOf(unsigned loop) const {
  for (auto [axis, expr] : llvm::enumerate(map.getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && dim.getPosition() == loop)
      return axis;
  return std::nullopt;
}

std::optional<SmallVector<unsigned>> Factor::plainLoops() const {
  SmallVector<unsigned> loops;
  for (AffineExpr expr : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || llvm::is_contained(loops, dim.getPosition()))
      return std::nullopt;
    loops.push_back(dim.getPosition());
  }
  return loops;
}

bool Factor::isWeight() const { return value.getDefiningOp<DequantizeOp>() != nullptr; }

std::optional<double> constantWorth(Value value) {
  FloatAttr literal;
  if (matchPattern(value, m_Constant(&literal)))
    return literal.getValueAsDouble();
  Operation *op = value.getDefiningOp();
  if (!op ||
      !isa<math::SqrtOp, arith::NegFOp, arith::MulFOp, arith::DivFOp, arith::AddFOp, arith::SubFOp>(
          op))
    return std::nullopt;
  SmallVector<double, 2> of;
  for (Value operand : op->getOperands()) {
    std::optional<double> worth = constantWorth(operand);
    if (!worth)
      return std::nullopt;
    of.push_back(*worth);
  }
  if (isa<math::SqrtOp>(op))
    return std::sqrt(of[0]);
  if (isa<arith::NegFOp>(op))
    return -of[0];
  if (isa<arith::MulFOp>(op))
    return of[0] * of[1];
  if (isa<arith::DivFOp>(op))
    return of[0] / of[1];
  return isa<arith::AddFOp>(op) ? of[0] + of[1] : of[0] - of[1];
}

bool isElementwise(linalg::GenericOp op) {
  return op.getNumResults() == 1 && op.getNumParallelLoops() == op.getNumLoops() &&
         op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity();
}

/// Adds what `value` multiplies to the contraction; false where it is no such product.
static bool collectProduct(Value value, Contraction &into) {
  if (std::optional<double> worth = constantWorth(value)) {
    into.scale *= *worth;
    return true;
  }
  linalg::GenericOp op = into.op;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != op.getBody() ||
        argument.getArgNumber() >= static_cast<unsigned>(op.getNumDpsInputs()))
      return false;
    OpOperand *operand = op.getDpsInputOperand(argument.getArgNumber());
    auto type = dyn_cast<RankedTensorType>(operand->get().getType());
    if (!type || !type.getElementType().isF32())
      return false;
    into.factors.push_back({operand->get(), op.getMatchingIndexingMap(operand)});
    return true;
  }
  if (auto product = value.getDefiningOp<arith::MulFOp>())
    return collectProduct(product.getLhs(), into) && collectProduct(product.getRhs(), into);
  if (auto quotient = value.getDefiningOp<arith::DivFOp>()) {
    std::optional<double> divisor = constantWorth(quotient.getRhs());
    if (!divisor || *divisor == 0)
      return false;
    into.scale /= *divisor;
    return collectProduct(quotient.getLhs(), into);
  }
  return false;
}

std::optional<Contraction> Contraction::match(linalg::GenericOp op) {
  if (op.getNumResults() != 1 || op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
    return std::nullopt;
  Contraction found;
  found.op = op;
  found.parallel = op.getNumParallelLoops();
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if ((kind == utils::IteratorType::reduction) != found.isSummed(loop))
      return std::nullopt;
  AffineMap leading = AffineMap::getMultiDimIdentityMap(op.getNumLoops(), op.getContext());
  if (op.getMatchingIndexingMap(op.getDpsInitOperand(0)) != leading.getMajorSubMap(found.parallel))
    return std::nullopt;
  auto start = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (!start || !matchPattern(start.getInputs()[0], m_AnyZeroFloat()))
    return std::nullopt;

  auto sum = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum)
    return std::nullopt;
  Value accumulator = op.getRegionOutputArgs()[0];
  if (!accumulator.hasOneUse() || (sum.getLhs() != accumulator && sum.getRhs() != accumulator))
    return std::nullopt;
  Value term = sum.getLhs() == accumulator ? sum.getRhs() : sum.getLhs();
  if (!collectProduct(term, found))
    return std::nullopt;
  found.extents = op.getStaticLoopRanges();
  if (found.extents.size() != op.getNumLoops())
    return std::nullopt;
  return found;
}

OpFoldResult Contraction::extent(OpBuilder &builder, unsigned loop) const {
  if (extents[loop] != ShapedType::kDynamic)
    return builder.getIndexAttr(extents[loop]);
  Location loc = op->getLoc();
  if (!isSummed(loop))
    return extentOf(builder, loc, linalg::GenericOp(op).getDpsInits()[0], loop);
  for (const Factor &factor : factors)
    if (std::optional<int64_t> axis = factor.axisOf(loop))
      return extentOf(builder, loc, factor.value, *axis);
  llvm_unreachable("a generic's loops all have an operand that bounds them");
}

} // namespace heed::attn
