//===- EmbedLowering.cpp - rows of a packed table, chosen by token ids -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "PanelReader.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

LogicalResult heed::attn::lowerEmbed(OpBuilder &builder, EmbedOp op) {
  Location loc = op.getLoc();
  FailureOr<Value> into =
      asMatrix(builder, op, op.getInto(), op.getTable().getType().getRank() - 1);
  if (failed(into))
    return failure();
  int64_t cols = cast<MemRefType>(into->getType()).getDimSize(1);
  PanelReader reader(builder, loc, op.getTable(), cols);
  Value rows = memref::DimOp::create(builder, loc, op.getIds(), 0);

  // One row is one lane of its panel: read all lanes, keep that one. A row is short next to the
  // model, so this costs nothing that could be measured.
  scf::ForallOp::create(
      builder, loc, ArrayRef<OpFoldResult>{rows}, ValueRange{}, std::nullopt,
      [&](OpBuilder &body, Location, ValueRange args) {
        auto constant = [&](OpBuilder &b, int64_t value) {
          return arith::ConstantIndexOp::create(b, loc, value);
        };
        Value id = memref::LoadOp::create(body, loc, op.getIds(), ValueRange{args[0]});
        if (!id.getType().isIndex())
          id = arith::IndexCastOp::create(body, loc, body.getIndexType(), id);
        // The runtime refuses such ids; whoever calls without it still reads inside the table.
        int64_t tableRows = op.getTable().getType().getShape().front();
        id = arith::MinUIOp::create(body, loc, id, constant(body, tableRows - 1));
        Value lanes = constant(body, kLanes);
        Value panel = arith::DivUIOp::create(body, loc, id, lanes);
        Value lane = arith::RemUIOp::create(body, loc, id, lanes);
        auto copyStep = [&](OpBuilder &at, Value step, int64_t columns) {
          Value first = arith::MulIOp::create(at, loc, step, constant(at, reader.columnsPerStep()));
          reader.forEachColumn(
              at, reader.address(at, panel, step), columns, [&](int64_t column, Value values) {
                Value value = vector::ExtractOp::create(at, loc, values, OpFoldResult(lane));
                Value place = arith::AddIOp::create(at, loc, first, constant(at, column));
                memref::StoreOp::create(at, loc, value, *into, ValueRange{args[0], place});
              });
        };
        Value steps = constant(body, reader.steps());
        auto loop = scf::ForOp::create(body, loc, constant(body, 0), steps, constant(body, 1));
        OpBuilder inStep = OpBuilder::atBlockTerminator(loop.getBody());
        copyStep(inStep, loop.getInductionVar(), reader.columnsPerStep());
        if (reader.tailColumns() != 0)
          copyStep(body, steps, reader.tailColumns());
        scf::InParallelOp::create(body, loc);
      });
  return success();
}
