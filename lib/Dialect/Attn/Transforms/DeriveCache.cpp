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
#include "llvm/ADT/StringSwitch.h"

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
    if (failed(readOptions()))
      return signalPassFailure();
    bool refused = false;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isExternal())
        refused |= failed(derive(func));
    if (refused)
      signalPassFailure();
  }

  LogicalResult readOptions() {
    Builder builder(&getContext());
    storage.element = llvm::StringSwitch<Type>(cacheType)
                          .Case("f32", builder.getF32Type())
                          .Case("f16", builder.getF16Type())
                          .Case("bf16", builder.getBF16Type())
                          .Case("int8", builder.getI8Type())
                          .Default(Type());
    storage.chunk = chunk;
    storage.keyTile = keyTile;
    if (!storage.element)
      return getOperation().emitError("found cache-type=")
             << cacheType << ", expected f32, f16, bf16 or int8";
    if (chunk <= 0 || keyTile <= 0)
      return getOperation().emitError("found chunk=")
             << int64_t(chunk) << " and key-tile=" << int64_t(keyTile)
             << ", expected positive numbers";
    return success();
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
    StepFunction step(*draft, rows, storage);
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
    numRings += step.getRingCount();
    ++numSteps;
    return success();
  }

  CacheStorage storage;
};

} // namespace
