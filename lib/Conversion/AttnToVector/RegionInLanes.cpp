//===- RegionInLanes.cpp - evaluates scalar regions for sixteen lanes at once -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace heed::attn;

static bool isLanes(Value value) {
  auto type = dyn_cast<VectorType>(value.getType());
  return type && type.getRank() == 1 && type.getDimSize(0) == kLanes;
}

static Value broadcast(OpBuilder &builder, Location loc, Value scalar) {
  if (isLanes(scalar))
    return scalar;
  return vector::BroadcastOp::create(builder, loc, VectorType::get({kLanes}, scalar.getType()),
                                     scalar);
}

/// A load whose indices differ between lanes as one gather; null where its memory isn't contiguous
/// or its elements aren't words.
static Value gather(OpBuilder &builder, memref::LoadOp load, const IRMapping &mapping,
                    Value visible) {
  MemRefType type = load.getMemRefType();
  Type element = type.getElementType();
  if (!type.getLayout().isIdentity() || (!element.isF32() && !element.isInteger(32)))
    return {};
  Location loc = load.getLoc();
  // Places are computed in 32 bits where they fit: twice as many lanes are gathered at a time, and
  // LLVM doesn't have to prove it from arithmetic in 64.
  bool fits = type.hasStaticShape() && type.getNumElements() <= std::numeric_limits<int32_t>::max();
  Type number = fits ? Type(builder.getI32Type()) : builder.getIndexType();
  auto numberOf = [&](Value index) -> Value {
    Type wanted = isLanes(index) ? VectorType::get({kLanes}, number) : number;
    return fits ? arith::IndexCastOp::create(builder, loc, wanted, index) : index;
  };
  Value memory = mapping.lookupOrDefault(load.getMemRef()), place;
  for (auto [axis, operand] : llvm::enumerate(load.getIndices())) {
    Value index = numberOf(mapping.lookupOrDefault(operand));
    if (!place) {
      place = index;
      continue;
    }
    Value size = numberOf(memref::DimOp::create(builder, loc, memory, axis));
    if (isLanes(place))
      size = broadcast(builder, loc, size);
    place = arith::MulIOp::create(builder, loc, place, size);
    if (isLanes(place) != isLanes(index)) {
      place = broadcast(builder, loc, place);
      index = broadcast(builder, loc, index);
    }
    place = arith::AddIOp::create(builder, loc, place, index);
  }
  if (type.getRank() > 1) {
    SmallVector<ReassociationIndices> all{llvm::to_vector<2>(llvm::seq(type.getRank()))};
    memory = memref::CollapseShapeOp::create(builder, loc, memory, all);
  }
  auto lanes = VectorType::get({kLanes}, element);
  if (!visible)
    visible = arith::ConstantOp::create(
        builder, loc, DenseElementsAttr::get(VectorType::get({kLanes}, builder.getI1Type()), true));
  Value nothing = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(lanes));
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  return vector::GatherOp::create(builder, loc, lanes, memory, zero, place, visible, nothing);
}

/// A power of a positive constant as exp(exponent * log(base)), which has lanes where a power is a
/// call for each; null for any other.
static Value powerOfConstant(OpBuilder &builder, math::PowFOp op, const IRMapping &mapping) {
  FloatAttr base;
  Value exponent = mapping.lookupOrDefault(op.getRhs());
  if (!matchPattern(op.getLhs(), m_Constant(&base)) || !base.getValue().isFiniteNonZero() ||
      base.getValue().isNegative() || !isLanes(exponent))
    return {};
  Location loc = op.getLoc();
  auto factor = static_cast<float>(std::log(base.getValueAsDouble()));
  Value logarithm = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(cast<VectorType>(exponent.getType()), factor));
  return math::ExpOp::create(builder, loc,
                             arith::MulFOp::create(builder, loc, exponent, logarithm));
}

/// An op without lanes on lanes: one scalar op for each.
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
  Value result;
  if (auto load = dyn_cast<memref::LoadOp>(op))
    result = gather(builder, load, mapping, visible);
  else if (auto power = dyn_cast<math::PowFOp>(op))
    result = powerOfConstant(builder, power, mapping);
  if (!result && !OpTrait::hasElementwiseMappableTraits(&op))
    result = cloneForEachLane(builder, op, mapping);
  if (!result) {
    IRMapping operands;
    for (Value operand : op.getOperands())
      operands.map(operand, broadcast(builder, op.getLoc(), mapping.lookupOrDefault(operand)));
    Operation *clone = builder.clone(op, operands);
    clone->getResult(0).setType(VectorType::get({kLanes}, op.getResult(0).getType()));
    result = clone->getResult(0);
  }
  mapping.map(op.getResult(0), result);
  return success();
}

Value RegionInLanes::result(OpBuilder &builder) const {
  return broadcast(builder, region.getLoc(),
                   mapping.lookupOrDefault(region.front().getTerminator()->getOperand(0)));
}
