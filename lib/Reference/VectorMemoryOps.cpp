//===- VectorMemoryOps.cpp - what loads and stores of vectors mean --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A lane outside of the memref is an error unless a mask hides it.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Views.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heed::reference;

namespace {

/// `a + b`, or what no axis has where that passes 64 bits.
int64_t sum(int64_t a, int64_t b) {
  int64_t result;
  return llvm::AddOverflow(a, b, result) ? -1 : result;
}

/// Where a lane lies: the lane's indices are added to the last of `base`.
SmallVector<int64_t> laneIndices(ArrayRef<int64_t> base, ArrayRef<int64_t> lane) {
  SmallVector<int64_t> indices(base);
  for (size_t axis = 0; axis != lane.size(); ++axis) {
    int64_t &index = indices[base.size() - lane.size() + axis];
    index = sum(index, lane[axis]);
  }
  return indices;
}

LogicalResult laneOutside(Step &step, ArrayRef<int64_t> lane, ArrayRef<int64_t> indices,
                          const Array &memory) {
  return step.fail("lane " + listText(lane) + " accesses " + listText(indices) + " of " +
                   listText(memory.shape));
}

/// Calls `access` with each lane that `mask`, which may be null, shows, and its memory.
template <typename Access>
LogicalResult forEachLane(Step &step, const Array &memory, ArrayRef<int64_t> base,
                          ArrayRef<int64_t> vectorShape, const Array *mask, Access access) {
  if (failed(step.machine.spend(step.instruction.op, 1)))
    return failure();
  LogicalResult result = success();
  forEachIndex(vectorShape, [&](ArrayRef<int64_t> lane) {
    if (mask) {
      Scalar shown = mask->at(lane);
      if (shown.isPoison())
        result = step.fail("its mask has a lane that nothing wrote");
      else if (shown.asInt() == 0)
        return true;
    }
    SmallVector<int64_t> indices = laneIndices(base, lane);
    if (succeeded(result) && !memory.contains(indices))
      result = laneOutside(step, lane, indices, memory);
    if (succeeded(result))
      access(lane, memory.at(indices));
    return succeeded(result);
  });
  return result;
}

LogicalResult load(Step &step) {
  auto op = step.op<vector::LoadOp>();
  const Array &memory = step.array(0);
  FailureOr<SmallVector<int64_t>> base = step.integers(1, memory.rank());
  if (failed(base))
    return failure();
  VectorType type = op.getVectorType();
  Array result = Array::uninitialised(type.getElementType(), type.getShape());
  if (failed(
          forEachLane(step, memory, *base, type.getShape(), nullptr,
                      [&](ArrayRef<int64_t> lane, Scalar &element) { result.at(lane) = element; })))
    return failure();
  step.set(std::move(result));
  return success();
}

LogicalResult store(Step &step) {
  const Array &vector = step.array(0), &memory = step.array(1);
  FailureOr<SmallVector<int64_t>> base = step.integers(2, memory.rank());
  if (failed(base))
    return failure();
  return forEachLane(step, memory, *base, vector.shape, nullptr,
                     [&](ArrayRef<int64_t> lane, Scalar &element) { element = vector.at(lane); });
}

LogicalResult maskedLoad(Step &step) {
  const Array &memory = step.array(0);
  unsigned rank = memory.rank();
  FailureOr<SmallVector<int64_t>> base = step.integers(1, rank);
  if (failed(base))
    return failure();
  const Array &mask = step.array(1 + rank);
  Array result = step.array(2 + rank).clone();
  if (failed(
          forEachLane(step, memory, *base, result.shape, &mask,
                      [&](ArrayRef<int64_t> lane, Scalar &element) { result.at(lane) = element; })))
    return failure();
  step.set(std::move(result));
  return success();
}

LogicalResult maskedStore(Step &step) {
  const Array &memory = step.array(0);
  unsigned rank = memory.rank();
  FailureOr<SmallVector<int64_t>> base = step.integers(1, rank);
  if (failed(base))
    return failure();
  const Array &mask = step.array(1 + rank), &vector = step.array(2 + rank);
  return forEachLane(step, memory, *base, vector.shape, &mask,
                     [&](ArrayRef<int64_t> lane, Scalar &element) { element = vector.at(lane); });
}

/// Each lane reads at its own distance from the base, along the last axis.
LogicalResult gather(Step &step) {
  const Array &memory = step.array(0);
  unsigned rank = memory.rank();
  FailureOr<SmallVector<int64_t>> base = step.integers(1, rank);
  if (failed(base))
    return failure();
  const Array &distances = step.array(1 + rank), &mask = step.array(2 + rank);
  Array result = step.array(3 + rank).clone();
  bool isInside = forEachIndex(result.shape, [&](ArrayRef<int64_t> lane) {
    if (mask.at(lane).asInt() == 0)
      return true;
    SmallVector<int64_t> indices(*base);
    indices.back() = sum(indices.back(), distances.at(lane).asInt());
    if (mask.at(lane).isPoison() || distances.at(lane).isPoison() || !memory.contains(indices))
      return succeeded(laneOutside(step, lane, indices, memory));
    result.at(lane) = memory.at(indices);
    return true;
  });
  if (!isInside)
    return failure();
  step.set(std::move(result));
  return success();
}

/// Where lane `lane` of a transfer lies, and whether it may be outside of the memory.
struct TransferLane {
  SmallVector<int64_t> indices;
  bool mayBeOutside = false;
};

template <typename Op>
FailureOr<TransferLane> transferLane(Step &step, Op op, ArrayRef<int64_t> base,
                                     ArrayRef<int64_t> lane) {
  TransferLane result{SmallVector<int64_t>(base)};
  for (auto [axis, expr] : llvm::enumerate(op.getPermutationMap().getResults())) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      int64_t &index = result.indices[dim.getPosition()];
      index = sum(index, lane[axis]);
      result.mayBeOutside |= !op.isDimInBounds(axis);
    } else if (!isa<AffineConstantExpr>(expr)) {
      return step.fail("the evaluator doesn't know its permutation map");
    }
  }
  return result;
}

LogicalResult transferRead(Step &step) {
  auto op = step.op<vector::TransferReadOp>();
  const Array &memory = step.array(0);
  unsigned rank = memory.rank();
  FailureOr<SmallVector<int64_t>> base = step.integers(1, rank);
  if (failed(base))
    return failure();
  const Array *mask = op.getMask() ? &step.array(2 + rank) : nullptr;
  if (mask && !op.getPermutationMap().isMinorIdentity())
    return step.fail("the evaluator knows its mask with a minor identity map only");
  VectorType type = op.getVectorType();
  Array result =
      Array::filled(type.getElementType(), type.getShape(), toScalar(step.value(1 + rank)));
  bool isInside = forEachIndex(type.getShape(), [&](ArrayRef<int64_t> lane) {
    if (mask && mask->at(lane).asInt() == 0)
      return true;
    FailureOr<TransferLane> place = transferLane(step, op, *base, lane);
    if (failed(place))
      return false;
    if (memory.contains(place->indices))
      result.at(lane) = memory.at(place->indices);
    else if (!place->mayBeOutside)
      return succeeded(laneOutside(step, lane, place->indices, memory));
    return true;
  });
  if (!isInside)
    return failure();
  step.set(std::move(result));
  return success();
}

LogicalResult transferWrite(Step &step) {
  auto op = step.op<vector::TransferWriteOp>();
  bool isTensor = !step.instruction.results.empty();
  const Array &vector = step.array(0);
  Array memory = isTensor ? step.array(1).clone() : step.array(1);
  unsigned rank = memory.rank();
  FailureOr<SmallVector<int64_t>> base = step.integers(2, rank);
  if (failed(base))
    return failure();
  const Array *mask = op.getMask() ? &step.array(2 + rank) : nullptr;
  if (mask && !op.getPermutationMap().isMinorIdentity())
    return step.fail("the evaluator knows its mask with a minor identity map only");
  bool isInside = forEachIndex(vector.shape, [&](ArrayRef<int64_t> lane) {
    if (mask && mask->at(lane).asInt() == 0)
      return true;
    FailureOr<TransferLane> place = transferLane(step, op, *base, lane);
    if (failed(place))
      return false;
    if (memory.contains(place->indices))
      memory.at(place->indices) = vector.at(lane);
    else if (!place->mayBeOutside)
      return succeeded(laneOutside(step, lane, place->indices, memory));
    return true;
  });
  if (!isInside)
    return failure();
  if (isTensor)
    step.set(std::move(memory));
  return success();
}

} // namespace

void heed::reference::addVectorMemoryOps(OpTable &table) {
  table["vector.load"] = {load};
  table["vector.store"] = {store};
  table["vector.maskedload"] = {maskedLoad};
  table["vector.maskedstore"] = {maskedStore};
  table["vector.gather"] = {gather};
  table["vector.transfer_read"] = {transferRead};
  table["vector.transfer_write"] = {transferWrite};
}
