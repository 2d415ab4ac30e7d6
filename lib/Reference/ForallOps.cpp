//===- ForallOps.cpp - what scf's parallel loop means ---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Threads see the shared outputs as they were before the loop, and the parts that
// they insert must not overlap: the order in which they run has no meaning.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Views.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heed::reference;

namespace {

/// One shared output, and which of its elements a thread wrote.
struct Output {
  Array array;
  Array isWritten;

  explicit Output(const Array &initial)
      : array(initial.clone()),
        isWritten(Array::filled(initial.element, initial.shape, Scalar(int64_t{0}))) {}
};

LogicalResult insertInParallel(Step &step, MutableArrayRef<Output> outputs,
                               ArrayRef<unsigned> sharedSlots) {
  auto insert = dyn_cast<tensor::ParallelInsertSliceOp>(step.instruction.op);
  if (!insert)
    return step.failUnknown("the evaluator doesn't know this op in scf.forall.in_parallel");
  auto shared = llvm::find(sharedSlots, step.instruction.operands[1]);
  if (shared == sharedSlots.end())
    return step.fail("inserts into what is no shared output of the loop");
  Output &output = outputs[shared - sharedSlots.begin()];
  unsigned first = 2;
  FailureOr<SmallVector<int64_t>> offsets = step.mixed(insert.getStaticOffsets(), first);
  first += insert.getOffsets().size();
  FailureOr<SmallVector<int64_t>> sizes = step.mixed(insert.getStaticSizes(), first);
  first += insert.getSizes().size();
  FailureOr<SmallVector<int64_t>> strides = step.mixed(insert.getStaticStrides(), first);
  if (failed(offsets) || failed(sizes) || failed(strides))
    return failure();
  const Array &source = step.array(0);
  std::optional<Array> target = sliced(output.array, *offsets, *sizes, *strides);
  if (!target || elementCount(*sizes) != source.numElements())
    return step.fail("inserts " + listText(source.shape) + " as " + listText(*sizes) + " at " +
                     listText(*offsets) + " of " + listText(output.array.shape));
  Array written = *sliced(output.isWritten, *offsets, *sizes, *strides);
  bool overlaps = false;
  forEachElement(written, [&](Scalar &flag) {
    overlaps |= flag.asInt() != 0;
    flag = Scalar(int64_t{1});
  });
  if (overlaps)
    return step.fail("writes elements at " + listText(*offsets) +
                     " that another thread of the loop wrote");
  copyElements(source, *target);
  return success();
}

LogicalResult runForall(Step &step) {
  auto loop = step.op<scf::ForallOp>();
  unsigned first = 0;
  FailureOr<SmallVector<int64_t>> lower = step.mixed(loop.getStaticLowerBound(), first);
  first += loop.getDynamicLowerBound().size();
  FailureOr<SmallVector<int64_t>> upper = step.mixed(loop.getStaticUpperBound(), first);
  first += loop.getDynamicUpperBound().size();
  FailureOr<SmallVector<int64_t>> strides = step.mixed(loop.getStaticStep(), first);
  first += loop.getDynamicStep().size();
  if (failed(lower) || failed(upper) || failed(strides))
    return failure();
  SmallVector<int64_t> counts;
  for (auto [from, to, stride] : llvm::zip_equal(*lower, *upper, *strides)) {
    if (stride <= 0)
      return step.fail("a step is " + llvm::Twine(stride) + ", expected one above 0");
    int64_t distance = 0;
    if (to > from && llvm::SubOverflow(to, from, distance))
      return step.fail("runs from " + llvm::Twine(from) + " to " + llvm::Twine(to));
    counts.push_back(distance == 0 ? 0 : (distance - 1) / stride + 1);
  }

  const Body &body = step.instruction.bodies.front();
  ArrayRef<unsigned> shared = ArrayRef(body.arguments).drop_front(counts.size());
  std::vector<Output> outputs;
  for (auto [number, slot] : llvm::enumerate(shared)) {
    outputs.emplace_back(step.array(first + number));
    step.frame[slot] = step.array(first + number);
  }
  bool ran = forEachIndex(counts, [&](ArrayRef<int64_t> thread) {
    for (size_t axis = 0; axis != counts.size(); ++axis)
      step.frame[body.arguments[axis]] = (*lower)[axis] + thread[axis] * (*strides)[axis];
    if (failed(step.machine.run(body, step.frame)) ||
        failed(step.machine.spend(step.instruction.op, 1)))
      return false;
    for (const Body &inParallel : body.terminator->bodies)
      for (const Instruction &insert : inParallel.instructions) {
        Step insertStep{step.machine, insert, step.frame};
        if (failed(insertInParallel(insertStep, outputs, shared)))
          return false;
      }
    return true;
  });
  if (!ran)
    return failure();
  for (auto [number, output] : llvm::enumerate(outputs))
    step.set(std::move(output.array), number);
  return success();
}

} // namespace

void heed::reference::addForallOps(OpTable &table) { table["scf.forall"] = {runForall}; }
