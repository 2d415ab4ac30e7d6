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
#include "ScalarBody.h"
#include "Views.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace heed::reference;

namespace {

constexpr unsigned kNone = ~0u;

/// What is the same each time that the op runs.
struct LoopNest {
  struct Operand {
    IndexedAccess access;
    bool isFloat;
    unsigned argument; ///< the number of its block argument, or kNone where nobody reads it
  };
  std::vector<Operand> operands;
  unsigned numLoops = 0, numInputs = 0;
  int64_t lastBentLoop = -1; ///< of all operands
  bool hasTensorSemantics = false;
  std::optional<ScalarBody> scalars; ///< the region, where it is that simple
};

/// One operand while the op runs.
struct Cursor {
  const LoopNest::Operand *operand = nullptr;
  Array array; ///< for a scalar, of rank 0
  IndexedAccess::Walk walk;
  Scalar *elements = nullptr;   ///< of the array
  int64_t linear = 0, bent = 0; ///< what the map's linear and other results make of the indices

  Scalar &element() const { return elements[linear + bent]; }
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
      return machine.failUnknown(op, "the evaluator knows maps without symbols only");
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    unsigned number = argument && !argument.use_empty() ? argument.getArgNumber() : kNone;
    nest->operands.push_back({IndexedAccess(map),
                              isa<FloatType>(getElementTypeOrSelf(operand.get().getType())),
                              number});
    nest->lastBentLoop = std::max(nest->lastBentLoop, nest->operands.back().access.lastBentLoop());
  }
  nest->scalars = ScalarBody::of(body);
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

/// Sets the bent places of operands after loop `changed` and those inside of it were moved.
LogicalResult bend(Step &step, MutableArrayRef<Cursor> cursors, ArrayRef<int64_t> indices,
                   int64_t changed) {
  for (auto [number, cursor] : llvm::enumerate(cursors)) {
    const IndexedAccess &access = cursor.operand->access;
    if (access.lastBentLoop() < changed)
      continue;
    std::optional<int64_t> place = access.bentPlace(cursor.array, indices);
    if (!place)
      return outside(step, number, cursor);
    cursor.bent = *place;
  }
  return success();
}

/// Moves to the next element. Returns the outermost loop that moved, or -1 after the last element.
int64_t advance(MutableArrayRef<Cursor> cursors, MutableArrayRef<int64_t> indices,
                ArrayRef<int64_t> counts) {
  for (int64_t loop = counts.size(); loop-- > 0;) {
    bool wraps = ++indices[loop] == counts[loop];
    for (Cursor &cursor : cursors)
      cursor.linear += cursor.walk.strides[loop] * (wraps ? 1 - counts[loop] : 1);
    if (!wraps)
      return loop;
    indices[loop] = 0;
  }
  return -1;
}

/// Runs the region for one element of the nest.
LogicalResult runElement(Step &step, const LoopNest &nest, MutableArrayRef<Cursor> cursors) {
  Frame &frame = step.frame;
  const Body &body = step.instruction.bodies.front();
  for (const Cursor &cursor : cursors)
    if (cursor.operand->argument != kNone)
      frame[body.arguments[cursor.operand->argument]] =
          toValue(cursor.element(), cursor.operand->isFloat);
  if (failed(step.machine.run(body, frame)))
    return failure();
  for (auto [number, slot] : llvm::enumerate(body.yields())) {
    cursors[nest.numInputs + number].element() = toScalar(frame[slot]);
  }
  return success();
}

/// The same for a region of scalars.
LogicalResult runElement(Step &step, const LoopNest &nest, MutableArrayRef<Cursor> cursors,
                         MutableArrayRef<Scalar> registers, ArrayRef<int64_t> indices) {
  for (const Cursor &cursor : cursors)
    if (cursor.operand->argument != kNone)
      registers[nest.scalars->argument(cursor.operand->argument)] = cursor.element();
  if (failed(nest.scalars->run(step.machine, registers, indices)))
    return failure();
  for (unsigned number = 0; number != cursors.size() - nest.numInputs; ++number)
    cursors[nest.numInputs + number].element() = registers[nest.scalars->yielded(number)];
  return success();
}

/// Runs the region for every element of the nest.
LogicalResult runElements(Step &step, const LoopNest &nest, MutableArrayRef<Cursor> cursors,
                          ArrayRef<int64_t> counts) {
  SmallVector<int64_t> indices(counts.size(), 0);
  if (llvm::is_contained(counts, 0))
    return success();
  std::vector<Scalar> registers;
  if (nest.scalars)
    registers = nest.scalars->registers(step.frame);
  ArrayRef<int64_t> outer = std::exchange(step.machine.loopIndices, indices);
  LogicalResult ran = success();
  for (int64_t changed = 0; changed >= 0; changed = advance(cursors, indices, counts)) {
    if (changed <= nest.lastBentLoop)
      ran = bend(step, cursors, indices, changed);
    if (succeeded(ran))
      ran = nest.scalars ? runElement(step, nest, cursors, registers, indices)
                         : runElement(step, nest, cursors);
    if (failed(ran) || failed(ran = step.machine.spend(step.instruction.op, 1)))
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
    if (!llvm::is_contained(*counts, 0)) {
      std::optional<IndexedAccess::Walk> walk = operand.access.walk(cursor.array, *counts);
      if (!walk)
        return outside(step, number, cursor);
      cursor.linear = walk->start;
      cursor.walk = std::move(*walk);
    }
    cursor.elements = cursor.array.storage->data();
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
