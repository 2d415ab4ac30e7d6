//===- SkipUnaskedRows.cpp - fewer rows in a loop's last round ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows first … n - 1 alone are read of what a loop over layers leaves. The rounds
// before the last hand all rows on, since keys and values are made of all. In the
// last one, whatever serves nothing but the rows read can do with these.
//
// One body does for all rounds: the row it begins with is `first` in the last round
// and 0 before. A copy of the body for the last round would double the code. Seen
// from the end of the body, all that the result is made of row by row is narrowed by
// RowNarrowing, until keys and values, which read all rows, or the carried tensor are
// met. The rows computed are put into the carried tensor; they are all of them except
// in the last round, of which nobody reads the others.
//
//===----------------------------------------------------------------------===//

#include "RowNarrowing.h"

#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define DEBUG_TYPE "attn-skip-unasked-rows"

namespace heed::attn {
#define GEN_PASS_DEF_SKIPUNASKEDROWSPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

namespace {

/// The rows of a tensor that somebody reads: those along `axis` from `first` on.
struct ReadRows {
  int64_t axis;
  Value first;
};

} // namespace

/// The rows that are read of `whole`, where slices of the same rows alone read it.
static std::optional<ReadRows> findReadRows(Value whole) {
  std::optional<ReadRows> read;
  for (Operation *user : whole.getUsers()) {
    auto slice = dyn_cast<tensor::ExtractSliceOp>(user);
    std::optional<int64_t> axis = slice ? rowAxisOf(slice) : std::nullopt;
    if (!axis)
      return std::nullopt;
    auto first = dyn_cast<Value>(slice.getMixedOffsets()[*axis]);
    if (!first || (read && (read->axis != *axis || read->first != first)))
      return std::nullopt;
    read = ReadRows{*axis, first};
  }
  return read;
}

/// Whether `value` is known in front of `op`.
static bool isKnownBefore(Value value, Operation *op) {
  if (isa<BlockArgument>(value) || value.getParentBlock() != op->getBlock())
    return true;
  return value.getDefiningOp()->isBeforeInBlock(op);
}

/// Whether `value` is `carried`, or what inner loops or sums of two made of it: residuals, which
/// `attn-add-destinations` leaves where they are.
static bool keepsMemoryOf(Value carried, Value value) {
  if (value == carried)
    return true;
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return false;
  if (auto loop = dyn_cast<scf::ForOp>(result.getOwner()))
    return keepsMemoryOf(carried, loop.getTiedLoopInit(result)->get());
  auto sum = dyn_cast<linalg::GenericOp>(result.getOwner());
  if (!sum || sum.getNumDpsInputs() != 2 || sum.getNumParallelLoops() != sum.getNumLoops() ||
      !isa<arith::AddFOp>(sum.getBody()->front()))
    return false;
  return llvm::any_of(sum.getInputs(), [&](Value input) { return keepsMemoryOf(carried, input); });
}

namespace {

struct SkipUnaskedRowsPass : heed::attn::impl::SkipUnaskedRowsPassBase<SkipUnaskedRowsPass> {
  void runOnOperation() override {
    for (Block &block : getOperation().getBody())
      narrowLoops(block);
  }

private:
  /// Narrows the loops in `block` of which only some rows are read. Backwards, as what is narrowed
  /// may read another loop's result.
  void narrowLoops(Block &block) {
    SmallVector<scf::ForOp> loops(block.getOps<scf::ForOp>());
    for (scf::ForOp loop : llvm::reverse(loops))
      for (OpResult result : loop.getResults())
        if (std::optional<ReadRows> read = findReadRows(result);
            read && isKnownBefore(read->first, loop))
          narrowRounds(loop, result.getResultNumber(), *read);
  }

  /// Lets the last round of `loop` compute only the rows `read` of its result `number`. Returns
  /// whether that was possible; where it wasn't, nothing has changed.
  bool narrowRounds(scf::ForOp loop, unsigned number, ReadRows read) {
    auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    auto made = dyn_cast<OpResult>(yield->getOperand(number));
    if (!made || made.getOwner()->getBlock() != loop.getBody() || !made.hasOneUse())
      return false;
    Operation *begin = &loop.getBody()->front();
    OpBuilder builder(begin);
    Value first = firstRow(builder, loop, read.first);
    bool isNarrowed;
    if (auto inner = dyn_cast<scf::ForOp>(made.getOwner())) {
      isNarrowed = narrowRounds(inner, made.getResultNumber(), {read.axis, first});
    } else {
      // The slice that reads the result begins at its end at most, so nothing wraps around.
      Location loc = loop.getLoc();
      Value all = getValueOrCreateConstantIndexOp(
          builder, loc, extentOf(builder, loc, loop.getRegionIterArg(number), read.axis));
      Value count =
          arith::SubIOp::create(builder, loc, all, first, arith::IntegerOverflowFlags::nuw);
      unsigned narrowed = computeRows(yield, number, read.axis, first, count);
      numNarrowed += narrowed;
      isNarrowed = narrowed > 0;
      numLoops += isNarrowed;
    }
    if (isNarrowed) {
      narrowLoops(*loop.getBody());
      return true;
    }
    while (begin->getPrevNode() && isOpTriviallyDead(begin->getPrevNode()))
      begin->getPrevNode()->erase();
    return false;
  }

  /// The row that a round begins with: `first` in the last one, else 0.
  static Value firstRow(OpBuilder &builder, scf::ForOp loop, Value first) {
    Location loc = loop.getLoc();
    auto isNotBelow = loop.getUnsignedCmp() ? arith::CmpIPredicate::uge : arith::CmpIPredicate::sge;
    Value next = arith::AddIOp::create(builder, loc, loop.getInductionVar(), loop.getStep());
    Value isLast = arith::CmpIOp::create(builder, loc, isNotBelow, next, loop.getUpperBound());
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    return arith::SelectOp::create(builder, loc, isLast, first, zero);
  }

  /// Computes `count` rows along `axis`, from `first` on, of what `yield` hands on as `number`, and
  /// puts them into the carried tensor. Returns how many ops compute fewer rows now; none where the
  /// rows aren't made one by one, and then nothing has changed.
  static unsigned computeRows(scf::YieldOp yield, unsigned number, int64_t axis, Value first,
                              Value count) {
    OpBuilder builder(yield);
    Value made = yield->getOperand(number);
    Value carried = cast<scf::ForOp>(yield->getParentOp()).getRegionIterArg(number);
    Location loc = made.getLoc();
    int64_t rank = cast<RankedTensorType>(made.getType()).getRank();
    SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0)), sizes,
        strides(rank, builder.getIndexAttr(1));
    offsets[axis] = first;
    for (int64_t other = 0; other < rank; ++other)
      sizes.push_back(other == axis ? OpFoldResult(count) : extentOf(builder, loc, made, other));
    auto rows = tensor::ExtractSliceOp::create(builder, loc, made, offsets, sizes, strides);
    auto put = tensor::InsertSliceOp::create(builder, loc, rows, carried, offsets, sizes, strides);
    yield->setOperand(number, put);

    SmallVector<Operation *> ops;
    for (Operation &op : yield->getBlock()->without_terminator())
      if (&op != rows && &op != put)
        ops.push_back(&op);
    RowNarrowing narrowing(rows, axis);
    unsigned narrowed =
        llvm::count_if(llvm::reverse(ops), [&](Operation *op) { return narrowing.moveAbove(op); });
    if (narrowed == 0) {
      yield->setOperand(number, made);
      put.erase();
      rows.erase();
      return 0;
    }
    // What a residual was before these rows are added is in the carried tensor's memory.
    Operation *latest = nullptr;
    for (Value source : narrowing.getSources())
      if (Operation *op = source.getDefiningOp();
          op && source.getType() == carried.getType() && op->getBlock() == yield->getBlock() &&
          (!latest || latest->isBeforeInBlock(op)) && keepsMemoryOf(carried, source)) {
        latest = op;
        put.getDestMutable().assign(source);
      }
    return narrowed;
  }
};

} // namespace
