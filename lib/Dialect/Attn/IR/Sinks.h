//===- Sinks.h - sinks that take no weight -*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_IR_SINKS_H
#define HEED_LIB_DIALECT_ATTN_IR_SINKS_H

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

namespace heed::attn {

/// Drops the sink of an op whose sink is a constant, or a fill with one, of -inf.
template <typename Op> struct DropSinkWithoutWeight : mlir::OpRewritePattern<Op> {
  using mlir::OpRewritePattern<Op>::OpRewritePattern;

  mlir::LogicalResult matchAndRewrite(Op op, mlir::PatternRewriter &rewriter) const override {
    mlir::Value sink = op.getSink();
    if (!sink)
      return mlir::failure();
    mlir::Value element = sink;
    if (auto fill = sink.getDefiningOp<mlir::linalg::FillOp>())
      element = fill.value();
    if (!mlir::matchPattern(element, mlir::m_NegInfFloat()))
      return mlir::failure();
    rewriter.modifyOpInPlace(op, [&] { op.getSinkMutable().clear(); });
    return mlir::success();
  }
};

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_IR_SINKS_H
