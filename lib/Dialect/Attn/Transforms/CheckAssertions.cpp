//===- CheckAssertions.cpp - what a program promises of its cache ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Support/Cost.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MathExtras.h"

#define DEBUG_TYPE "attn-check-assertions"

namespace heed::attn {
#define GEN_PASS_DEF_CHECKASSERTIONSPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed;

/// What a cache grows by with one token: its only dynamic axis is that of the tokens. A ring, which
/// has none, doesn't grow.
static std::optional<int64_t> bytesPerToken(RankedTensorType cache) {
  if (cache.hasStaticShape())
    return 0;
  int64_t bytes = llvm::divideCeil(cache.getElementTypeBitWidth(), 8);
  for (int64_t extent : cache.getShape())
    if (!ShapedType::isDynamic(extent) && llvm::MulOverflow(bytes, extent, bytes))
      return std::nullopt;
  return bytes;
}

/// Of all caches together; nothing where it exceeds 64 bits.
static std::optional<int64_t> bytesPerToken(ModuleOp module) {
  int64_t total = 0;
  for (auto func : module.getOps<func::FuncOp>()) {
    for (auto [number, argument] : llvm::enumerate(func.getArgumentTypes())) {
      auto role = func.getArgAttrOfType<StringAttr>(number, "heed.arg");
      auto type = dyn_cast<RankedTensorType>(argument);
      if (!role || role != "cache" || !type || !type.getElementType().isIntOrFloat())
        continue;
      std::optional<int64_t> bytes = bytesPerToken(type);
      if (!bytes || llvm::AddOverflow(total, *bytes, total))
        return std::nullopt;
    }
  }
  return total;
}

namespace {

struct CheckAssertionsPass : heed::attn::impl::CheckAssertionsPassBase<CheckAssertionsPass> {
  using CheckAssertionsPassBase::CheckAssertionsPassBase;

  void runOnOperation() override {
    auto assertions = dyn_cast_or_null<ArrayAttr>(getOperation()->removeAttr("heed.assertions"));
    if (!assertions)
      return;
    std::optional<int64_t> cost = bytesPerToken(getOperation());
    if (!cost) {
      emitError(getOperation().getLoc())
          << "found caches of more than 2^63 bytes for a token; expected smaller ones";
      return signalPassFailure();
    }
    bool failed = false;
    for (Attribute assertion : assertions)
      failed |= mlir::failed(check(assertion, *cost));
    if (failed)
      signalPassFailure();
  }

  LogicalResult check(Attribute assertion, Cost cost) {
    auto entry = dyn_cast<DictionaryAttr>(assertion);
    auto condition = entry ? entry.getAs<StringAttr>("condition") : StringAttr();
    auto spelled = entry ? entry.getAs<StringAttr>("relation") : StringAttr();
    std::optional<Relation> relation = spelled ? parseRelation(spelled.getValue()) : std::nullopt;
    std::optional<Cost> bound;
    if (auto whole = entry ? entry.getAs<IntegerAttr>("bound") : IntegerAttr();
        whole && whole.getValue().isSignedIntN(64))
      bound = whole.getValue().getSExtValue();
    else if (auto number = entry ? entry.getAs<FloatAttr>("bound") : FloatAttr())
      bound = number.getValueAsDouble();
    if (!condition || !relation || !bound)
      return emitError(getOperation().getLoc())
             << "found " << assertion
             << " in 'heed.assertions'; expected a 'condition', a 'relation' and a 'bound'";
    ++numAssertions;
    Cost lhs = cost, rhs = *bound;
    if (!entry.contains("cost_on_left"))
      std::swap(lhs, rhs);
    if (holds(lhs, *relation, rhs))
      return success();
    auto place = entry.getAs<LocationAttr>("place");
    return emitError(place ? Location(place) : getOperation().getLoc())
           << describeFailure(condition.getValue(), lhs, rhs) << " [E0705]";
  }
};

} // namespace
