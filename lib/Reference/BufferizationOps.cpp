//===- BufferizationOps.cpp - what is between tensors and memrefs ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Views.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace heed::reference;

/// A tensor of a memref's elements as they are now, or the other way round.
static LogicalResult copyOf(Step &step) {
  step.set(step.array(0).clone());
  return success();
}

static LogicalResult allocateTensor(Step &step) {
  auto op = step.op<bufferization::AllocTensorOp>();
  if (op.getCopy()) {
    step.set(step.array(op.getDynamicSizes().size()).clone());
    return success();
  }
  FailureOr<SmallVector<int64_t>> shape = step.shape(op.getType(), 0);
  if (failed(shape))
    return failure();
  step.set(Array::uninitialised(op.getType().getElementType(), *shape));
  return success();
}

static LogicalResult materialize(Step &step) {
  const Array &source = step.array(0), &target = step.array(1);
  if (source.shape != target.shape)
    return step.fail("puts " + listText(source.shape) + " into " + listText(target.shape));
  if (step.instruction.results.empty())
    copyElements(source, target);
  else
    step.set(source);
  return success();
}

/// Whoever reads it afterwards finds that nothing wrote it.
static LogicalResult deallocate(Step &step) {
  std::vector<Scalar> &elements = *step.array(0).storage;
  std::fill(elements.begin(), elements.end(), Scalar());
  return success();
}

static LogicalResult forget(Step &) { return success(); }

void heed::reference::addBufferizationOps(OpTable &table) {
  table["bufferization.to_tensor"] = {copyOf};
  table["bufferization.to_buffer"] = {copyOf};
  table["bufferization.clone"] = {copyOf};
  table["bufferization.alloc_tensor"] = {allocateTensor};
  table["bufferization.materialize_in_destination"] = {materialize};
  table["bufferization.dealloc_tensor"] = {forget};
  table["memref.dealloc"] = {deallocate};
}
