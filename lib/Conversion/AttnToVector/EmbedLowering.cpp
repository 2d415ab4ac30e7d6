//===- EmbedLowering.cpp - rows of a packed table, chosen by token ids -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "PanelReader.h"

#include "../RowTasks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

static Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

/// The row of the table for row `row` of the result.
static Value idOf(OpBuilder &builder, EmbedOp op, Value row) {
  Location loc = op.getLoc();
  Value id = memref::LoadOp::create(builder, loc, op.getIds(), ValueRange{row});
  if (!id.getType().isIndex())
    id = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), id);
  // The runtime refuses such ids; whoever calls without it still reads inside the table.
  int64_t tableRows = op.getTable().getType().getShape().front();
  return arith::MinUIOp::create(builder, loc, id, constant(builder, loc, tableRows - 1));
}

/// From a table in rows.
static void copyRows(OpBuilder &builder, EmbedOp op, Value into, int64_t cols) {
  Location loc = op.getLoc();
  bool isHalf = op.getTable().getType().getStorage() == Storage::F16;
  Type element = isHalf ? Type(builder.getF16Type()) : Type(builder.getBF16Type());
  auto stored = VectorType::get({kLanes}, element);
  auto lanes = VectorType::get({kLanes}, builder.getF32Type());
  // convert-weights-to-llvm turns the weight into this pointer.
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Value base =
      UnrealizedConversionCastOp::create(builder, loc, pointer, op.getTable()).getResult(0);
  Value rows = memref::DimOp::create(builder, loc, op.getIds(), 0);
  heed::buildRowTasks(builder, loc, rows, kTaskRows, [&](OpBuilder &body, Value begin, Value end) {
    auto ofRow = scf::ForOp::create(body, loc, begin, end, constant(body, loc, 1));
    OpBuilder inRow = OpBuilder::atBlockTerminator(ofRow.getBody());
    Value row = ofRow.getInductionVar();
    Value first =
        arith::MulIOp::create(inRow, loc, idOf(inRow, op, row), constant(inRow, loc, cols));
    auto loop = scf::ForOp::create(inRow, loc, constant(inRow, loc, 0), constant(inRow, loc, cols),
                                   constant(inRow, loc, kLanes));
    OpBuilder inStep = OpBuilder::atBlockTerminator(loop.getBody());
    Value column = loop.getInductionVar();
    Value place = arith::AddIOp::create(inStep, loc, first, column);
    place = arith::IndexCastOp::create(inStep, loc, inStep.getI64Type(), place);
    place = LLVM::GEPOp::create(inStep, loc, pointer, element, base, ArrayRef<LLVM::GEPArg>{place});
    Value values = LLVM::LoadOp::create(inStep, loc, stored, place, /*alignment=*/16);
    values = arith::ExtFOp::create(inStep, loc, lanes, values);
    vector::StoreOp::create(inStep, loc, values, into, ValueRange{row, column});
  });
}

/// From a table in panels. One row is one lane of its panel: reads all lanes and keeps that one. A
/// row is short next to the model that reads the table as a matrix too.
static void pickLanes(OpBuilder &builder, EmbedOp op, Value into, int64_t cols) {
  Location loc = op.getLoc();
  PanelReader reader(builder, loc, op.getTable(), cols);
  Value rows = memref::DimOp::create(builder, loc, op.getIds(), 0);
  scf::ForallOp::create(
      builder, loc, ArrayRef<OpFoldResult>{rows}, ValueRange{}, std::nullopt,
      [&](OpBuilder &body, Location, ValueRange args) {
        Value id = idOf(body, op, args[0]), lanes = constant(body, loc, kLanes);
        Value panel = arith::DivUIOp::create(body, loc, id, lanes);
        Value lane = arith::RemUIOp::create(body, loc, id, lanes);
        auto copyStep = [&](OpBuilder &at, Value step, int64_t columns) {
          Value first =
              arith::MulIOp::create(at, loc, step, constant(at, loc, reader.columnsPerStep()));
          reader.forEachColumn(
              at, reader.address(at, panel, step), columns, [&](int64_t column, Value values) {
                Value value = vector::ExtractOp::create(at, loc, values, OpFoldResult(lane));
                Value place = arith::AddIOp::create(at, loc, first, constant(at, loc, column));
                memref::StoreOp::create(at, loc, value, into, ValueRange{args[0], place});
              });
        };
        Value steps = constant(body, loc, reader.steps());
        auto loop =
            scf::ForOp::create(body, loc, constant(body, loc, 0), steps, constant(body, loc, 1));
        OpBuilder inStep = OpBuilder::atBlockTerminator(loop.getBody());
        copyStep(inStep, loop.getInductionVar(), reader.columnsPerStep());
        if (reader.tailColumns() != 0)
          copyStep(body, steps, reader.tailColumns());
        scf::InParallelOp::create(body, loc);
      });
}

LogicalResult heed::attn::lowerEmbed(OpBuilder &builder, EmbedOp op) {
  FailureOr<Value> into =
      asMatrix(builder, op, op.getInto(), op.getTable().getType().getRank() - 1);
  if (failed(into))
    return failure();
  int64_t cols = cast<MemRefType>(into->getType()).getDimSize(1);
  if (op.getInRows())
    copyRows(builder, op, *into, cols);
  else
    pickLanes(builder, op, *into, cols);
  return success();
}
