//===- TeamSpan.cpp - the part of a function that a team runs -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TeamSpan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed;

/// Whether `op` is a parallel loop or has one in it.
static bool isParallel(Operation &op) {
  return op.walk([](scf::ForallOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

bool heed::isPureInTeam(Operation &op) {
  if (auto load = dyn_cast<LLVM::LoadOp>(op))
    return load.getInvariant();
  return isMemoryEffectFree(&op);
}

/// Whether `size` is one wherever it can be computed, not only in a branch that is taken where it
/// is: no difference that may be less than 0 goes into it.
static bool isSizeAnywhere(Value size) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return *constant >= 0;
  Operation *op = size.getDefiningOp();
  if (!op || !isa<arith::ArithDialect>(op->getDialect()))
    return true;
  if (auto difference = dyn_cast<arith::SubIOp>(op);
      difference &&
      !bitEnumContainsAny(difference.getOverflowFlags(), arith::IntegerOverflowFlags::nuw))
    return false;
  return llvm::all_of(op->getOperands(), isSizeAnywhere);
}

bool TeamSpan::contains(Operation *op) const {
  Operation *above = first->getBlock()->findAncestorOpInBlock(*op);
  return above && !above->isBeforeInBlock(first) && !last->isBeforeInBlock(above);
}

bool TeamSpan::contains(Value value) const {
  if (Operation *op = value.getDefiningOp())
    return contains(op);
  return contains(cast<BlockArgument>(value).getOwner()->getParentOp());
}

namespace {

/// What has to change before a span is one; changes nothing until it is known that all can.
class SpanBuilder {
public:
  explicit SpanBuilder(TeamSpan span) : span(span) {}

  bool plan() {
    for (Operation &op : span.ops())
      if (!visit(op))
        return false;
    for (memref::AllocOp alloc : allocs)
      if (!canAllocateBefore(alloc))
        return false;
    // What follows the span may use what could as well be computed in front of it.
    for (Operation &op : span.ops())
      for (Value result : op.getResults())
        for (Operation *user : result.getUsers())
          if (!span.contains(user) && !isa<memref::DeallocOp>(user)) {
            if (!isa<memref::AllocOp>(op) && !canMoveBefore(result))
              return false;
            usedAfter.push_back(result);
          }
    return true;
  }

  TeamSpan apply() {
    for (memref::AllocOp alloc : allocs)
      allocateBefore(alloc);
    for (Value value : usedAfter)
      moveBefore(value);
    for (memref::DeallocOp dealloc : deallocs)
      dealloc->moveAfter(span.last);
    for (Operation *op : singles)
      makeTask(op);
    return span;
  }

private:
  bool visit(Operation &op) {
    if (isa<scf::ForallOp>(op) || op.hasTrait<OpTrait::IsTerminator>())
      return true;
    if (isParallel(op)) {
      if (!isa<scf::ForOp, scf::IfOp>(op))
        return false;
      return llvm::all_of(op.getRegions(), [&](Region &region) {
        return llvm::all_of(region.getOps(), [&](Operation &inner) { return visit(inner); });
      });
    }
    if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
      allocs.push_back(alloc);
      return true;
    }
    if (auto dealloc = dyn_cast<memref::DeallocOp>(op)) {
      auto alloc = dealloc.getMemref().getDefiningOp<memref::AllocOp>();
      if (alloc && alloc->getBlock() == op.getBlock()) {
        deallocs.push_back(dealloc);
        return true;
      }
    }
    if (isPureInTeam(op))
      return true;
    singles.push_back(&op);
    return op.use_empty() && !isa<memref::AllocaOp>(op);
  }

  /// Memory of each round of a loop may become that of all rounds where it is freed at its end.
  bool canAllocateBefore(memref::AllocOp alloc) const {
    if (!llvm::all_of(alloc->getOperands(), [&](Value size) { return canMoveBefore(size); }))
      return false;
    if (alloc->getBlock() == span.first->getBlock())
      return true;
    bool isFreed = llvm::any_of(alloc->getUsers(), [&](Operation *user) {
      return isa<memref::DeallocOp>(user) && user->getBlock() == alloc->getBlock();
    });
    if (!isFreed)
      return false;
    for (Operation *above = alloc->getParentOp(); above != span.first->getParentOp();
         above = above->getParentOp())
      if (auto branch = dyn_cast<scf::IfOp>(above); branch && !canMoveBefore(branch.getCondition()))
        // Whether some round takes it isn't known: it is allocated in any case.
        return llvm::all_of(alloc->getOperands(), isSizeAnywhere);
    return true;
  }

  bool canMoveBefore(Value value) const {
    if (!span.contains(value))
      return true;
    Operation *op = value.getDefiningOp();
    return op && op->getNumRegions() == 0 && isPureInTeam(*op) &&
           llvm::all_of(op->getOperands(), [&](Value operand) {
             return canMoveBefore(operand) ||
                    (operand.getDefiningOp<memref::AllocOp>() && isa<memref::DimOp>(op));
           });
  }
  void moveBefore(Value value) {
    Operation *op = value.getDefiningOp();
    if (!span.contains(value) || isa<memref::AllocOp>(op))
      return;
    for (Value operand : op->getOperands())
      moveBefore(operand);
    op->moveBefore(span.first);
  }

  void allocateBefore(memref::AllocOp alloc) {
    for (Value size : alloc->getOperands())
      moveBefore(size);
    // A branch that isn't taken may have sizes that nothing has.
    SmallVector<std::pair<Value, bool>> conditions;
    Operation *child = alloc;
    for (Operation *above = alloc->getParentOp(); above != span.first->getParentOp();
         child = above, above = above->getParentOp())
      if (auto branch = dyn_cast<scf::IfOp>(above);
          branch && canMoveBefore(branch.getCondition())) {
        moveBefore(branch.getCondition());
        conditions.emplace_back(branch.getCondition(),
                                child->getParentRegion() == &branch.getThenRegion());
      }
    alloc->moveBefore(span.first);
    OpBuilder builder(alloc);
    Value zero;
    for (OpOperand &size : alloc->getOpOperands())
      for (auto [condition, isThen] : conditions) {
        if (!zero)
          zero = arith::ConstantIndexOp::create(builder, alloc.getLoc(), 0);
        Value kept = size.get();
        size.set(arith::SelectOp::create(builder, alloc.getLoc(), condition, isThen ? kept : zero,
                                         isThen ? zero : kept));
      }
  }

  /// Ops beside each other become one task.
  void makeTask(Operation *op) {
    OpBuilder builder(op);
    auto previous = dyn_cast_or_null<scf::ForallOp>(op->getPrevNode());
    if (!previous || !llvm::is_contained(made, previous)) {
      previous = scf::ForallOp::create(
          builder, op->getLoc(), ArrayRef<OpFoldResult>{builder.getIndexAttr(1)}, ValueRange{},
          std::nullopt,
          [](OpBuilder &body, Location loc, ValueRange) { scf::InParallelOp::create(body, loc); });
      made.push_back(previous);
    }
    op->moveBefore(previous.getBody()->getTerminator());
  }

  TeamSpan span;
  SmallVector<memref::AllocOp> allocs;
  SmallVector<memref::DeallocOp> deallocs;
  SmallVector<Operation *> singles;
  SmallVector<scf::ForallOp> made;
  SmallVector<Value> usedAfter;
};

} // namespace

static void formTeams(Block &block, SmallVectorImpl<TeamSpan> &spans) {
  SmallVector<Operation *> parallel;
  for (Operation &op : block)
    if (isParallel(op))
      parallel.push_back(&op);
  if (parallel.empty())
    return;
  SpanBuilder builder({parallel.front(), parallel.back()});
  if (builder.plan()) {
    spans.push_back(builder.apply());
    return;
  }
  // Else each loop by itself, and loops inside others.
  for (Operation *op : parallel) {
    SpanBuilder alone({op, op});
    if (alone.plan())
      spans.push_back(alone.apply());
    else
      for (Region &region : op->getRegions())
        for (Block &inner : region)
          formTeams(inner, spans);
  }
}

SmallVector<TeamSpan> heed::formTeams(func::FuncOp entry) {
  SmallVector<TeamSpan> spans;
  for (Block &block : entry.getBody())
    ::formTeams(block, spans);
  return spans;
}
