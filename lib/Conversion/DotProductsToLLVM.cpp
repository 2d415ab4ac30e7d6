//===- DotProductsToLLVM.cpp - dot products of bytes as an instruction -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Conversion/Passes.h"
#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#define DEBUG_TYPE "convert-dot-products-to-llvm"

namespace heed {
#define GEN_PASS_DEF_DOTPRODUCTSTOLLVMPASS
#include "heed/Conversion/Passes.h.inc"
} // namespace heed

using namespace mlir;
using namespace heed::attn;

namespace {

struct DotProductsToLLVMPass : heed::impl::DotProductsToLLVMPassBase<DotProductsToLLVMPass> {
  using DotProductsToLLVMPassBase::DotProductsToLLVMPassBase;

  void runOnOperation() override {
    SmallVector<Operation *> products;
    getOperation()->walk([&](Operation *op) {
      if (isa<DotBytesOp, DotPairsOp>(op))
        products.push_back(op);
    });
    for (Operation *op : products) {
      auto sums = cast<VectorType>(op->getResult(0).getType());
      if (sums.getNumElements() != 16) {
        op->emitOpError("has ") << sums.getNumElements() << " sums, expected the 16 of a register";
        return signalPassFailure();
      }
      StringRef intrinsic =
          isa<DotBytesOp>(op) ? "llvm.x86.avx512.vpdpbusd.512" : "llvm.x86.avx512bf16.dpbf16ps.512";
      OpBuilder builder(op);
      auto call = LLVM::CallIntrinsicOp::create(
          builder, op->getLoc(), sums, builder.getStringAttr(intrinsic), op->getOperands());
      op->replaceAllUsesWith(call->getResults());
      op->erase();
      ++numProducts;
    }
  }
};

} // namespace
