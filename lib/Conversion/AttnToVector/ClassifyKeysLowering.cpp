//===- ClassifyKeysLowering.cpp - whether a mask shows some or all of a tile -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

FailureOr<SmallVector<Value>> heed::attn::lowerClassifyKeys(OpBuilder &builder, ClassifyKeysOp op) {
  Location loc = op.getLoc();
  auto index = [&](OpBuilder &at, int64_t value) -> Value {
    return arith::ConstantIndexOp::create(at, loc, value);
  };
  int64_t lanes = cast<MemRefType>(op.getHeads().getType()).getDimSize(0);
  if (lanes % kLanes != 0)
    return op.emitOpError("expected a multiple of 16 lanes, found ") << lanes, failure();

  auto numbers = VectorType::get({kLanes}, builder.getIndexType());
  auto truths = VectorType::get({kLanes}, builder.getI1Type());
  SmallVector<RegionInLanes> ofRows;
  for (int64_t lane = 0; lane < lanes; lane += kLanes) {
    Value place = index(builder, lane);
    Value heads = vector::LoadOp::create(builder, loc, numbers, op.getHeads(), place);
    Value rows = vector::LoadOp::create(builder, loc, numbers, op.getRows(), place);
    if (failed(ofRows.emplace_back(op.getMask()).set(builder, 0, {heads, rows})))
      return failure();
  }

  LogicalResult built = success();
  Value none = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(truths, false));
  Value every = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(truths, true));
  auto loop = scf::ForOp::create(builder, loc, index(builder, 0), op.getCount(), index(builder, 1),
                                 ValueRange{none, every},
                                 [&](OpBuilder &body, Location, Value t, ValueRange carried) {
                                   Value key = arith::AddIOp::create(body, loc, op.getFirst(), t);
                                   Value any = carried[0], all = carried[1];
                                   for (const RegionInLanes &rows : ofRows) {
                                     RegionInLanes here = rows;
                                     if (failed(here.set(body, 2, key)))
                                       built = failure();
                                     Value visible = here.result(body);
                                     any = arith::OrIOp::create(body, loc, any, visible);
                                     all = arith::AndIOp::create(body, loc, all, visible);
                                   }
                                   scf::YieldOp::create(body, loc, ValueRange{any, all});
                                 });
  if (failed(built))
    return failure();
  return SmallVector<Value>{
      vector::ReductionOp::create(builder, loc, vector::CombiningKind::OR, loop.getResult(0)),
      vector::ReductionOp::create(builder, loc, vector::CombiningKind::AND, loop.getResult(1))};
}
