//===- MemRefOps.cpp - what memref ops mean -------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Part.h"
#include "Views.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace heed::reference;

static LogicalResult allocate(Step &step) {
  auto type = cast<MemRefType>(step.instruction.op->getResult(0).getType());
  if (!type.getLayout().isIdentity())
    return step.fail("the evaluator allocates row-major memory only");
  if (!type.getElementType().isIntOrIndexOrFloat())
    return step.failUnknown("the evaluator knows memory of numbers only");
  FailureOr<SmallVector<int64_t>> shape = step.shape(type, 0);
  if (failed(shape))
    return failure();
  step.set(Array::uninitialised(type.getElementType(), *shape));
  return success();
}

static LogicalResult load(Step &step) {
  FailureOr<Scalar *> element = step.element(step.array(0), 1, "reads");
  if (failed(element))
    return failure();
  step.setScalar(**element, step.instruction.resultFormat.isFloat());
  return success();
}

static LogicalResult store(Step &step) {
  FailureOr<Scalar *> element = step.element(step.array(1), 2, "writes");
  if (failed(element))
    return failure();
  **element = toScalar(step.value(0));
  return success();
}

/// Asks for memory early, which changes nothing.
static LogicalResult prefetch(Step &) { return success(); }

static LogicalResult copy(Step &step) {
  const Array &source = step.array(0), &target = step.array(1);
  if (source.shape != target.shape)
    return step.fail("copies " + listText(source.shape) + " to " + listText(target.shape));
  copyElements(source, target);
  return success();
}

static LogicalResult reinterpret(Step &step) {
  auto op = step.op<memref::ReinterpretCastOp>();
  FailureOr<Part> part = readPart(step, op, 1);
  if (failed(part))
    return failure();
  Array view = step.array(0);
  int64_t memory = view.storage->size();
  // The last element's place; the first is the offset. Nothing may lie anywhere.
  int64_t last = part->offsets.front();
  bool isEmpty = llvm::is_contained(part->sizes, 0), fits = last >= 0 && last <= memory;
  for (auto [size, stride] : llvm::zip_equal(part->sizes, part->strides)) {
    fits = fits && size >= 0 && stride >= 0;
    if (isEmpty)
      continue;
    fits = fits && size <= memory && stride <= std::max<int64_t>(memory, 1);
    if (fits)
      last += (size - 1) * stride;
    fits = fits && last <= memory;
  }
  if (!fits || (!isEmpty && last >= memory))
    return step.fail("takes " + listText(part->sizes) + " with strides " + listText(part->strides) +
                     " at " + llvm::Twine(part->offsets.front()) + " of memory of " +
                     llvm::Twine(memory) + " elements");
  view.offset = part->offsets.front();
  view.shape.assign(part->sizes.begin(), part->sizes.end());
  view.strides.assign(part->strides.begin(), part->strides.end());
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
  table["memref.prefetch"] = {prefetch};
  table["memref.copy"] = {copy};
  table["memref.reinterpret_cast"] = {reinterpret};
  table["memref.assume_alignment"] = {same};
}
