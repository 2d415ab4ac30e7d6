//===- TensorOps.cpp - what ops on elements of tensors mean ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Views.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heed;
using namespace heed::reference;

namespace {

/// The only result's type.
RankedTensorType resultType(Step &step) {
  return cast<RankedTensorType>(step.instruction.op->getResult(0).getType());
}

LogicalResult makeEmpty(Step &step) {
  RankedTensorType type = resultType(step);
  FailureOr<SmallVector<int64_t>> shape = step.shape(type, 0);
  if (failed(shape))
    return failure();
  step.set(Array::uninitialised(type.getElementType(), *shape));
  return success();
}

LogicalResult dim(Step &step) {
  FailureOr<int64_t> axis = step.integer(1);
  if (failed(axis))
    return failure();
  const Array &array = step.array(0);
  if (*axis < 0 || *axis >= array.rank())
    return step.fail("asks for axis " + llvm::Twine(*axis) + " of " + listText(array.shape));
  step.set(array.shape[*axis]);
  return success();
}

LogicalResult rank(Step &step) {
  step.set(step.array(0).rank());
  return success();
}

LogicalResult extract(Step &step) {
  FailureOr<Scalar *> element = step.element(step.array(0), 1, "reads");
  if (failed(element))
    return failure();
  step.setScalar(**element, step.instruction.resultFormat.isFloat());
  return success();
}

LogicalResult insert(Step &step) {
  Array array = step.array(1).clone();
  FailureOr<Scalar *> element = step.element(array, 2, "writes");
  if (failed(element))
    return failure();
  **element = toScalar(step.value(0));
  step.set(std::move(array));
  return success();
}

LogicalResult fromElements(Step &step) {
  RankedTensorType type = resultType(step);
  Array array = Array::uninitialised(type.getElementType(), type.getShape());
  for (size_t element = 0; element != array.storage->size(); ++element)
    (*array.storage)[element] = toScalar(step.value(element));
  step.set(std::move(array));
  return success();
}

LogicalResult splat(Step &step) {
  RankedTensorType type = resultType(step);
  FailureOr<SmallVector<int64_t>> shape = step.shape(type, 1);
  if (failed(shape))
    return failure();
  step.set(Array::filled(type.getElementType(), *shape, toScalar(step.value(0))));
  return success();
}

/// Sets each element of `array` to what the region yields for its indices.
LogicalResult generateInto(Step &step, const Array &array) {
  const Body &body = step.instruction.bodies.front();
  bool ran = forEachIndex(array.shape, [&](ArrayRef<int64_t> indices) {
    SmallVector<reference::Value> arguments(indices.begin(), indices.end());
    FailureOr<Scalar> element = step.machine.runPerElement(body, step.frame, arguments);
    if (succeeded(element))
      array.at(indices) = *element;
    return succeeded(element);
  });
  return success(ran);
}

LogicalResult generate(Step &step) {
  RankedTensorType type = resultType(step);
  FailureOr<SmallVector<int64_t>> shape = step.shape(type, 0);
  if (failed(shape))
    return failure();
  Array array = Array::uninitialised(type.getElementType(), *shape);
  if (failed(generateInto(step, array)))
    return failure();
  step.set(std::move(array));
  return success();
}

LogicalResult pad(Step &step) {
  auto op = step.op<tensor::PadOp>();
  const Array &source = step.array(0);
  FailureOr<SmallVector<int64_t>> low = step.mixed(op.getStaticLow(), 1);
  FailureOr<SmallVector<int64_t>> high = step.mixed(op.getStaticHigh(), 1 + op.getLow().size());
  if (failed(low) || failed(high))
    return failure();
  SmallVector<int64_t> shape;
  for (auto [size, before, after] : llvm::zip_equal(source.shape, *low, *high)) {
    if (before < 0 || after < 0 || before > INT32_MAX || after > INT32_MAX)
      return step.fail("pads by " + listText(*low) + " and " + listText(*high));
    shape.push_back(before + size + after);
  }
  FailureOr<SmallVector<int64_t>> checked =
      step.shape(RankedTensorType::get(shape, op.getType().getElementType()), 0);
  if (failed(checked))
    return failure();
  Array array = Array::uninitialised(op.getType().getElementType(), shape);
  SmallVector<int64_t> ones(shape.size(), 1);
  if (failed(generateInto(step, array)))
    return failure();
  copyElements(source, *sliced(array, *low, source.shape, ones));
  step.set(std::move(array));
  return success();
}

LogicalResult cast(Step &step) {
  auto type = mlir::cast<ShapedType>(step.instruction.op->getResult(0).getType());
  const Array &array = step.array(0);
  if (failed(verifyCompatibleShape(array.shape, type.getShape())))
    return step.fail("casts " + listText(array.shape) + " to another shape");
  step.set(array);
  return success();
}

} // namespace

void heed::reference::addTensorOps(OpTable &table) {
  table["tensor.empty"] = {makeEmpty};
  table["tensor.dim"] = {dim};
  table["memref.dim"] = {dim};
  table["tensor.rank"] = {rank};
  table["tensor.extract"] = {extract};
  table["tensor.insert"] = {insert};
  table["tensor.from_elements"] = {fromElements};
  table["tensor.splat"] = {splat};
  table["tensor.generate"] = {generate};
  table["tensor.pad"] = {pad};
  table["tensor.cast"] = {cast};
  table["memref.cast"] = {cast};
}
