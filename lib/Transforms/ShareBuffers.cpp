//===- ShareBuffers.cpp - memory that several buffers take in turn -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A buffer that a round of a loop allocates means nothing to the next round, so
// all rounds may have one, allocated before the loop. Seen from there it is in
// use while the loop runs, and not before or after: another loop's buffer of the
// same size can be the same memory.
//
// Rounds may need buffers of different sizes, the last one's of fewer rows say. Where
// a number known before the loop bounds the size, a buffer for so many is allocated in
// every round, and the round takes as much of it as it needs.
//
//===----------------------------------------------------------------------===//

#include "heed/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#define DEBUG_TYPE "heed-share-buffers"

namespace heed {
#define GEN_PASS_DEF_SHAREBUFFERSPASS
#include "heed/Transforms/Passes.h.inc"
} // namespace heed

using namespace mlir;
using namespace heed;

namespace {

/// A buffer and the ops of its block between which it is in use.
struct Lifetime {
  memref::AllocOp alloc;
  Operation *first, *last;
};

/// When `alloc` is in use, seen from its own block. Nothing where it outlives the block's round, or
/// where its address leaves the memref.
std::optional<Lifetime> lifetimeOf(memref::AllocOp alloc, const BufferViewFlowAnalysis &views) {
  Block *block = alloc->getBlock();
  Lifetime lifetime{alloc, nullptr, nullptr};
  for (Value alias : views.resolve(alloc)) {
    for (Operation *user : alias.getUsers()) {
      bool isKnown = llvm::all_of(user->getResultTypes(), [](Type type) {
        return isa<MemRefType>(type) || type.isIntOrFloat() || isa<VectorType>(type);
      });
      Operation *place = block->findAncestorOpInBlock(*user);
      // A view touches nothing; whoever uses it is a user of an alias.
      if (isa<memref::DimOp, ViewLikeOpInterface>(user) && place && user->getNumResults() == 1)
        continue;
      if (!isKnown || !place || place == block->getTerminator())
        return std::nullopt;
      if (!lifetime.first || place->isBeforeInBlock(lifetime.first))
        lifetime.first = place;
      if (!lifetime.last || lifetime.last->isBeforeInBlock(place))
        lifetime.last = place;
    }
  }
  if (!lifetime.first)
    return std::nullopt;
  return lifetime;
}

/// What `size` is in every round of `loop`, or never more than; null where that isn't known.
Value boundOf(Value size, scf::ForOp loop) {
  if (loop.isDefinedOutsideOfLoop(size))
    return size;
  auto difference = size.getDefiningOp<arith::SubIOp>();
  bool isLess = difference &&
                bitEnumContainsAny(difference.getOverflowFlags(), arith::IntegerOverflowFlags::nuw);
  return isLess ? boundOf(difference.getLhs(), loop) : Value();
}

/// The distances between neighbours along each axis of a buffer of these sizes.
SmallVector<OpFoldResult> stridesOf(OpBuilder &builder, Location loc,
                                    ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
  for (size_t axis = sizes.size(); axis-- > 1;) {
    OpFoldResult size = sizes[axis], stride = strides[axis];
    std::optional<int64_t> count = getConstantIntValue(size), step = getConstantIntValue(stride);
    if (count && step)
      strides[axis - 1] = builder.getIndexAttr(*count * *step);
    else
      strides[axis - 1] =
          arith::MulIOp::create(builder, loc, getValueOrCreateConstantIndexOp(builder, loc, size),
                                getValueOrCreateConstantIndexOp(builder, loc, stride))
              .getResult();
  }
  return strides;
}

struct ShareBuffersPass : heed::impl::ShareBuffersPassBase<ShareBuffersPass> {
  using ShareBuffersPassBase::ShareBuffersPassBase;

  void runOnOperation() override {
    for (Block &block : getOperation().getBody())
      descend(block);
  }

  /// Takes the buffers of the loops in `block` out of them, innermost first, and lets those share
  /// memory that are in the block then. What runs in parallel keeps its own.
  void descend(Block &block) {
    if (auto loop = dyn_cast<scf::ForOp>(block.getParentOp()))
      allocateMost(loop);
    for (Operation &op : block) {
      if (!isa<scf::ForOp, scf::IfOp>(op))
        continue;
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          descend(inner);
      if (auto loop = dyn_cast<scf::ForOp>(op))
        takeOut(loop);
    }
    share(block);
  }

  /// Gives the buffers in `loop` whose sizes change from round to round the most that they have.
  static void allocateMost(scf::ForOp loop) {
    for (auto alloc : llvm::make_early_inc_range(loop.getBody()->getOps<memref::AllocOp>())) {
      SmallVector<Value> most = llvm::map_to_vector(
          alloc.getDynamicSizes(), [&](Value size) { return boundOf(size, loop); });
      if (llvm::is_contained(most, Value()) || llvm::equal(most, alloc.getDynamicSizes()))
        continue;
      OpBuilder builder(alloc);
      Location loc = alloc.getLoc();
      SmallVector<OpFoldResult> sizes = alloc.getMixedSizes();
      Value all =
          memref::AllocOp::create(builder, loc, alloc.getType(), most, alloc.getAlignmentAttr());
      Value part = memref::ReinterpretCastOp::create(builder, loc, alloc.getType(), all,
                                                     builder.getIndexAttr(0), sizes,
                                                     stridesOf(builder, loc, sizes));
      alloc.replaceAllUsesWith(part);
      alloc.erase();
    }
  }

  void takeOut(scf::ForOp loop) {
    BufferViewFlowAnalysis views(getOperation());
    for (auto alloc : llvm::make_early_inc_range(loop.getBody()->getOps<memref::AllocOp>())) {
      bool isOfAllRounds = llvm::all_of(
          alloc->getOperands(), [&](Value size) { return loop.isDefinedOutsideOfLoop(size); });
      if (!isOfAllRounds || !lifetimeOf(alloc, views))
        continue;
      alloc->moveBefore(loop);
      ++numTakenOut;
    }
  }

  void share(Block &block) {
    BufferViewFlowAnalysis views(getOperation());
    SmallVector<Lifetime> lifetimes;
    for (auto alloc : block.getOps<memref::AllocOp>())
      if (std::optional<Lifetime> lifetime = lifetimeOf(alloc, views))
        lifetimes.push_back(*lifetime);
    llvm::sort(lifetimes, [](Lifetime a, Lifetime b) {
      return a.first != b.first ? a.first->isBeforeInBlock(b.first)
                                : a.alloc != b.alloc && a.alloc->isBeforeInBlock(b.alloc);
    });
    SmallVector<Lifetime> kept;
    for (Lifetime &lifetime : lifetimes) {
      Lifetime *free = llvm::find_if(kept, [&](const Lifetime &other) {
        return other.last->isBeforeInBlock(lifetime.first) && isAlike(other.alloc, lifetime.alloc);
      });
      if (free == kept.end()) {
        kept.push_back(lifetime);
        continue;
      }
      free->last = lifetime.last;
      // The sizes are equal, so where the one could be allocated the other can.
      if (lifetime.alloc->isBeforeInBlock(free->alloc))
        free->alloc->moveBefore(lifetime.alloc);
      lifetime.alloc.replaceAllUsesWith(free->alloc.getResult());
      lifetime.alloc.erase();
      ++numShared;
    }
  }

  static bool isAlike(memref::AllocOp a, memref::AllocOp b) {
    return a.getType() == b.getType() && a->getOperands() == b->getOperands() &&
           a.getAlignmentAttr() == b.getAlignmentAttr();
  }
};

} // namespace
