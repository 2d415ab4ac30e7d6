//===- MergeTasks.cpp - one parallel region for loops that may run together -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowBuffers.h"
#include "TaskAccesses.h"

#include "heed/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

#include <vector>

#define DEBUG_TYPE "heed-merge-tasks"

namespace heed {
#define GEN_PASS_DEF_MERGETASKSPASS
#include "heed/Transforms/Passes.h.inc"
} // namespace heed

using namespace mlir;
using namespace heed;

namespace {

/// A parallel loop or a copy between two ops that nothing may pass.
struct Unit {
  Operation *op;
  TaskAccesses accesses;
  bool isDone = false;

  scf::ForallOp loop() const { return dyn_cast<scf::ForallOp>(op); }
  bool isByRows() const { return loop() && accesses.rows; }
  /// The loop over a task's rows where a task does nothing else.
  scf::ForOp rowLoop() const {
    scf::ForOp rows;
    for (Operation &inner : loop().getBody()->without_terminator()) {
      auto nest = dyn_cast<scf::ForOp>(inner);
      bool isOverRows = nest && !rows && nest.getLowerBound() == accesses.chunkBegin &&
                        nest.getUpperBound() == accesses.chunkEnd && nest.getNumResults() == 0 &&
                        isConstantIntValue(nest.getStep(), 1);
      if (isOverRows)
        rows = nest;
      else if (!isMemoryEffectFree(&inner))
        return {};
    }
    return rows;
  }
  /// Its tasks are anything but chunks of rows, such as parts of a product.
  bool isByBlocks() const { return loop() && !isByRows(); }
  /// Whether a task whose chunk lies behind all rows would touch no memory: everything that does is
  /// in a loop over the chunk's rows.
  bool isIdleBeyondRows() const {
    if (loop().getDynamicUpperBound().size() != 1)
      return false;
    WalkResult result = loop().getBody()->walk<WalkOrder::PreOrder>([&](Operation *inner) {
      auto nest = dyn_cast<scf::ForOp>(inner);
      if (nest && nest.getLowerBound() == accesses.chunkBegin &&
          nest.getUpperBound() == accesses.chunkEnd)
        return WalkResult::skip();
      bool isIdle =
          inner->hasTrait<OpTrait::HasRecursiveMemoryEffects>() || isMemoryEffectFree(inner);
      return isIdle ? WalkResult::advance() : WalkResult::interrupt();
    });
    return !result.wasInterrupted();
  }
};

/// Orders the units of a stretch of a block anew, and merges those that may run together.
class Stretch {
public:
  explicit Stretch(std::vector<Unit> units, unsigned &numMerged)
      : units(std::move(units)), numMerged(numMerged) {}

  void schedule(Operation *end) {
    if (llvm::count_if(units, [](const Unit &unit) { return bool(unit.loop()); }) < 2)
      return;
    size_t left = units.size();
    while (left != 0) {
      SmallVector<size_t> group = nextGroup();
      left -= group.size();
      place(group, end);
    }
  }

private:
  /// Whether no unit that isn't done has to stay in front of unit `index`, those of `group` apart
  /// where rows keep them in order.
  bool isReady(size_t index, ArrayRef<size_t> group) const {
    const Unit &unit = units[index];
    for (size_t before = 0; before < index; ++before) {
      const Unit &other = units[before];
      if (other.isDone || !other.accesses.conflictsWith(unit.accesses))
        continue;
      if (!llvm::is_contained(group, before) || other.accesses.rows != unit.accesses.rows ||
          !other.accesses.conflictsByRow(unit.accesses))
        return false;
    }
    return true;
  }

  /// Whether two loops over rows can be one: their chunks are of the same rows, or a chunk beyond
  /// the rows of the one does nothing there.
  static bool mayShareTasks(const Unit &unit, const Unit &other) {
    if (unit.accesses.chunk != other.accesses.chunk)
      return false;
    return unit.accesses.rows == other.accesses.rows ||
           (unit.isIdleBeyondRows() && other.isIdleBeyondRows());
  }

  /// Copies come alone; then rows, with all that depends on them by rows; then blocks.
  SmallVector<size_t> nextGroup() const {
    SmallVector<size_t> ready, rows, blocks;
    for (size_t index = 0; index < units.size(); ++index) {
      const Unit &unit = units[index];
      if (unit.isDone || !isReady(index, {}))
        continue;
      if (!unit.loop())
        return {index};
      ready.push_back(index);
      if (unit.isByRows())
        rows.push_back(index);
      if (unit.isByBlocks())
        blocks.push_back(index);
    }
    for (size_t index : rows)
      if (SmallVector<size_t> group = rowsWith(index); !group.empty())
        return group;
    if (!blocks.empty())
      return blocks;
    auto other = llvm::find_if(ready, [&](size_t index) { return !units[index].isByRows(); });
    return {other == ready.end() ? ready.front() : *other};
  }

  /// The loops over rows that can run now together with `first`, without those that may as well
  /// wait: sums that begin at 0, say, for what is summed.
  SmallVector<size_t> rowsWith(size_t first) const {
    SmallVector<size_t> group;
    for (size_t index = 0; index < units.size(); ++index) {
      const Unit &unit = units[index];
      if (unit.isDone || !unit.isByRows() || !mayShareTasks(unit, units[first]) ||
          !isReady(index, group))
        continue;
      // Behind the last over the same rows, as they are joined row by row.
      auto place = llvm::find_if(llvm::reverse(group), [&](size_t other) {
        return units[other].accesses.rows == unit.accesses.rows;
      });
      group.insert(place == group.rend() ? group.end() : place.base(), index);
    }
    for (size_t place = group.size(); place-- > 0;)
      if (canWait(group[place], group))
        group.erase(group.begin() + place);
    return group;
  }

  /// Whether a loop over rows that isn't of `group` is the first to need what `index` does, so that
  /// both can be one loop later, and nobody in the group needs it.
  bool canWait(size_t index, ArrayRef<size_t> group) const {
    const Unit &unit = units[index];
    const Unit *first = nullptr;
    for (size_t later = index + 1; later < units.size(); ++later) {
      const Unit &other = units[later];
      if (other.isDone || !other.accesses.conflictsWith(unit.accesses))
        continue;
      if (llvm::is_contained(group, later))
        return false;
      if (!first)
        first = &other;
    }
    return first && first->isByRows() && first->accesses.rows == unit.accesses.rows &&
           first->accesses.chunk == unit.accesses.chunk &&
           first->accesses.conflictsByRow(unit.accesses);
  }

  void place(ArrayRef<size_t> group, Operation *end) {
    // Whatever they need stands in front of the end already, and nobody needs a result of theirs.
    for (size_t index : group) {
      units[index].op->moveBefore(end);
      units[index].isDone = true;
    }
    if (group.size() == 1)
      return;
    if (units[group.front()].isByRows())
      mergeRows(group);
    else
      mergeBlocks(group);
    numMerged += group.size() - 1;
  }

  /// The bodies one after the other, row by row where tasks are loops over rows, else task by task.
  void mergeRows(ArrayRef<size_t> group) {
    const Unit &front = units[group.front()];
    scf::ForallOp first = front.loop();
    scf::ForOp rowLoop = front.rowLoop();
    Value rows = front.accesses.rows;
    Operation *terminator = first.getBody()->getTerminator();
    for (size_t index : group.drop_front()) {
      const Unit &unit = units[index];
      scf::ForallOp loop = unit.loop();
      scf::ForOp ownRows = unit.rowLoop();
      IRMapping mapping;
      mapping.map(loop.getInductionVar(0), first.getInductionVar(0));
      bool isJoined = rowLoop && ownRows && unit.accesses.rows == rows;
      OpBuilder builder(isJoined ? rowLoop.getOperation() : terminator);
      for (Operation &op : loop.getBody()->without_terminator())
        if (!isJoined || &op != ownRows)
          builder.clone(op, mapping);
      if (isJoined) {
        mapping.map(ownRows.getInductionVar(), rowLoop.getInductionVar());
        OpBuilder inRow = OpBuilder::atBlockTerminator(rowLoop.getBody());
        for (Operation &op : ownRows.getBody()->without_terminator())
          inRow.clone(op, mapping);
      } else {
        rowLoop = ownRows ? cast<scf::ForOp>(mapping.lookup(ownRows)) : scf::ForOp();
      }
      // The bodies see what was defined between the loops.
      first->moveBefore(loop);
      if (unit.accesses.rows != rows) {
        OpBuilder outside(first);
        Value most = arith::MaxUIOp::create(outside, loop.getLoc(), first.getDynamicUpperBound()[0],
                                            loop.getDynamicUpperBound()[0]);
        first.getDynamicUpperBoundMutable().assign(most);
        rows = unit.accesses.rows;
      }
      loop.erase();
    }
  }

  /// The tasks of the one behind those of the other.
  void mergeBlocks(ArrayRef<size_t> group) {
    scf::ForallOp last = units[group.back()].loop();
    OpBuilder builder(last);
    Location loc = last.getLoc();
    // Where the tasks of each loop end.
    SmallVector<OpFoldResult> ends;
    OpFoldResult before = builder.getIndexAttr(0);
    for (size_t index : group)
      ends.push_back(before = add(builder, loc, before, tasksOf(builder, units[index].loop())));
    scf::ForallOp::create(
        builder, loc, ArrayRef<OpFoldResult>{ends.back()}, ValueRange{}, std::nullopt,
        [&](OpBuilder &body, Location, ValueRange args) {
          OpBuilder inside = body;
          OpFoldResult begin = builder.getIndexAttr(0);
          for (auto [index, end] : llvm::zip_equal(group, ends)) {
            OpBuilder target = inside;
            if (index != group.back()) {
              Value isOwn =
                  arith::CmpIOp::create(inside, loc, arith::CmpIPredicate::ult, args[0],
                                        getValueOrCreateConstantIndexOp(inside, loc, end));
              auto branch = scf::IfOp::create(inside, loc, isOwn, /*withElseRegion=*/true);
              target = branch.getThenBodyBuilder();
              inside = branch.getElseBodyBuilder();
            }
            Value number = args[0];
            if (index != group.front())
              number = arith::SubIOp::create(target, loc, number,
                                             getValueOrCreateConstantIndexOp(target, loc, begin));
            cloneTask(target, units[index].loop(), number);
            begin = end;
          }
          scf::InParallelOp::create(body, loc);
        });
    for (size_t index : group)
      units[index].loop().erase();
  }

  static OpFoldResult tasksOf(OpBuilder &builder, scf::ForallOp loop) {
    Location loc = loop.getLoc();
    if (loop.getDynamicUpperBound().empty())
      return builder.getIndexAttr(llvm::product_of(loop.getStaticUpperBound()));
    SmallVector<Value> extents = loop.getUpperBound(builder);
    Value count = extents.front();
    for (Value extent : llvm::drop_begin(extents))
      count = arith::MulIOp::create(builder, loc, count, extent);
    return count;
  }
  static OpFoldResult add(OpBuilder &builder, Location loc, OpFoldResult lhs, OpFoldResult rhs) {
    std::optional<int64_t> left = getConstantIntValue(lhs), right = getConstantIntValue(rhs);
    if (left && right)
      return builder.getIndexAttr(*left + *right);
    if (left == 0)
      return rhs;
    return arith::AddIOp::create(builder, loc, getValueOrCreateConstantIndexOp(builder, loc, lhs),
                                 getValueOrCreateConstantIndexOp(builder, loc, rhs))
        .getResult();
  }

  /// The body of `loop` for its task `number`, the last index running fastest.
  static void cloneTask(OpBuilder &builder, scf::ForallOp loop, Value number) {
    Location loc = loop.getLoc();
    IRMapping mapping;
    SmallVector<OpFoldResult> extents = loop.getMixedUpperBound();
    for (int64_t axis = loop.getRank() - 1; axis > 0; --axis) {
      Value extent = getValueOrCreateConstantIndexOp(builder, loc, extents[axis]);
      mapping.map(loop.getInductionVar(axis), arith::RemUIOp::create(builder, loc, number, extent));
      number = arith::DivUIOp::create(builder, loc, number, extent);
    }
    mapping.map(loop.getInductionVar(0), number);
    for (Operation &op : loop.getBody()->without_terminator())
      builder.clone(op, mapping);
  }

  std::vector<Unit> units;
  unsigned &numMerged;
};

struct MergeTasksPass : heed::impl::MergeTasksPassBase<MergeTasksPass> {
  using MergeTasksPassBase::MergeTasksPassBase;

  void runOnOperation() override {
    SmallVector<Block *> blocks;
    getOperation()->walk([&](scf::ForallOp loop) {
      if (!loop->getParentOfType<scf::ForallOp>() && !llvm::is_contained(blocks, loop->getBlock()))
        blocks.push_back(loop->getBlock());
    });
    unsigned merged = 0;
    for (Block *block : blocks)
      runOnBlock(*block, merged);
    numMerged += merged;
    numShrunk += shrinkToRows(getOperation());
  }

private:
  static void runOnBlock(Block &block, unsigned &merged) {
    std::vector<Unit> units;
    auto finish = [&](Operation *end) {
      Stretch(std::move(units), merged).schedule(end);
      units.clear();
    };
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (isa<scf::ForallOp, memref::CopyOp>(op)) {
        if (std::optional<TaskAccesses> accesses = TaskAccesses::of(&op)) {
          units.push_back({&op, std::move(*accesses)});
          continue;
        }
      } else if (isa<memref::AllocOp>(op) || isMemoryEffectFree(&op)) {
        if (!op.hasTrait<OpTrait::IsTerminator>())
          continue;
      }
      finish(&op);
    }
  }
};

} // namespace
