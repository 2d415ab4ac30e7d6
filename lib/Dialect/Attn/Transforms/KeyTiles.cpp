//===- KeyTiles.cpp - a task's loop over tiles of keys --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KeyTiles.h"

#include "KeyRanges.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

#include <tuple>

using namespace mlir;
using namespace heed::attn;

namespace {

/// Builds one task's loop.
class KeyTilesBuilder {
public:
  KeyTilesBuilder(Location loc, const KeyTilesTask &task, FoldKeys fold)
      : loc(loc), task(task), fold(fold) {}

  SmallVector<Value> build(OpBuilder &builder, ValueRange state) {
    IndexBuilder build(builder, loc);
    if (task.mask.empty())
      return buildRange(build, {build.constant(0), task.keys}, nullptr, state);
    PredicateClauses predicate(task.mask, task.mask.getArgument(1), task.mask.getArgument(2));
    Interval all{build.constant(0), build.add(task.keys, -1)};
    KeyRanges keys(build, predicate, {task.heads, task.rows, all}, task.keys, task.keyTile);
    ArrayRef<KeyRanges::Range> ranges = keys.getRanges();
    if (ranges.empty())
      return SmallVector<Value>(state);
    if (ranges.size() == 1)
      return buildRange(build, ranges.front(), &keys, state);
    // One body for all of them: kernels are large.
    auto loop = scf::ForOp::create(
        builder, loc, build.constant(0), build.constant(ranges.size()), build.constant(1), state,
        [&](OpBuilder &inLoop, Location, Value number, ValueRange carried) {
          IndexBuilder body(inLoop, loc);
          KeyRanges::Range range = ranges.back();
          for (size_t nth = ranges.size() - 1; nth-- > 0;) {
            Value isEarlier = body.lessOrEqual(number, body.constant(nth));
            range.from = body.select(isEarlier, ranges[nth].from, range.from);
            range.to = body.select(isEarlier, ranges[nth].to, range.to);
          }
          scf::YieldOp::create(inLoop, loc, buildRange(body, range, &keys, carried));
        });
    return SmallVector<Value>(loop.getResults());
  }

private:
  /// Folds the tiles of one range. Without `keys` everything is visible.
  SmallVector<Value> buildRange(IndexBuilder &build, KeyRanges::Range range, KeyRanges *keys,
                                ValueRange state) {
    bool fromStart = matchPattern(range.from, m_Zero());
    Value begin = build.alignDown(range.from, task.keyTile), stop = range.to;
    if (task.begin) {
      begin = build.max(begin, task.begin);
      stop = build.min(stop, task.end);
    }
    auto loop = scf::ForOp::create(
        build.getBuilder(), loc, begin, stop, build.constant(task.keyTile), state,
        [&](OpBuilder &inLoop, Location, Value start, ValueRange carried) {
          IndexBuilder body(inLoop, loc);
          Value from = task.step == 1 ? range.from : body.alignDown(range.from, task.step);
          Value first = fromStart ? start : body.max(start, from);
          Value end = body.min(body.add(start, task.keyTile), range.to);
          Value count = body.sub(end, first);
          SmallVector<Value> next = keys ? buildTile(body, *keys, first, end, count, carried)
                                         : fold(inLoop, first, count, /*masked=*/false, carried);
          scf::YieldOp::create(inLoop, loc, next);
        });
    return SmallVector<Value>(loop.getResults());
  }

  SmallVector<Value> buildTile(IndexBuilder &build, KeyRanges &keys, Value first, Value end,
                               Value count, ValueRange state) {
    KeyRanges::Class found = keys.classify(build, first, build.add(end, -1));
    Value any = found.may, all = found.must;
    if (!keys.isMustExact())
      std::tie(any, all) = evaluateIfUndecided(build, found, first, count);
    auto masked = [&](OpBuilder &builder) { return fold(builder, first, count, true, state); };
    auto maskedIfAny = [&](OpBuilder &builder) {
      if (keys.isMayExact())
        return masked(builder);
      return choose(builder, any, masked, [&](OpBuilder &) { return SmallVector<Value>(state); });
    };
    return choose(
        build.getBuilder(), all,
        [&](OpBuilder &builder) { return fold(builder, first, count, false, state); }, maskedIfAny);
  }

  using StateBuilder = function_ref<SmallVector<Value>(OpBuilder &)>;
  SmallVector<Value> choose(OpBuilder &builder, Value condition, StateBuilder then,
                            StateBuilder otherwise) {
    if (matchPattern(condition, m_Zero()))
      return otherwise(builder);
    if (matchPattern(condition, m_One()))
      return then(builder);
    auto branch = scf::IfOp::create(
        builder, loc, condition,
        [&](OpBuilder &inside, Location) { scf::YieldOp::create(inside, loc, then(inside)); },
        [&](OpBuilder &inside, Location) { scf::YieldOp::create(inside, loc, otherwise(inside)); });
    return SmallVector<Value>(branch.getResults());
  }

  /// Whether something and everything in the tile is visible, by the mask itself where intervals
  /// leave it open.
  std::pair<Value, Value> evaluateIfUndecided(IndexBuilder &build, KeyRanges::Class found,
                                              Value first, Value count) {
    OpBuilder &builder = build.getBuilder();
    Value isDecided = build.either(found.must, build.negation(found.may));
    auto evaluate = [&](OpBuilder &inside) -> SmallVector<Value> {
      auto classify = ClassifyKeysOp::create(inside, loc, builder.getI1Type(), builder.getI1Type(),
                                             task.headTable, task.rowTable, first, count);
      IRMapping mapping;
      task.mask.cloneInto(&classify.getMask(), mapping);
      return {classify.getAny(), classify.getAll()};
    };
    SmallVector<Value> classes = choose(
        builder, isDecided,
        [&](OpBuilder &) -> SmallVector<Value> { return {found.may, found.must}; }, evaluate);
    return {classes[0], classes[1]};
  }

  Location loc;
  const KeyTilesTask &task;
  FoldKeys fold;
};

} // namespace

KeySpan heed::attn::keysOfTiles(OpBuilder &builder, Location loc, const KeyTilesTask &task) {
  IndexBuilder build(builder, loc);
  if (task.mask.empty())
    return {build.constant(0), task.keys};
  PredicateClauses predicate(task.mask, task.mask.getArgument(1), task.mask.getArgument(2));
  Interval all{build.constant(0), build.add(task.keys, -1)};
  KeyRanges keys(build, predicate, {task.heads, task.rows, all}, task.keys, task.keyTile);
  KeyRanges::Range span{task.keys, build.constant(0)};
  for (const KeyRanges::Range &range : keys.getRanges()) // an empty one ends at 0
    span = {build.min(span.from, range.from), build.max(span.to, range.to)};
  Value begin = build.alignDown(span.from, task.keyTile);
  Value end = build.min(build.alignUp(span.to, task.keyTile), task.keys);
  return {begin, build.max(begin, end)};
}

SmallVector<Value> heed::attn::foldKeyTiles(OpBuilder &builder, Location loc,
                                            const KeyTilesTask &task, ValueRange state,
                                            FoldKeys fold) {
  return KeyTilesBuilder(loc, task, fold).build(builder, state);
}
