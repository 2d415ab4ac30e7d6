//===- PairedTiles.cpp - keys and values of a tile as pairs of bf16 -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A dot product of pairs takes two factors that lie side by side. Scores are summed
// over components, which do; weighing is summed over keys, so the values of two keys
// are interleaved. Either takes an instruction or two for sixteen numbers, against
// as many products as a task has vectors of lanes for two of them.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <numeric>

using namespace mlir;
using namespace heed::attn;

namespace {

/// Walks over rows of f32 in vectors.
class TileRounding {
public:
  TileRounding(OpBuilder &builder, Location loc, Value rows)
      : loc(loc), rows(rows), columns(cast<MemRefType>(rows.getType()).getDimSize(1)),
        lanes(std::gcd(columns, kLanes)) {
    count = memref::DimOp::create(builder, loc, rows, 0);
  }

  /// Calls `build` for each vector of rows 0, step, …
  void forEachVector(OpBuilder &builder, int64_t step,
                     function_ref<void(OpBuilder &, Value row, Value column)> build) {
    auto loop =
        scf::ForOp::create(builder, loc, constant(builder, 0), count, constant(builder, step));
    OpBuilder inRow = OpBuilder::atBlockTerminator(loop.getBody());
    for (int64_t column = 0; column < columns; column += lanes)
      build(inRow, loop.getInductionVar(), constant(inRow, column));
  }

  Value constant(OpBuilder &builder, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value rounded(OpBuilder &builder, Value row, Value column) {
    Value wide =
        vector::LoadOp::create(builder, loc, VectorType::get({lanes}, builder.getF32Type()), rows,
                               ValueRange{row, column});
    return arith::TruncFOp::create(builder, loc, VectorType::get({lanes}, builder.getBF16Type()),
                                   wide);
  }

  Location loc;
  Value rows, count;
  int64_t columns, lanes;
};

} // namespace

Value heed::attn::narrowedKeys(OpBuilder &builder, OnlineAttentionOp op) {
  Location loc = op.getLoc();
  TileRounding keys(builder, loc, op.getK());
  Value narrow = allocateForTask(op, {static_cast<int64_t>(op.getKeyTile()), keys.columns},
                                 builder.getBF16Type());
  keys.forEachVector(builder, 1, [&](OpBuilder &body, Value row, Value column) {
    vector::StoreOp::create(body, loc, keys.rounded(body, row, column), narrow,
                            ValueRange{row, column});
  });
  return narrow;
}

Value heed::attn::pairedValues(OpBuilder &builder, OnlineAttentionOp op) {
  Location loc = op.getLoc();
  TileRounding values(builder, loc, op.getV());
  int64_t pairs = llvm::divideCeil(static_cast<int64_t>(op.getKeyTile()), 2);
  Value paired = allocateForTask(op, {pairs, 2 * values.columns}, builder.getBF16Type());
  Value last = arith::SubIOp::create(builder, loc, values.count, values.constant(builder, 1));
  values.forEachVector(builder, 2, [&](OpBuilder &body, Value row, Value column) {
    Value two = values.constant(body, 2);
    Value next = arith::AddIOp::create(body, loc, row, values.constant(body, 1));
    next = arith::MinUIOp::create(body, loc, next, last);
    Value both = vector::InterleaveOp::create(body, loc, values.rounded(body, row, column),
                                              values.rounded(body, next, column));
    Value place[] = {arith::DivUIOp::create(body, loc, row, two),
                     arith::MulIOp::create(body, loc, column, two)};
    vector::StoreOp::create(body, loc, both, paired, place);
  });
  return paired;
}
