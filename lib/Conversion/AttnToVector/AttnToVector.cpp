//===- AttnToVector.cpp - attn ops on memrefs become vector code -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "heed/Conversion/Passes.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#define DEBUG_TYPE "convert-attn-to-vector"

namespace heed {
#define GEN_PASS_DEF_ATTNTOVECTORPASS
#include "heed/Conversion/Passes.h.inc"
} // namespace heed

using namespace mlir;
using namespace heed::attn;

namespace {

struct AttnToVectorPass : heed::impl::AttnToVectorPassBase<AttnToVectorPass> {
  using AttnToVectorPassBase::AttnToVectorPassBase;

  void runOnOperation() override {
    KernelShape shape = KernelShape::of(nativeLanes, invariant, vnni);
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<ProjectOp, QuantizeOp, EmbedOp, PairRowsOp, OnlineAttentionOp, ClassifyKeysOp>(op))
        ops.push_back(op);
      if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
        if (isTransposedInRegisters(transpose, nativeLanes))
          ops.push_back(op);
      if (auto generic = dyn_cast<linalg::GenericOp>(op))
        if (isRoundedTile(generic))
          ops.push_back(op);
    });
    for (Operation *op : ops) {
      bool isTensorForm = llvm::any_of(op->getOperandTypes(), llvm::IsaPred<TensorType>);
      if (isTensorForm) {
        op->emitOpError("is in tensor form; bufferize before converting to vectors");
        return signalPassFailure();
      }
      OpBuilder builder(op);
      LogicalResult lowered = success();
      if (auto project = dyn_cast<ProjectOp>(op); project && !project.getTile())
        lowered = op->emitOpError("has no tile; run attn-choose-tiles first");
      else if (project)
        lowered = project.getScales() ? lowerQuantizedProject(builder, project, shape)
                                      : lowerProject(builder, project, shape);
      else if (auto quantize = dyn_cast<QuantizeOp>(op))
        lowered = lowerQuantize(builder, quantize);
      else if (auto embed = dyn_cast<EmbedOp>(op))
        lowered = lowerEmbed(builder, embed);
      else if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
        lowerTranspose(builder, transpose, nativeLanes);
      else if (auto generic = dyn_cast<linalg::GenericOp>(op))
        lowerRoundedTile(builder, generic);
      else if (auto pairs = dyn_cast<PairRowsOp>(op))
        lowerPairRows(builder, pairs);
      else if (auto classify = dyn_cast<ClassifyKeysOp>(op))
        lowered = replace(classify);
      else
        lowered = lowerOnlineAttention(builder, cast<OnlineAttentionOp>(op), shape);
      if (failed(lowered))
        return signalPassFailure();
      op->erase();
      ++numKernels;
    }
  }

  static LogicalResult replace(ClassifyKeysOp op) {
    OpBuilder builder(op);
    FailureOr<SmallVector<Value>> answers = lowerClassifyKeys(builder, op);
    if (succeeded(answers))
      op->replaceAllUsesWith(*answers);
    return success(succeeded(answers));
  }
};

} // namespace

void heed::attn::keepAsLoop(Operation *loop) {
  loop->setDiscardableAttr(
      "llvm.loop_annotation",
      parseAttribute("#llvm.loop_annotation<unroll = <disable = true>>", loop->getContext()));
}
