//===- ScoreExponents.cpp - scores as exponents of 2 ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScoreExponents.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <numbers>

using namespace mlir;
using namespace heed::attn;

static Value splat(OpBuilder &builder, Value like, float value) {
  return arith::ConstantOp::create(builder, like.getLoc(),
                                   DenseElementsAttr::get(cast<VectorType>(like.getType()), value));
}

Value heed::attn::larger(OpBuilder &builder, Location loc, Value a, Value b) {
  Value isLarger = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, a, b);
  return arith::SelectOp::create(builder, loc, isLarger, a, b);
}

float ScoreExponents::factor() const { return modified ? scale : scale * std::numbers::log2e; }

Value ScoreExponents::ofGreatest(OpBuilder &builder, Value score) const {
  if (!modified)
    return score;
  return arith::MulFOp::create(builder, loc, score, splat(builder, score, std::numbers::log2e));
}

Value ScoreExponents::correction(OpBuilder &builder, Value before, Value reference) const {
  Value change = arith::SubFOp::create(builder, loc, before, reference);
  return exp2OfNonPositive(builder, loc, change, shape);
}

Value ScoreExponents::weight(OpBuilder &builder, Value score, Value reference) const {
  if (!modified)
    return power(builder, loc, arith::SubFOp::create(builder, loc, score, reference), shape);
  Value below =
      vector::FMAOp::create(builder, loc, score, splat(builder, score, std::numbers::log2e),
                            arith::NegFOp::create(builder, loc, reference));
  // It may be above 0 by the reference's rounding. From scores of 10^9 on that exceeds this, and
  // what isn't the greatest is further away than any power reaches.
  Value most = splat(builder, score, 64.0f);
  Value fits = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, below, most);
  return power(builder, loc, arith::SelectOp::create(builder, loc, fits, below, most), shape);
}
