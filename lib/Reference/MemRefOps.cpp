//===- MemRefOps.cpp - what memref ops mean -------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Views.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace heed::reference;

static LogicalResult allocate(Step &step) {
  auto type = cast<MemRefType>(step.instruction.op->getResult(0).getType());
  if (!type.getLayout().isIdentity())
    return step.fail("the evaluator allocates row-major memory only");
  if (!type.getElementType().isIntOrIndexOrFloat())
    return step.fail("the evaluator knows memory of numbers only");
  FailureOr<SmallVector<int64_t>> shape = step.shape(type, 0);
  if (failed(shape))
    return failure();
  step.set(Array::uninitialised(type.getElementType(), *shape));
  return success();
}

static LogicalResult load(Step &step) {
  const Array &array = step.array(0);
  SmallVector<int64_t, 4> indices;
  for (unsigned operand = 1; operand != step.instruction.operands.size(); ++operand) {
    FailureOr<int64_t> index = step.integer(operand);
    if (failed(index))
      return failure();
    indices.push_back(*index);
  }
  if (!array.contains(indices))
    return step.fail("reads " + listText(indices) + " of " + listText(array.shape));
  step.setScalar(array.at(indices), step.instruction.resultFormat.isFloat());
  return success();
}

static LogicalResult store(Step &step) {
  const Array &array = step.array(1);
  FailureOr<SmallVector<int64_t>> indices = step.integers(2, step.instruction.operands.size() - 2);
  if (failed(indices))
    return failure();
  if (!array.contains(*indices))
    return step.fail("writes " + listText(*indices) + " of " + listText(array.shape));
  array.at(*indices) = toScalar(step.value(0));
  return success();
}

static LogicalResult copy(Step &step) {
  const Array &source = step.array(0), &target = step.array(1);
  if (source.shape != target.shape)
    return step.fail("copies " + listText(source.shape) + " to " + listText(target.shape));
  copyElements(source, target);
  return success();
}

static LogicalResult reinterpret(Step &step) {
  auto op = step.op<memref::ReinterpretCastOp>();
  unsigned first = 1;
  FailureOr<SmallVector<int64_t>> offsets = step.mixed(op.getStaticOffsets(), first);
  first += op.getOffsets().size();
  FailureOr<SmallVector<int64_t>> sizes = step.mixed(op.getStaticSizes(), first);
  first += op.getSizes().size();
  FailureOr<SmallVector<int64_t>> strides = step.mixed(op.getStaticStrides(), first);
  if (failed(offsets) || failed(sizes) || failed(strides))
    return failure();
  Array view = step.array(0);
  int64_t memory = view.storage->size();
  // The last element's place; the first is the offset.
  int64_t last = offsets->front();
  bool isEmpty = false, fits = last >= 0 && last <= memory;
  for (auto [size, stride] : llvm::zip_equal(*sizes, *strides)) {
    fits = fits && size >= 0 && size <= std::max<int64_t>(memory, 1) && stride >= 0 &&
           stride <= std::max<int64_t>(memory, 1);
    isEmpty |= size == 0;
    if (fits && size > 0)
      last += (size - 1) * stride;
    fits = fits && last <= memory;
  }
  if (!fits || (!isEmpty && last >= memory))
    return step.fail("takes " + listText(*sizes) + " with strides " + listText(*strides) + " at " +
                     llvm::Twine(offsets->front()) + " of memory of " + llvm::Twine(memory) +
                     " elements");
  view.offset = offsets->front();
  view.shape.assign(sizes->begin(), sizes->end());
  view.strides.assign(strides->begin(), strides->end());
  step.set(std::move(view));
  return success();
}

static LogicalResult same(Step &step) {
  step.set(step.array(0));
  return success();
}

void heed::reference::addMemRefOps(OpTable &table) {
  table["memref.alloc"] = {allocate};
  table["memref.alloca"] = {allocate};
  table["memref.load"] = {load};
  table["memref.store"] = {store};
  table["memref.copy"] = {copy};
  table["memref.reinterpret_cast"] = {reinterpret};
  table["memref.assume_alignment"] = {same};
}
