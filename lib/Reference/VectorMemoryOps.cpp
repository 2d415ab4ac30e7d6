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

/// Memory and where in it the lanes begin.
struct Place {
  const Array &memory;
  SmallVector<int64_t> base;
  unsigned next; ///< the operand behind the indices
};

/// The place that operand `first`, the memory, and the indices behind it name.
FailureOr<Place> placeAt(Step &step, unsigned first) {
  const Array &memory = step.array(first);
  unsigned rank = memory.rank();
  FailureOr<SmallVector<int64_t>> base = step.integers(first + 1, rank);
  if (failed(base))
    return failure();
  return Place{memory, *base, first + 1 + rank};
}

/// Sets the result to `result` with the lanes that `mask`, which may be null, shows read.
LogicalResult loadLanes(Step &step, const Place &from, const Array *mask, Array result) {
  if (failed(
          forEachLane(step, from.memory, from.base, result.shape, mask,
                      [&](ArrayRef<int64_t> lane, Scalar &element) { result.at(lane) = element; })))
    return failure();
  step.set(std::move(result));
  return success();
}

LogicalResult storeLanes(Step &step, const Place &to, const Array *mask, const Array &vector) {
  return forEachLane(step, to.memory, to.base, vector.shape, mask,
                     [&](ArrayRef<int64_t> lane, Scalar &element) { element = vector.at(lane); });
}

LogicalResult load(Step &step) {
  FailureOr<Place> from = placeAt(step, 0);
  if (failed(from))
    return failure();
  VectorType type = step.op<vector::LoadOp>().getVectorType();
  return loadLanes(step, *from, nullptr,
                   Array::uninitialised(type.getElementType(), type.getShape()));
}

LogicalResult store(Step &step) {
  FailureOr<Place> to = placeAt(step, 1);
  return failed(to) ? failure() : storeLanes(step, *to, nullptr, step.array(0));
}

LogicalResult maskedLoad(Step &step) {
  FailureOr<Place> from = placeAt(step, 0);
  if (failed(from))
    return failure();
  return loadLanes(step, *from, &step.array(from->next), step.array(from->next + 1).clone());
}

LogicalResult maskedStore(Step &step) {
  FailureOr<Place> to = placeAt(step, 0);
  if (failed(to))
    return failure();
  return storeLanes(step, *to, &step.array(to->next), step.array(to->next + 1));
}

/// Each lane reads at its own distance from the base, along the last axis.
LogicalResult gather(Step &step) {
  FailureOr<Place> from = placeAt(step, 0);
  if (failed(from))
    return failure();
  const Array &memory = from->memory, &distances = step.array(from->next),
              &mask = step.array(from->next + 1);
  Array result = step.array(from->next + 2).clone();
  bool isInside = forEachIndex(result.shape, [&](ArrayRef<int64_t> lane) {
    if (mask.at(lane).asInt() == 0)
      return true;
    SmallVector<int64_t> indices(from->base);
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
      return step.failUnknown("the evaluator doesn't know its permutation map");
    }
  }
  return result;
}

/// Calls `access` with each lane that the op's mask shows and that lies inside `memory`, and its
/// element. Fails at a lane that lies outside and must not.
template <typename Op, typename Access>
LogicalResult forEachTransferLane(Step &step, Op op, const Array &memory, const Place &place,
                                  const Array *mask, ArrayRef<int64_t> vectorShape, Access access) {
  if (mask && !op.getPermutationMap().isMinorIdentity())
    return step.failUnknown("the evaluator knows its mask with a minor identity map only");
  return success(forEachIndex(vectorShape, [&](ArrayRef<int64_t> lane) {
    if (mask && mask->at(lane).asInt() == 0)
      return true;
    FailureOr<TransferLane> transfer = transferLane(step, op, place.base, lane);
    if (failed(transfer))
      return false;
    if (memory.contains(transfer->indices))
      access(lane, memory.at(transfer->indices));
    else if (!transfer->mayBeOutside)
      return succeeded(laneOutside(step, lane, transfer->indices, memory));
    return true;
  }));
}

LogicalResult transferRead(Step &step) {
  auto op = step.op<vector::TransferReadOp>();
  FailureOr<Place> from = placeAt(step, 0);
  if (failed(from))
    return failure();
  const Array *mask = op.getMask() ? &step.array(from->next + 1) : nullptr;
  VectorType type = op.getVectorType();
  Array result =
      Array::filled(type.getElementType(), type.getShape(), toScalar(step.value(from->next)));
  if (failed(forEachTransferLane(
          step, op, from->memory, *from, mask, type.getShape(),
          [&](ArrayRef<int64_t> lane, Scalar &element) { result.at(lane) = element; })))
    return failure();
  step.set(std::move(result));
  return success();
}

LogicalResult transferWrite(Step &step) {
  auto op = step.op<vector::TransferWriteOp>();
  bool isTensor = !step.instruction.results.empty();
  const Array &vector = step.array(0);
  FailureOr<Place> to = placeAt(step, 1);
  if (failed(to))
    return failure();
  Array memory = isTensor ? to->memory.clone() : to->memory;
  const Array *mask = op.getMask() ? &step.array(to->next) : nullptr;
  if (failed(forEachTransferLane(
          step, op, memory, *to, mask, vector.shape,
          [&](ArrayRef<int64_t> lane, Scalar &element) { element = vector.at(lane); })))
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
