//===- PairedTiles.cpp - queries, keys and values as pairs of bf16 --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A dot product of pairs takes two factors that lie side by side. Scores are summed
// over components, which do; weighing is summed over keys, so the values of two keys
// are interleaved.
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
  /// `most` numbers are a vector, or as many as divide a row.
  TileRounding(OpBuilder &builder, Location loc, Value rows, int64_t most)
      : loc(loc), rows(rows), columns(cast<MemRefType>(rows.getType()).getDimSize(1)),
        lanes(std::gcd(columns, most)) {
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

bool heed::attn::isRoundedTile(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 || op.getNumParallelLoops() != 2 ||
      !llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }))
    return false;
  auto from = dyn_cast<MemRefType>(op.getDpsInputs()[0].getType());
  auto to = dyn_cast<MemRefType>(op.getDpsInits()[0].getType());
  bool isInTask = op->getParentOfType<scf::ForallOp>();
  auto isTile = [&](MemRefType type) {
    return type && !type.isDynamicDim(1) && type.isLastDimUnitStride() &&
           (isInTask || type.hasStaticShape());
  };
  auto truncate = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::TruncFOp>();
  return isTile(from) && isTile(to) && from.getElementType().isF32() &&
         to.getElementType().isBF16() && truncate &&
         truncate.getIn() == op.getBody()->getArgument(0);
}

void heed::attn::lowerRoundedTile(OpBuilder &builder, linalg::GenericOp op) {
  Location loc = op.getLoc();
  TileRounding tile(builder, loc, op.getDpsInputs()[0], 2 * kLanes);
  tile.forEachVector(builder, 1, [&](OpBuilder &body, Value row, Value column) {
    vector::StoreOp::create(body, loc, tile.rounded(body, row, column), op.getDpsInits()[0],
                            ValueRange{row, column});
  });
}

void heed::attn::lowerPairRows(OpBuilder &builder, PairRowsOp op) {
  Location loc = op.getLoc();
  TileRounding values(builder, loc, op.getRows(), kLanes);
  Value last = arith::SubIOp::create(builder, loc, values.count, values.constant(builder, 1));
  values.forEachVector(builder, 2, [&](OpBuilder &body, Value row, Value column) {
    Value two = values.constant(body, 2);
    Value next = arith::AddIOp::create(body, loc, row, values.constant(body, 1));
    next = arith::MinUIOp::create(body, loc, next, last);
    Value both = vector::InterleaveOp::create(body, loc, values.rounded(body, row, column),
                                              values.rounded(body, next, column));
    Value place[] = {arith::DivUIOp::create(body, loc, row, two),
                     arith::MulIOp::create(body, loc, column, two)};
    vector::StoreOp::create(body, loc, both, op.getInto(), place);
  });
}
