//===- DeriveCache.cpp - makes steps of functions over tokens -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// RowAnalysis decides whether earlier rows can change; StepFunction rewrites. The
// work is done on a copy, so that a refused function stays as it was.
//
//===----------------------------------------------------------------------===//

#include "StepFunction.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#define DEBUG_TYPE "attn-derive-cache"

namespace heed::attn {
#define GEN_PASS_DEF_DERIVECACHEPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

namespace {

struct DeriveCachePass : heed::attn::impl::DeriveCachePassBase<DeriveCachePass> {
  using DeriveCachePassBase::DeriveCachePassBase;

  void runOnOperation() override {
    bool refused = false;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isExternal())
        refused |= failed(derive(func));
    if (refused)
      signalPassFailure();
  }

  LogicalResult derive(func::FuncOp func) {
    auto keep = [&] { func->setAttr("heed.kind", StringAttr::get(&getContext(), "plain")); };
    if (!RowAnalysis::appliesTo(func)) {
      keep();
      return success();
    }
    OwningOpRef<func::FuncOp> draft = func.clone();
    separateDestinations(*draft);
    RowAnalysis rows(*draft);
    SmallVector<Refusal> refusals(rows.getRefusals());
    StepFunction step(*draft, rows);
    if (refusals.empty())
      if (std::optional<Refusal> refusal = step.collectCaches())
        refusals.push_back(*refusal);
    if (!refusals.empty() && !required) {
      keep();
      return success();
    }
    for (const Refusal &refusal : refusals)
      emitError(refusal.place) << refusal.message;
    if (!refusals.empty())
      return failure();
    step.rewrite();
    func->setAttrs((*draft)->getAttrs());
    func.getBody().takeBody(draft->getBody());
    numCaches += step.getCacheCount();
    ++numSteps;
    return success();
  }
};

} // namespace
