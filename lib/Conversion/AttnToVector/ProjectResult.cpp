//===- ProjectResult.cpp - what becomes of a projection's sums -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProjectResult.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace heed::attn;

/// An epilogue of more ops than this is costly.
static constexpr size_t kFewOps = 4;

/// A contiguous memref as one of rank 1.
static FailureOr<Value> flatten(OpBuilder &builder, ProjectOp op, Value memory) {
  auto type = cast<MemRefType>(memory.getType());
  if (type.getRank() <= 1)
    return memory;
  SmallVector<ReassociationIndices> all{llvm::to_vector<2>(llvm::seq(type.getRank()))};
  if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, all))
    return op->emitOpError("needs contiguous memory, found ") << type, failure();
  return Value(memref::CollapseShapeOp::create(builder, op.getLoc(), memory, all));
}

FailureOr<ProjectResult> ProjectResult::of(OpBuilder &builder, ProjectOp op) {
  ProjectResult result(op);
  auto whole = [&](Value memory) -> FailureOr<Value> {
    if (op.getHeadsFirst()) // [heads, rows, features], in any layout whose rows are contiguous
      return memory;
    return asMatrix(builder, op, memory, op.getFeatureAxes());
  };
  FailureOr<Value> into = whole(op.getInto());
  if (failed(into))
    return failure();
  result.into = *into;
  for (auto [number, operand] : llvm::enumerate(op.getJoined())) {
    AffineMap map = op.getMap(number);
    bool hasAll = map == op.getWholeMap();
    FailureOr<Value> memory = hasAll ? whole(operand) : flatten(builder, op, operand);
    if (failed(memory))
      return failure();
    bool hasFeatures = hasAll || map == op.getFeatureMap();
    result.joined.push_back({*memory, hasAll || !hasFeatures, hasFeatures});
  }
  return result;
}

bool ProjectResult::isCostly() {
  return !op.getEpilogue().empty() && op.getEpilogue().front().getOperations().size() - 1 > kFewOps;
}

SmallVector<Value> ProjectResult::placeOf(OpBuilder &builder, Value row, Value feature) {
  if (!op.getHeadsFirst())
    return {row, feature};
  Location loc = op.getLoc();
  Value width = arith::ConstantIndexOp::create(builder, loc,
                                               cast<MemRefType>(into.getType()).getShape().back());
  return {arith::DivUIOp::create(builder, loc, feature, width), row,
          arith::RemUIOp::create(builder, loc, feature, width)};
}

Value ProjectResult::load(OpBuilder &builder, Value memory, ValueRange place, Value mask) {
  auto lanes = VectorType::get({kLanes}, builder.getF32Type());
  if (!mask)
    return vector::LoadOp::create(builder, op.getLoc(), lanes, memory, place);
  Value nothing = arith::ConstantOp::create(builder, op.getLoc(), builder.getZeroAttr(lanes));
  return vector::MaskedLoadOp::create(builder, op.getLoc(), lanes, memory, place, mask, nothing);
}

Value ProjectResult::read(OpBuilder &builder, const Joined &joined, Value row, Value feature,
                          Value mask) {
  if (joined.hasFeatures)
    return load(builder, joined.memory,
                joined.hasRows ? placeOf(builder, row, feature) : SmallVector<Value>{feature},
                mask);
  SmallVector<Value> place;
  if (cast<MemRefType>(joined.memory.getType()).getRank() == 1) // else there is one row
    place.push_back(row);
  return memref::LoadOp::create(builder, op.getLoc(), joined.memory, place);
}

LogicalResult ProjectResult::store(OpBuilder &builder, ValueRange sums, Value row, Value feature,
                                   int64_t count) {
  Location loc = op.getLoc();
  Value mask;
  if (count < kLanes)
    mask = vector::ConstantMaskOp::create(builder, loc,
                                          VectorType::get({kLanes}, builder.getI1Type()), {count});
  Value made = sums.front();
  if (!op.getEpilogue().empty()) {
    SmallVector<Value> arguments(sums);
    for (const Joined &each : joined)
      arguments.push_back(read(builder, each, row, feature, mask));
    RegionInLanes region(op.getEpilogue());
    if (failed(region.set(builder, 0, arguments)))
      return failure();
    made = region.result(builder);
  }
  SmallVector<Value> place = placeOf(builder, row, feature);
  if (op.getAccumulate())
    made = arith::AddFOp::create(builder, loc, made, load(builder, into, place, mask));
  if (mask)
    vector::MaskedStoreOp::create(builder, loc, into, place, mask, made);
  else
    vector::StoreOp::create(builder, loc, made, into, place);
  return success();
}

void ProjectResult::prefetch(OpBuilder &builder, Value row, Value feature) {
  auto ask = [&](Value memory, bool isWritten) {
    memref::PrefetchOp::create(builder, op.getLoc(), memory, placeOf(builder, row, feature),
                               isWritten, /*localityHint=*/3, /*isDataCache=*/true);
  };
  if (op.getAccumulate())
    ask(into, true);
  for (const Joined &each : joined)
    if (each.hasRows && each.hasFeatures)
      ask(each.memory, false);
}
