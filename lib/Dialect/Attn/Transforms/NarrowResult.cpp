//===- NarrowResult.cpp - computes only the rows that are asked for -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step's result is a slice of all its rows, which RowNarrowing moves up as far as
// it gets. An op that is also used whole is kept, as it is computed anyway; so are
// loops, of whose rounds only the last one's rows aren't all needed.
//
//===----------------------------------------------------------------------===//

#include "RowNarrowing.h"

#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#define DEBUG_TYPE "attn-narrow-result"

namespace heed::attn {
#define GEN_PASS_DEF_NARROWRESULTPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

namespace {

struct NarrowResultPass : heed::attn::impl::NarrowResultPassBase<NarrowResultPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    auto kind = func->getAttrOfType<StringAttr>("heed.kind");
    if (!kind || kind != "step" || !func.getBody().hasOneBlock())
      return;
    Operation *ret = func.front().getTerminator();
    if (ret->getNumOperands() == 0)
      return;
    auto slice = ret->getOperand(0).getDefiningOp<tensor::ExtractSliceOp>();
    if (!slice || rowAxisOf(slice) != 0)
      return;
    SmallVector<Operation *> ops;
    for (Operation &op : func.front().without_terminator())
      ops.push_back(&op);
    RowNarrowing narrowing(slice, 0);
    for (Operation *op : llvm::reverse(ops))
      if (op != slice && narrowing.moveAbove(op))
        ++numNarrowed;
  }
};

} // namespace
