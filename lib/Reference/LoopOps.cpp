//===- LoopOps.cpp - what func ops, scf's loops and branches mean ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed;
using namespace heed::reference;

/// The values that the slots hold: they are read before any is overwritten.
static SmallVector<reference::Value> valuesOf(const Frame &frame, ArrayRef<unsigned> slots) {
  SmallVector<reference::Value> values;
  for (unsigned slot : slots)
    values.push_back(frame[slot]);
  return values;
}

static void assign(Frame &frame, ArrayRef<unsigned> slots,
                   MutableArrayRef<reference::Value> values) {
  for (auto [slot, value] : llvm::zip_equal(slots, values))
    frame[slot] = std::move(value);
}

static LogicalResult call(Step &step) {
  StringRef callee = step.op<func::CallOp>().getCallee();
  FailureOr<const Code *> code = step.machine.code(callee, step.instruction.op);
  if (failed(code))
    return failure();
  FailureOr<SmallVector<reference::Value>> results =
      step.machine.call(**code, valuesOf(step.frame, step.instruction.operands));
  if (failed(results))
    return failure();
  assign(step.frame, step.instruction.results, *results);
  return success();
}

static LogicalResult runFor(Step &step) {
  auto loop = step.op<scf::ForOp>();
  FailureOr<SmallVector<int64_t>> bounds = step.integers(0, 3);
  if (failed(bounds))
    return failure();
  int64_t lower = (*bounds)[0], upper = (*bounds)[1], stride = (*bounds)[2];
  if (stride <= 0)
    return step.fail("its step is " + llvm::Twine(stride) + ", expected one above 0");
  const Body &body = step.instruction.bodies.front();
  ArrayRef<unsigned> carried = ArrayRef(body.arguments).drop_front();
  SmallVector<reference::Value> values =
      valuesOf(step.frame, ArrayRef(step.instruction.operands).drop_front(3));
  bool isUnsigned = loop.getUnsignedCmp();
  for (int64_t i = lower;
       isUnsigned ? static_cast<uint64_t>(i) < static_cast<uint64_t>(upper) : i < upper;) {
    step.frame[body.arguments.front()] = i;
    assign(step.frame, carried, values);
    if (failed(step.machine.run(body, step.frame)) ||
        failed(step.machine.spend(step.instruction.op, 1)))
      return failure();
    values = valuesOf(step.frame, body.yields());
    if (llvm::AddOverflow(i, stride, i))
      break;
  }
  assign(step.frame, step.instruction.results, values);
  return success();
}

static LogicalResult runIf(Step &step) {
  FailureOr<int64_t> condition = step.integer(0);
  if (failed(condition))
    return failure();
  const Body &body = step.instruction.bodies[*condition ? 0 : 1];
  if (failed(step.machine.run(body, step.frame)))
    return failure();
  SmallVector<reference::Value> values = valuesOf(step.frame, body.yields());
  assign(step.frame, step.instruction.results, values);
  return success();
}

static LogicalResult runWhile(Step &step) {
  const Body &before = step.instruction.bodies[0], &after = step.instruction.bodies[1];
  SmallVector<reference::Value> values = valuesOf(step.frame, step.instruction.operands);
  while (true) {
    assign(step.frame, before.arguments, values);
    if (failed(step.machine.run(before, step.frame)) ||
        failed(step.machine.spend(step.instruction.op, 1)))
      return failure();
    Step condition{step.machine, *before.terminator, step.frame};
    FailureOr<int64_t> goesOn = condition.integer(0);
    if (failed(goesOn))
      return failure();
    values = valuesOf(step.frame, before.yields().drop_front());
    if (!*goesOn)
      break;
    assign(step.frame, after.arguments, values);
    if (failed(step.machine.run(after, step.frame)))
      return failure();
    values = valuesOf(step.frame, after.yields());
  }
  assign(step.frame, step.instruction.results, values);
  return success();
}

static LogicalResult runRegion(Step &step) {
  const Body &body = step.instruction.bodies.front();
  if (failed(step.machine.run(body, step.frame)))
    return failure();
  SmallVector<reference::Value> values = valuesOf(step.frame, body.yields());
  assign(step.frame, step.instruction.results, values);
  return success();
}

void heed::reference::addFuncOps(OpTable &table) { table["func.call"] = {call}; }

void heed::reference::addLoopOps(OpTable &table) {
  table["scf.for"] = {runFor};
  table["scf.if"] = {runIf};
  table["scf.while"] = {runWhile};
  table["scf.execute_region"] = {runRegion};
}
