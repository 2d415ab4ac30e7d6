//===- TouchBuilder.cpp - asks memory for what a task reads first -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TouchBuilder.h"

#include "TeamSpan.h"

#include "heed/Runtime/Artifact.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed;

/// What one prefetch asks for.
static constexpr int32_t kLineBytes = 64;

std::optional<int64_t> TouchBuilder::bytesOf(LLVM::Prefetch prefetch) {
  auto bytes = prefetch->getAttrOfType<IntegerAttr>("heed.bytes");
  return bytes ? std::optional(bytes.getInt()) : std::nullopt;
}

/// Whether something is announced in a branch of `op`.
static bool isAnnouncedIn(scf::IfOp op) {
  return op && llvm::any_of(op->getRegions(), [](Region &region) {
           return !region.empty() && TouchBuilder::isAnnounced(region.front());
         });
}

bool TouchBuilder::isAnnounced(Block &block) {
  return llvm::any_of(block, [](Operation &op) {
    if (auto prefetch = dyn_cast<LLVM::Prefetch>(op))
      return bytesOf(prefetch).has_value();
    return isAnnouncedIn(dyn_cast<scf::IfOp>(op));
  });
}

Value TouchBuilder::build(OpBuilder &builder, Block &block) {
  for (Operation &op : block) {
    Location loc = op.getLoc();
    auto isKnown = [&](Value operand) { return mapping.contains(operand); };
    if (!llvm::all_of(op.getOperands(), isKnown))
      continue;
    if (auto first = dyn_cast<LLVM::Prefetch>(op)) {
      if (std::optional<int64_t> bytes = bytesOf(first))
        return prefetch(builder, first, *bytes);
    } else if (auto branch = dyn_cast<scf::IfOp>(op); isAnnouncedIn(branch)) {
      auto copy = scf::IfOp::create(builder, loc, builder.getI64Type(),
                                    mapping.lookup(branch.getCondition()),
                                    /*withElseRegion=*/true);
      for (auto [from, to] : llvm::zip_equal(branch->getRegions(), copy->getRegions())) {
        OpBuilder inside = OpBuilder::atBlockBegin(&to.front());
        Value bytes = from.empty() ? Value() : build(inside, from.front());
        if (!bytes)
          bytes = LLVM::ConstantOp::create(inside, loc, inside.getI64IntegerAttr(0));
        scf::YieldOp::create(inside, loc, bytes);
      }
      return copy.getResult(0);
    } else if (op.getNumRegions() == 0 && !op.hasTrait<OpTrait::IsTerminator>() &&
               (isPureInTeam(op) || isa<LLVM::LoadOp>(op))) {
      builder.clone(op, mapping);
    }
  }
  return {};
}

Value TouchBuilder::prefetch(OpBuilder &builder, LLVM::Prefetch first, int64_t bytes) {
  Location loc = first.getLoc();
  auto pointer = first.getAddr().getType();
  Value begin =
      LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(),
                          mapping.lookup(first.getAddr()), ArrayRef<LLVM::GEPArg>{offset});
  // The last piece may reach beyond what is announced, which does no harm.
  for (int32_t line = 0; line < HEED_TOUCH_BYTES; line += kLineBytes) {
    Value address = LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), begin,
                                        ArrayRef<LLVM::GEPArg>{line});
    LLVM::Prefetch::create(builder, loc, address, first.getRw(), first.getHint(), first.getCache());
  }
  return LLVM::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(bytes));
}
