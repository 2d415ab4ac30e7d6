//===- NarrowAttention.cpp - attention in the numbers that dot products take -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Weights/PanelLayout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#define DEBUG_TYPE "attn-narrow-attention"

namespace heed::attn {
#define GEN_PASS_DEF_NARROWATTENTIONPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed;
using namespace heed::attn;

/// Whether attn-narrow-activations rounds the rows that meet a weight of this type.
static bool takesNarrowRows(WeightType weight) {
  StorageSet storage = StorageSet::fromBits(static_cast<uint32_t>(weight.getStorage())).value();
  PanelLayout layout = panelLayout(storage);
  return layout.isQuantised() || layout.quant == PanelLayout::Quant::BF16;
}

namespace {

struct NarrowAttentionPass : heed::attn::impl::NarrowAttentionPassBase<NarrowAttentionPass> {
  using NarrowAttentionPassBase::NarrowAttentionPassBase;

  void runOnOperation() override {
    if (type == "f32")
      return;
    if (type != "auto" && type != "bf16") {
      getOperation().emitError("expected a type of f32, auto or bf16, found ") << type;
      return signalPassFailure();
    }
    auto isRounded = [](ProjectOp op) {
      return takesNarrowRows(op.getWeight().getType()) ? WalkResult::interrupt()
                                                       : WalkResult::advance();
    };
    if (type == "auto" && !getOperation().walk(isRounded).wasInterrupted())
      return;
    getOperation().walk([&](AttentionOp op) {
      int64_t depth = op.getQ().getType().getShape().back();
      if (ShapedType::isDynamic(depth) || depth % 2 != 0)
        return;
      op.setBf16(true);
      ++numAttentions;
    });
  }
};

} // namespace
