//===- ClassifyKeysLowering.cpp - whether a mask shows some or all of a tile -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

FailureOr<SmallVector<Value>> heed::attn::lowerClassifyKeys(OpBuilder &builder, ClassifyKeysOp op) {
  Location loc = op.getLoc();
  auto index = [&](OpBuilder &at, int64_t value) -> Value {
    return arith::ConstantIndexOp::create(at, loc, value);
  };
  int64_t lanes = cast<MemRefType>(op.getHeads().getType()).getDimSize(0);
  // Lanes that don't fill vectors are few: each by itself.
  bool inVectors = lanes % kLanes == 0;
  auto numbers = VectorType::get({kLanes}, builder.getIndexType());
  auto loadAt = [&](Value table, Value place) -> Value {
    if (inVectors)
      return vector::LoadOp::create(builder, loc, numbers, table, place);
    return memref::LoadOp::create(builder, loc, table, place);
  };
  SmallVector<RegionInLanes> ofRows;
  for (int64_t lane = 0; lane < lanes; lane += inVectors ? kLanes : 1) {
    Value place = index(builder, lane);
    Value heads = loadAt(op.getHeads(), place), rows = loadAt(op.getRows(), place);
    if (failed(ofRows.emplace_back(op.getMask()).set(builder, 0, {heads, rows})))
      return failure();
  }

  // Key after key, until something is found to be visible and something hidden.
  LogicalResult built = success();
  Value no = arith::ConstantOp::create(builder, loc, builder.getBoolAttr(false));
  Value yes = arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  auto loop = scf::WhileOp::create(
      builder, loc, TypeRange{builder.getIndexType(), no.getType(), yes.getType()},
      ValueRange{index(builder, 0), no, yes},
      [&](OpBuilder &before, Location, ValueRange carried) {
        Value isLeft = arith::CmpIOp::create(before, loc, arith::CmpIPredicate::slt, carried[0],
                                             op.getCount());
        // Not any, or all.
        Value hidden = arith::XOrIOp::create(before, loc, carried[1], yes);
        Value isOpen = arith::OrIOp::create(before, loc, hidden, carried[2]);
        Value goOn = arith::AndIOp::create(before, loc, isLeft, isOpen);
        scf::ConditionOp::create(before, loc, goOn, carried);
      },
      [&](OpBuilder &body, Location, ValueRange carried) {
        Value key = arith::AddIOp::create(body, loc, op.getFirst(), carried[0]);
        Value some, every;
        for (const RegionInLanes &rows : ofRows) {
          RegionInLanes here = rows;
          if (failed(here.set(body, 2, key)))
            built = failure();
          Value visible = here.result(body);
          some = some ? arith::OrIOp::create(body, loc, some, visible) : visible;
          every = every ? arith::AndIOp::create(body, loc, every, visible) : visible;
        }
        Value any = vector::ReductionOp::create(body, loc, vector::CombiningKind::OR, some);
        Value all = vector::ReductionOp::create(body, loc, vector::CombiningKind::AND, every);
        scf::YieldOp::create(
            body, loc,
            ValueRange{arith::AddIOp::create(body, loc, carried[0], index(body, 1)),
                       arith::OrIOp::create(body, loc, carried[1], any),
                       arith::AndIOp::create(body, loc, carried[2], all)});
      });
  if (failed(built))
    return failure();
  return SmallVector<Value>{loop.getResult(1), loop.getResult(2)};
}
