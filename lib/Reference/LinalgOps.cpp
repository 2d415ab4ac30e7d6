//===- LinalgOps.cpp - what linalg ops mean -------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All of them, generic or named, are a loop nest, a map for each operand, and a
// region for each element; that is what the interface gives.
//
//===----------------------------------------------------------------------===//

#include "IndexedAccess.h"
#include "Machine.h"
#include "Views.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace heed::reference;

namespace {

constexpr unsigned kNoSlot = ~0u;

/// What is the same each time that the op runs.
struct LoopNest {
  struct Operand {
    IndexedAccess access;
    bool isFloat;
    unsigned argument; ///< the slot of its block argument, or kNoSlot where nobody reads it
  };
  SmallVector<Operand> operands;
  unsigned numLoops = 0, numInputs = 0;
  bool hasTensorSemantics = false;
};

/// One operand while the op runs.
struct Cursor {
  const LoopNest::Operand *operand = nullptr;
  Array array; ///< for a scalar, of rank 0
  bool isLinear = false;
  int64_t place = 0;
  SmallVector<int64_t, 6> strides;
};

LogicalResult prepareLoopNest(Machine &machine, Instruction &instruction) {
  auto op = cast<linalg::LinalgOp>(instruction.op);
  auto nest = std::make_shared<LoopNest>();
  nest->numLoops = op.getNumLoops();
  nest->numInputs = op.getNumDpsInputs();
  nest->hasTensorSemantics = op.hasPureTensorSemantics();
  const Body &body = instruction.bodies.front();
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (map.getNumSymbols() != 0)
      return machine.fail(op, "the evaluator knows maps without symbols only");
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    unsigned slot =
        argument && !argument.use_empty() ? body.arguments[argument.getArgNumber()] : kNoSlot;
    nest->operands.push_back(
        {IndexedAccess(map), isa<FloatType>(getElementTypeOrSelf(operand.get().getType())), slot});
  }
  instruction.prepared = std::move(nest);
  return success();
}

/// How often each loop runs: the sizes that the maps name, which must agree.
FailureOr<SmallVector<int64_t>> loopCounts(Step &step, const LoopNest &nest) {
  SmallVector<int64_t> counts(nest.numLoops, -1);
  for (auto [number, operand] : llvm::enumerate(nest.operands)) {
    const Array *array = std::get_if<Array>(&step.value(number));
    if (!array)
      continue;
    for (auto [axis, expr] : llvm::enumerate(operand.access.getMap().getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        continue;
      int64_t &count = counts[dim.getPosition()];
      if (count >= 0 && count != array->shape[axis])
        return step.fail("operand " + llvm::Twine(number) + " has size " +
                         llvm::Twine(array->shape[axis]) + " along loop " +
                         llvm::Twine(dim.getPosition()) + ", and another has " +
                         llvm::Twine(count));
      count = array->shape[axis];
    }
  }
  for (auto [loop, count] : llvm::enumerate(counts))
    if (count < 0)
      return step.fail("no operand says how often loop " + llvm::Twine(loop) + " runs");
  return counts;
}

LogicalResult outside(Step &step, size_t operand, const Cursor &cursor) {
  return step.fail("operand " + llvm::Twine(operand) + " is accessed outside of its shape " +
                   listText(cursor.array.shape));
}

/// Sets `cursor` up for a walk over `counts` loops.
LogicalResult start(Step &step, size_t number, Cursor &cursor, ArrayRef<int64_t> counts) {
  const IndexedAccess &access = cursor.operand->access;
  cursor.isLinear = access.isLinear();
  if (!cursor.isLinear)
    return success();
  std::optional<IndexedAccess::Walk> walk = access.walk(cursor.array, counts);
  if (!walk)
    return outside(step, number, cursor);
  cursor.place = walk->start;
  cursor.strides = std::move(walk->strides);
  return success();
}

/// Runs the region for one element of the nest.
LogicalResult runElement(Step &step, const LoopNest &nest, MutableArrayRef<Cursor> cursors,
                         ArrayRef<int64_t> indices) {
  Frame &frame = step.frame;
  for (auto [number, cursor] : llvm::enumerate(cursors)) {
    if (!cursor.isLinear) {
      std::optional<int64_t> place = cursor.operand->access.place(cursor.array, indices);
      if (!place)
        return outside(step, number, cursor);
      cursor.place = *place;
    }
    if (cursor.operand->argument != kNoSlot)
      frame[cursor.operand->argument] =
          toValue((*cursor.array.storage)[cursor.place], cursor.operand->isFloat);
  }
  const Body &body = step.instruction.bodies.front();
  if (failed(step.machine.run(body, frame)))
    return failure();
  for (auto [number, slot] : llvm::enumerate(body.yields())) {
    Cursor &output = cursors[nest.numInputs + number];
    (*output.array.storage)[output.place] = toScalar(frame[slot]);
  }
  return success();
}

/// Runs the region for every element of the nest.
LogicalResult runElements(Step &step, const LoopNest &nest, MutableArrayRef<Cursor> cursors,
                          ArrayRef<int64_t> counts) {
  SmallVector<int64_t> indices(counts.size(), 0);
  if (llvm::is_contained(counts, 0))
    return success();
  ArrayRef<int64_t> outer = std::exchange(step.machine.loopIndices, indices);
  LogicalResult ran = success();
  while (succeeded(ran = runElement(step, nest, cursors, indices)) &&
         succeeded(ran = step.machine.spend(step.instruction.op, 1))) {
    size_t loop = counts.size();
    for (; loop > 0; --loop) {
      bool wraps = ++indices[loop - 1] == counts[loop - 1];
      for (Cursor &cursor : cursors)
        if (cursor.isLinear)
          cursor.place += cursor.strides[loop - 1] * (wraps ? 1 - counts[loop - 1] : 1);
      if (!wraps)
        break;
      indices[loop - 1] = 0;
    }
    if (loop == 0)
      break;
  }
  step.machine.loopIndices = outer;
  return ran;
}

LogicalResult runLinalg(Step &step) {
  const auto &nest = step.instruction.preparedAs<LoopNest>();
  FailureOr<SmallVector<int64_t>> counts = loopCounts(step, nest);
  if (failed(counts))
    return failure();
  std::vector<Cursor> cursors;
  for (auto [number, operand] : llvm::enumerate(nest.operands)) {
    Cursor cursor;
    cursor.operand = &operand;
    if (const Array *array = std::get_if<Array>(&step.value(number)))
      cursor.array = *array;
    else
      cursor.array = Array::filled(step.instruction.op->getOperand(number).getType(), {},
                                   toScalar(step.value(number)));
    if (number >= nest.numInputs && nest.hasTensorSemantics)
      cursor.array = cursor.array.clone();
    if (!llvm::is_contained(*counts, 0) && failed(start(step, number, cursor, *counts)))
      return failure();
    cursors.push_back(std::move(cursor));
  }
  if (failed(runElements(step, nest, cursors, *counts)))
    return failure();
  for (unsigned result = 0; result != step.instruction.results.size(); ++result)
    step.set(cursors[nest.numInputs + result].array, result);
  return success();
}

LogicalResult loopIndex(Step &step) {
  uint64_t dim = step.op<linalg::IndexOp>().getDim();
  if (dim >= step.machine.loopIndices.size())
    return step.fail("there is no loop " + llvm::Twine(dim) + " around it");
  step.set(step.machine.loopIndices[dim]);
  return success();
}

} // namespace

void heed::reference::addLinalgOps(OpTable &table) {
  for (StringRef name : {"generic",
                         "fill",
                         "copy",
                         "transpose",
                         "broadcast",
                         "map",
                         "reduce",
                         "elementwise",
                         "add",
                         "sub",
                         "mul",
                         "div",
                         "exp",
                         "log",
                         "abs",
                         "ceil",
                         "floor",
                         "negf",
                         "max",
                         "min",
                         "dot",
                         "matvec",
                         "vecmat",
                         "matmul",
                         "matmul_transpose_a",
                         "matmul_transpose_b",
                         "batch_matmul",
                         "batch_matmul_transpose_a",
                         "batch_matmul_transpose_b",
                         "batch_matvec",
                         "batch_vecmat",
                         "contract",
                         "batch_reduce_matmul"})
    table[("linalg." + name).str()] = {runLinalg, nullptr, prepareLoopNest};
  table["linalg.index"] = {loopIndex};
}
