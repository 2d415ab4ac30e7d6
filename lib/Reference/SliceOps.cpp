//===- SliceOps.cpp - what slices and reshapes mean -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parts of tensors are views, as parts of memrefs are: nobody writes a tensor.
//
//===----------------------------------------------------------------------===//

#include "Part.h"
#include "Views.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heed::reference;

namespace {

LogicalResult partOutside(Step &step, const Part &part, const Array &array) {
  return step.fail("takes " + listText(part.sizes) + " at " + listText(part.offsets) +
                   " with strides " + listText(part.strides) + " of " + listText(array.shape));
}

template <typename Op> LogicalResult takePart(Step &step) {
  auto op = step.op<Op>();
  FailureOr<Part> part = readPart(step, op, 1);
  if (failed(part))
    return failure();
  const Array &array = step.array(0);
  std::optional<Array> view = sliced(array, part->offsets, part->sizes, part->strides);
  if (!view)
    return partOutside(step, *part, array);
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (unsigned axis : dropped.set_bits())
    if (part->sizes[axis] != 1)
      return step.fail("drops axis " + llvm::Twine(axis) + " of size " +
                       llvm::Twine(part->sizes[axis]));
  step.set(withoutAxes(*view, dropped));
  return success();
}

LogicalResult insertPart(Step &step) {
  FailureOr<Part> part = readPart(step, step.op<tensor::InsertSliceOp>(), 2);
  if (failed(part))
    return failure();
  Array array = step.array(1).clone();
  std::optional<Array> view = sliced(array, part->offsets, part->sizes, part->strides);
  if (!view)
    return partOutside(step, *part, array);
  const Array &source = step.array(0);
  if (source.numElements() != view->numElements())
    return step.fail("inserts " + listText(source.shape) + " as " + listText(part->sizes));
  copyElements(source, *view);
  step.set(std::move(array));
  return success();
}

LogicalResult concatenate(Step &step) {
  int64_t axis = step.op<tensor::ConcatOp>().getDim();
  unsigned count = step.instruction.operands.size();
  SmallVector<int64_t> shape(step.array(0).shape);
  for (unsigned part = 1; part < count; ++part)
    shape[axis] += step.array(part).shape[axis];
  if (failed(step.machine.spend(step.instruction.op, elementCount(shape))))
    return failure();
  Array made = Array::floats(step.array(0).element, shape,
                             std::vector<double>(static_cast<size_t>(elementCount(shape))));
  SmallVector<int64_t> offsets(shape.size(), 0), strides(shape.size(), 1);
  for (unsigned part = 0; part < count; ++part) {
    const Array &source = step.array(part);
    std::optional<Array> view = sliced(made, offsets, source.shape, strides);
    if (!view)
      return step.fail("can't put " + listText(source.shape) + " into " + listText(shape));
    copyElements(source, *view);
    offsets[axis] += source.shape[axis];
  }
  step.set(std::move(made));
  return success();
}

/// A reshape that is a view where it can be: always, of a memref, and a copy else.
template <typename Reshape> LogicalResult reshape(Step &step, bool mayCopy, Reshape reshaped) {
  const Array &array = step.array(0);
  std::optional<Array> view = reshaped(array);
  if (!view && mayCopy)
    view = reshaped(array.clone());
  if (!view)
    return step.fail("can't give " + listText(array.shape) + " with strides " +
                     listText(array.strides) + " the result's shape");
  auto type = cast<ShapedType>(step.instruction.op->getResult(0).getType());
  if (failed(verifyCompatibleShape(view->shape, type.getShape())))
    return step.fail("makes " + listText(view->shape) + ", which isn't the result's shape");
  step.set(std::move(*view));
  return success();
}

template <typename Op, bool mayCopy> LogicalResult collapse(Step &step) {
  SmallVector<ReassociationIndices> groups(step.op<Op>().getReassociationIndices());
  return reshape(step, mayCopy, [&](const Array &array) { return collapsed(array, groups); });
}

template <typename Op, bool mayCopy> LogicalResult expand(Step &step) {
  auto op = step.op<Op>();
  SmallVector<ReassociationIndices> groups(op.getReassociationIndices());
  FailureOr<SmallVector<int64_t>> shape = step.mixed(op.getStaticOutputShape(), 1);
  if (failed(shape))
    return failure();
  if (llvm::any_of(*shape, [](int64_t size) { return size < 0; }))
    return step.fail("expands to " + listText(*shape));
  return reshape(step, mayCopy,
                 [&](const Array &array) { return expanded(array, groups, *shape); });
}

} // namespace

void heed::reference::addTensorSliceOps(OpTable &table) {
  table["tensor.extract_slice"] = {takePart<tensor::ExtractSliceOp>};
  table["memref.subview"] = {takePart<memref::SubViewOp>};
  table["tensor.insert_slice"] = {insertPart};
  table["tensor.concat"] = {concatenate};
  table["tensor.collapse_shape"] = {collapse<tensor::CollapseShapeOp, true>};
  table["memref.collapse_shape"] = {collapse<memref::CollapseShapeOp, false>};
  table["tensor.expand_shape"] = {expand<tensor::ExpandShapeOp, true>};
  table["memref.expand_shape"] = {expand<memref::ExpandShapeOp, false>};
}
