//===- VectorOps.cpp - what ops on vectors in registers mean --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Views.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>

using namespace mlir;
using namespace heed::reference;

namespace {

VectorType resultType(Step &step) {
  return cast<VectorType>(step.instruction.op->getResult(0).getType());
}

/// An operand as an array: a scalar has rank 0.
Array asArray(Step &step, unsigned operand) {
  if (const Array *array = std::get_if<Array>(&step.value(operand)))
    return *array;
  Type element = getElementTypeOrSelf(step.instruction.op->getOperand(operand).getType());
  return Array::filled(element, {}, toScalar(step.value(operand)));
}

/// Sets the result to `array`, or to its element where the result is a scalar.
LogicalResult setResult(Step &step, const Array &array) {
  Type type = step.instruction.op->getResult(0).getType();
  if (!isa<ShapedType>(type)) {
    step.set(toValue(array.at({}), isa<FloatType>(type)));
    return success();
  }
  step.set(array);
  return success();
}

LogicalResult broadcast(Step &step) {
  VectorType type = resultType(step);
  Array source = asArray(step, 0);
  Array view = source;
  view.shape.assign(type.getShape().begin(), type.getShape().end());
  view.strides.assign(view.shape.size(), 0);
  for (int64_t axis = 0; axis < source.rank(); ++axis)
    if (source.shape[axis] != 1)
      view.strides[view.rank() - source.rank() + axis] = source.strides[axis];
  step.set(view.clone());
  return success();
}

/// The part of `array` at `position`, which has an index for each of the first axes.
std::optional<Array> partAt(const Array &array, ArrayRef<int64_t> position) {
  Array view = array;
  for (auto [axis, index] : llvm::enumerate(position)) {
    if (index < 0 || index >= array.shape[axis])
      return std::nullopt;
    view.offset += index * array.strides[axis];
  }
  view.shape.erase(view.shape.begin(), view.shape.begin() + position.size());
  view.strides.erase(view.strides.begin(), view.strides.begin() + position.size());
  return view;
}

LogicalResult extract(Step &step) {
  FailureOr<SmallVector<int64_t>> position =
      step.mixed(step.op<vector::ExtractOp>().getStaticPosition(), 1);
  if (failed(position))
    return failure();
  std::optional<Array> part = partAt(step.array(0), *position);
  if (!part)
    return step.fail("reads " + listText(*position) + " of " + listText(step.array(0).shape));
  return setResult(step, *part);
}

LogicalResult insert(Step &step) {
  FailureOr<SmallVector<int64_t>> position =
      step.mixed(step.op<vector::InsertOp>().getStaticPosition(), 2);
  if (failed(position))
    return failure();
  Array array = step.array(1).clone();
  std::optional<Array> part = partAt(array, *position);
  if (!part)
    return step.fail("writes " + listText(*position) + " of " + listText(array.shape));
  copyElements(asArray(step, 0), *part);
  step.set(std::move(array));
  return success();
}

SmallVector<int64_t> integersOf(ArrayAttr attribute) {
  SmallVector<int64_t> values;
  for (Attribute value : attribute)
    values.push_back(cast<IntegerAttr>(value).getInt());
  return values;
}

/// Offsets, sizes and strides for all axes, those that are missing being whole.
std::optional<Array> stridedPart(const Array &array, SmallVector<int64_t> offsets,
                                 SmallVector<int64_t> sizes, SmallVector<int64_t> strides) {
  for (size_t axis = sizes.size(); axis < array.shape.size(); ++axis)
    sizes.push_back(array.shape[axis]);
  offsets.resize(array.shape.size(), 0);
  strides.resize(array.shape.size(), 1);
  return sliced(array, offsets, sizes, strides);
}

LogicalResult extractStridedSlice(Step &step) {
  auto op = step.op<vector::ExtractStridedSliceOp>();
  std::optional<Array> part = stridedPart(step.array(0), integersOf(op.getOffsets()),
                                          integersOf(op.getSizes()), integersOf(op.getStrides()));
  if (!part)
    return step.fail("leaves " + listText(step.array(0).shape));
  step.set(*part);
  return success();
}

LogicalResult insertStridedSlice(Step &step) {
  auto op = step.op<vector::InsertStridedSliceOp>();
  const Array &source = step.array(0);
  Array array = step.array(1).clone();
  int64_t leading = array.rank() - source.rank();
  SmallVector<int64_t> sizes(leading, 1), strides(leading, 1);
  sizes.append(source.shape.begin(), source.shape.end());
  strides.append(integersOf(op.getStrides()));
  std::optional<Array> part = sliced(array, integersOf(op.getOffsets()), sizes, strides);
  if (!part)
    return step.fail("leaves " + listText(array.shape));
  copyElements(source, *part);
  step.set(std::move(array));
  return success();
}

LogicalResult shuffle(Step &step) {
  const Array first = asArray(step, 0), second = asArray(step, 1);
  VectorType type = resultType(step);
  Array result = Array::uninitialised(type.getElementType(), type.getShape());
  int64_t leading = first.rank() == 0 ? 1 : first.shape.front();
  for (auto [lane, from] : llvm::enumerate(step.op<vector::ShuffleOp>().getMask())) {
    if (from < 0)
      continue; // poison
    const Array &source = from < leading ? first : second;
    int64_t index = from < leading ? from : from - leading;
    std::optional<Array> part =
        source.rank() == 0 ? std::optional(source) : partAt(source, {index});
    if (!part)
      return step.fail("chooses lane " + llvm::Twine(from) + ", which there isn't");
    copyElements(*part, *partAt(result, {static_cast<int64_t>(lane)}));
  }
  step.set(std::move(result));
  return success();
}

LogicalResult shapeCast(Step &step) {
  Array result = asArray(step, 0).clone();
  VectorType type = resultType(step);
  result.shape.assign(type.getShape().begin(), type.getShape().end());
  result.strides = rowMajorStrides(result.shape);
  step.set(std::move(result));
  return success();
}

LogicalResult transpose(Step &step) {
  const Array &source = step.array(0);
  Array view = source;
  for (auto [axis, from] : llvm::enumerate(step.op<vector::TransposeOp>().getPermutation())) {
    view.shape[axis] = source.shape[from];
    view.strides[axis] = source.strides[from];
  }
  step.set(view.clone());
  return success();
}

LogicalResult stepVector(Step &step) {
  VectorType type = resultType(step);
  Array result = Array::uninitialised(type.getElementType(), type.getShape());
  for (int64_t lane = 0; lane < type.getNumElements(); ++lane)
    (*result.storage)[lane] = Scalar(lane);
  step.set(std::move(result));
  return success();
}

LogicalResult setMask(Step &step, ArrayRef<int64_t> shown) {
  VectorType type = resultType(step);
  Array result = Array::uninitialised(type.getElementType(), type.getShape());
  forEachIndex(type.getShape(), [&](ArrayRef<int64_t> lane) {
    bool isShown = true;
    for (auto [index, bound] : llvm::zip_equal(lane, shown))
      isShown &= index < bound;
    result.at(lane) = Scalar(static_cast<int64_t>(isShown));
    return true;
  });
  step.set(std::move(result));
  return success();
}

LogicalResult createMask(Step &step) {
  FailureOr<SmallVector<int64_t>> shown = step.integers(0, step.instruction.operands.size());
  return failed(shown) ? failure() : setMask(step, *shown);
}

LogicalResult constantMask(Step &step) {
  return setMask(step, step.op<vector::ConstantMaskOp>().getMaskDimSizes());
}

LogicalResult fromElements(Step &step) {
  VectorType type = resultType(step);
  Array result = Array::uninitialised(type.getElementType(), type.getShape());
  for (size_t lane = 0; lane != result.storage->size(); ++lane)
    (*result.storage)[lane] = toScalar(step.value(lane));
  step.set(std::move(result));
  return success();
}

LogicalResult toElements(Step &step) {
  const Array &source = step.array(0);
  for (auto [lane, element] : llvm::enumerate(source.toScalars()))
    step.set(toValue(element, source.isFloat()), lane);
  return success();
}

/// Lanes of the two in turn.
LogicalResult interleave(Step &step) {
  std::vector<Scalar> even = step.array(0).toScalars(), odd = step.array(1).toScalars();
  VectorType type = resultType(step);
  Array result = Array::uninitialised(type.getElementType(), type.getShape());
  for (size_t lane = 0; lane != even.size(); ++lane) {
    (*result.storage)[2 * lane] = even[lane];
    (*result.storage)[2 * lane + 1] = odd[lane];
  }
  step.set(std::move(result));
  return success();
}

LogicalResult deinterleave(Step &step) {
  std::vector<Scalar> source = step.array(0).toScalars();
  VectorType type = resultType(step);
  for (unsigned part : {0, 1}) {
    Array result = Array::uninitialised(type.getElementType(), type.getShape());
    for (size_t lane = 0; lane != result.storage->size(); ++lane)
      (*result.storage)[lane] = source[2 * lane + part];
    step.set(std::move(result), part);
  }
  return success();
}

/// The elements' bits, the first in the lowest, cut into elements of the result's type.
LogicalResult bitcast(Step &step) {
  Format from = step.instruction.operandFormat, to = step.instruction.resultFormat;
  std::vector<Scalar> source = step.array(0).toScalars();
  VectorType type = resultType(step);
  Array result = Array::uninitialised(type.getElementType(), type.getShape());
  for (size_t lane = 0; lane != result.storage->size(); ++lane) {
    uint64_t bits = 0;
    bool isPoison = false;
    for (unsigned bit = 0; bit < to.width(); ++bit) {
      uint64_t place = lane * to.width() + bit;
      Scalar element = source[place / from.width()];
      isPoison |= element.isPoison();
      uint64_t pattern =
          from.isFloat() ? from.encoded(element.asFloat()) : from.asUnsigned(element.asInt());
      bits |= (pattern >> (place % from.width()) & 1) << bit;
    }
    if (!isPoison)
      (*result.storage)[lane] = to.isFloat() ? Scalar(to.decoded(bits)) : Scalar(to.wrapped(bits));
  }
  step.set(std::move(result));
  return success();
}

/// The kernel that combines two elements as `kind` says.
ScalarKernel combiningKernel(vector::CombiningKind kind) {
  auto kernel = [](StringRef name) { return opTable().find(name)->second.kernel; };
  switch (kind) {
  case vector::CombiningKind::ADD:
    return kernel("arith.addf");
  case vector::CombiningKind::MUL:
    return kernel("arith.mulf");
  case vector::CombiningKind::MAXIMUMF:
    return kernel("arith.maximumf");
  case vector::CombiningKind::MINIMUMF:
    return kernel("arith.minimumf");
  case vector::CombiningKind::MAXNUMF:
    return kernel("arith.maxnumf");
  case vector::CombiningKind::MINNUMF:
    return kernel("arith.minnumf");
  case vector::CombiningKind::MAXSI:
    return kernel("arith.maxsi");
  case vector::CombiningKind::MAXUI:
    return kernel("arith.maxui");
  case vector::CombiningKind::MINSI:
    return kernel("arith.minsi");
  case vector::CombiningKind::MINUI:
    return kernel("arith.minui");
  case vector::CombiningKind::AND:
    return kernel("arith.andi");
  case vector::CombiningKind::OR:
    return kernel("arith.ori");
  case vector::CombiningKind::XOR:
    return kernel("arith.xori");
  }
  llvm_unreachable("a kind of combination that the dialect doesn't have");
}

/// Combines the lanes in their order, behind the accumulator if there is one.
LogicalResult reduce(Step &step) {
  auto kind = step.op<vector::ReductionOp>().getKind();
  bool isFloat = step.instruction.resultFormat.isFloat();
  ScalarKernel kernel = combiningKernel(kind);
  if (!isFloat && kind == vector::CombiningKind::ADD)
    kernel = opTable().find("arith.addi")->second.kernel;
  if (!isFloat && kind == vector::CombiningKind::MUL)
    kernel = opTable().find("arith.muli")->second.kernel;
  std::vector<Scalar> lanes = step.array(0).toScalars();
  if (step.instruction.operands.size() > 1)
    lanes.insert(lanes.begin(), toScalar(step.value(1)));
  Scalar result = lanes.front();
  for (size_t lane = 0; lane != lanes.size(); ++lane) {
    if (lanes[lane].isPoison())
      return step.fail("lane " + llvm::Twine(lane) + " is an element that nothing wrote");
    if (lane == 0)
      continue;
    Scalar operands[2] = {result, lanes[lane]};
    if (const char *problem = kernel(step.instruction, operands, result))
      return step.fail(problem);
    if (isFloat)
      result = Scalar(step.machine.rounded(step.instruction.resultFormat, result.asFloat()));
  }
  step.set(toValue(result, isFloat));
  return success();
}

} // namespace

void heed::reference::addVectorOps(OpTable &table) {
  table["vector.broadcast"] = {broadcast};
  table["vector.extract"] = {extract};
  table["vector.insert"] = {insert};
  table["vector.extract_strided_slice"] = {extractStridedSlice};
  table["vector.insert_strided_slice"] = {insertStridedSlice};
  table["vector.shuffle"] = {shuffle};
  table["vector.shape_cast"] = {shapeCast};
  table["vector.transpose"] = {transpose};
  table["vector.step"] = {stepVector};
  table["vector.create_mask"] = {createMask};
  table["vector.constant_mask"] = {constantMask};
  table["vector.from_elements"] = {fromElements};
  table["vector.to_elements"] = {toElements};
  table["vector.interleave"] = {interleave};
  table["vector.deinterleave"] = {deinterleave};
  table["vector.bitcast"] = {bitcast};
  table["vector.reduction"] = {reduce};
  table["vector.fma"] = {runElementwise, table["math.fma"].kernel};
}
