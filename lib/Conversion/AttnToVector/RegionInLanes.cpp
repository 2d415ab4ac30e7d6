//===- RegionInLanes.cpp - evaluates scalar regions for sixteen lanes at once -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace heed::attn;

static bool isLanes(Value value) {
  auto type = dyn_cast<VectorType>(value.getType());
  return type && type.getRank() == 1 && type.getDimSize(0) == kLanes;
}

/// An op without lanes (a load) on lanes: one scalar op for each.
static Value cloneForEachLane(OpBuilder &builder, Operation &op, const IRMapping &mapping) {
  SmallVector<Value> results;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    IRMapping scalars;
    for (Value operand : op.getOperands()) {
      Value mapped = mapping.lookupOrDefault(operand);
      if (isLanes(mapped) && !isLanes(operand))
        mapped = vector::ExtractOp::create(builder, op.getLoc(), mapped, lane);
      scalars.map(operand, mapped);
    }
    results.push_back(builder.clone(op, scalars)->getResult(0));
  }
  auto type = VectorType::get({kLanes}, results.front().getType());
  return vector::FromElementsOp::create(builder, op.getLoc(), type, results);
}

LogicalResult RegionInLanes::set(OpBuilder &builder, unsigned first, ValueRange values) {
  Block &block = region.front();
  mapping.map(block.getArguments().slice(first, values.size()), values);
  for (Operation &op : block.without_terminator()) {
    bool isKnown = llvm::all_of(op.getOperands(), [&](Value operand) {
      return operand.getParentRegion() != &region || mapping.contains(operand);
    });
    bool isDone = op.getNumResults() != 0 && mapping.contains(op.getResult(0));
    if (isKnown && !isDone && failed(evaluate(builder, op)))
      return failure();
  }
  return success();
}

LogicalResult RegionInLanes::evaluate(OpBuilder &builder, Operation &op) {
  bool inLanes = llvm::any_of(
      op.getOperands(), [&](Value operand) { return isLanes(mapping.lookupOrDefault(operand)); });
  if (!inLanes) { // the same in every lane
    builder.clone(op, mapping);
    return success();
  }
  if (op.getNumResults() != 1 || op.getNumRegions() != 0)
    return op.emitOpError("can't stand in a score or mask region: it isn't elementwise");
  if (!OpTrait::hasElementwiseMappableTraits(&op)) {
    mapping.map(op.getResult(0), cloneForEachLane(builder, op, mapping));
    return success();
  }
  IRMapping operands;
  for (Value operand : op.getOperands()) {
    Value mapped = mapping.lookupOrDefault(operand);
    if (!isLanes(mapped))
      mapped = vector::BroadcastOp::create(builder, op.getLoc(),
                                           VectorType::get({kLanes}, mapped.getType()), mapped);
    operands.map(operand, mapped);
  }
  Operation *clone = builder.clone(op, operands);
  clone->getResult(0).setType(VectorType::get({kLanes}, op.getResult(0).getType()));
  mapping.map(op.getResult(0), clone->getResult(0));
  return success();
}

Value RegionInLanes::result(OpBuilder &builder) const {
  Value result = mapping.lookupOrDefault(region.front().getTerminator()->getOperand(0));
  if (isLanes(result))
    return result;
  return vector::BroadcastOp::create(builder, region.getLoc(),
                                     VectorType::get({kLanes}, result.getType()), result);
}
