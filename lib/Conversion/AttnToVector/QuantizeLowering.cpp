//===- QuantizeLowering.cpp - rows in 8 or 16 bits -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Four blocks of 32 columns are rounded at once. A task is a chunk of rows, as many
// as tasks of linalg ops have, so that heed-merge-tasks can join them.
//
//===----------------------------------------------------------------------===//

#include "BlockRounding.h"

#include "../RowTasks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

namespace {

class QuantizeKernel {
public:
  /// `matrices`: what the op reads and writes, in its order.
  QuantizeKernel(QuantizeOp op, ArrayRef<Value> matrices)
      : loc(op.getLoc()), x(matrices[0]), quants(matrices[1]), scales(matrices[2]),
        sums(matrices[3]), centres(op.getCentres() ? matrices[4] : Value()),
        crosses(op.getCrosses() ? matrices[5] : Value()), reach(op.getReach()),
        group(op.getGroup()), times(op.getTimes()),
        cols(cast<MemRefType>(x.getType()).getDimSize(1)) {}

  void build(OpBuilder &builder) {
    Value rows = memref::DimOp::create(builder, loc, x, 0);
    heed::buildRowTasks(
        builder, loc, rows, kTaskRows, [&](OpBuilder &body, Value begin, Value end) {
          auto ofRow = scf::ForOp::create(body, loc, begin, end, constant(body, 1));
          OpBuilder inRow = OpBuilder::atBlockTerminator(ofRow.getBody());
          // The last blocks overlap those before where their number isn't a multiple: what is
          // written twice is the same.
          int64_t blocks = cols / QuantizeOp::kBlock, together = std::min(blocks, kBlocks);
          auto ofBlock = scf::ForOp::create(inRow, loc, constant(inRow, 0), constant(inRow, blocks),
                                            constant(inRow, together));
          OpBuilder inBlock = OpBuilder::atBlockTerminator(ofBlock.getBody());
          Value first = arith::MinUIOp::create(inBlock, loc, ofBlock.getInductionVar(),
                                               constant(inBlock, blocks - together));
          buildBlocks(inBlock, ofRow.getInductionVar(), first, together);
        });
  }

private:
  Value constant(OpBuilder &builder, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value multiply(OpBuilder &builder, Value lhs, int64_t rhs) {
    return rhs == 1 ? lhs : arith::MulIOp::create(builder, loc, lhs, constant(builder, rhs));
  }
  Value add(OpBuilder &builder, Value lhs, int64_t rhs) {
    return rhs == 0 ? lhs : arith::AddIOp::create(builder, loc, lhs, constant(builder, rhs));
  }

  /// Writes the first lanes of `values`, as many as there are blocks, `stride` apart.
  void storeOfBlocks(OpBuilder &builder, Value values, Value memref, Value row, Value place,
                     int64_t blocks, int64_t stride) {
    if (stride == 1) {
      if (blocks < kBlocks)
        values = vector::ExtractStridedSliceOp::create(builder, loc, values, {0}, {blocks}, {1});
      vector::StoreOp::create(builder, loc, values, memref, ValueRange{row, place});
      return;
    }
    for (int64_t block = 0; block < blocks; ++block)
      memref::StoreOp::create(builder, loc, vector::ExtractOp::create(builder, loc, values, block),
                              memref, ValueRange{row, add(builder, place, block * stride)});
  }

  /// 4 lanes, or 16, of `value`.
  Value splat(OpBuilder &builder, int64_t lanes, int32_t value) {
    auto type = VectorType::get({lanes}, builder.getI32Type());
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
  }
  Value splat(OpBuilder &builder, float value) {
    auto type = VectorType::get({kBlocks}, builder.getF32Type());
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
  }

  /// Quantises `count` blocks of a row from block `first` on; four at most.
  void buildBlocks(OpBuilder &builder, Value row, Value first, int64_t count) {
    auto floats = VectorType::get({kLanes}, builder.getF32Type());
    auto ints = VectorType::get({kLanes}, builder.getI32Type());
    auto narrowed = VectorType::get({kLanes}, cast<MemRefType>(quants.getType()).getElementType());
    Value firstColumn = multiply(builder, first, QuantizeOp::kBlock);
    auto column = [&](int64_t part) { return add(builder, firstColumn, part * kLanes); };
    SmallVector<Value> values;
    for (int64_t part = 0; part < count * kBlockParts; ++part)
      values.push_back(
          vector::LoadOp::create(builder, loc, floats, x, ValueRange{row, column(part)}));
    BlockRounding rounding = centres ? BlockRounding::aboutCentre(builder, loc, values, reach)
                                     : BlockRounding::aboutZero(builder, loc, values, reach);
    storeOfBlocks(builder, rounding.scale, scales, row, first, count, 1);

    auto ofBlock = [&](Value numbers, int64_t part) -> Value {
      Value number = vector::ExtractOp::create(builder, loc, numbers, part / kBlockParts);
      return vector::BroadcastOp::create(builder, loc, floats, number);
    };
    Value shift;
    if (centres)
      shift = arith::NegFOp::create(
          builder, loc, arith::MulFOp::create(builder, loc, rounding.centre, rounding.inverse));
    SmallVector<Value> counts, narrow;
    for (auto [part, value] : llvm::enumerate(values)) {
      Value inverse = ofBlock(rounding.inverse, part);
      value = centres
                  ? Value(vector::FMAOp::create(builder, loc, value, inverse, ofBlock(shift, part)))
                  : arith::MulFOp::create(builder, loc, value, inverse);
      Value whole = math::RoundEvenOp::create(builder, loc, value);
      Value quant = arith::FPToSIOp::create(builder, loc, ints, whole);
      if (!centres) // what is as far above 0 as the least is below would exceed the type
        quant = arith::MinSIOp::create(builder, loc, quant,
                                       splat(builder, kLanes, static_cast<int32_t>(reach - 1)));
      counts.push_back(quant);
      narrow.push_back(arith::TruncIOp::create(builder, loc, narrowed, quant));
      vector::StoreOp::create(builder, loc, narrow.back(), quants, ValueRange{row, column(part)});
    }
    if (centres)
      buildCentres(builder, narrow, rounding, row, first, count);
    else
      buildSums(builder, counts, rounding.scale, row, first, count);
  }

  /// Gives each block's sum, total and centre, and cross: of quants `narrow`, [blocks][parts].
  void buildCentres(OpBuilder &builder, ArrayRef<Value> narrow, const BlockRounding &rounding,
                    Value row, Value first, int64_t count) {
    auto floats = cast<VectorType>(rounding.centre.getType());
    auto [sum, pair] = sumsAndPairs(builder, narrow);
    Value total = arith::MulFOp::create(builder, loc, rounding.centre,
                                        splat(builder, static_cast<float>(QuantizeOp::kBlock)));
    total = vector::FMAOp::create(builder, loc, rounding.scale,
                                  arith::SIToFPOp::create(builder, loc, floats, sum), total);
    Value both =
        arith::TruncFOp::create(builder, loc, VectorType::get({2 * kBlocks}, builder.getBF16Type()),
                                vector::InterleaveOp::create(builder, loc, total, rounding.centre));
    if (count < kBlocks)
      both = vector::ExtractStridedSliceOp::create(builder, loc, both, {0}, {2 * count}, {1});
    vector::StoreOp::create(builder, loc, both, centres,
                            ValueRange{row, multiply(builder, first, 2)});
    Value cross = arith::MulFOp::create(builder, loc, rounding.scale,
                                        arith::SIToFPOp::create(builder, loc, floats, pair));
    storeOfBlocks(builder, arith::NegFOp::create(builder, loc, cross), crosses, row, first, count,
                  1);
    sum = arith::MulIOp::create(builder, loc, sum, splat(builder, kBlocks, times));
    storeOfBlocks(builder, arith::AddIOp::create(builder, loc, sum, pair), sums, row, first, count,
                  1);
  }

  /// What each block's quants add up to, and those of its second part times 128 more than those of
  /// its first. Dot products add four lanes of bytes at once.
  std::pair<Value, Value> sumsAndPairs(OpBuilder &builder, ArrayRef<Value> narrow) {
    auto bytes = VectorType::get({kBlocks * kLanes}, builder.getI8Type());
    auto all = [&](int8_t value) -> Value {
      return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(bytes, value));
    };
    Value parts[kBlockParts], raised[kBlockParts];
    for (int64_t part = 0; part < kBlockParts; ++part) {
      parts[part] = all(0);
      for (int64_t block = 0; block < kBlocks; ++block) {
        size_t at = block * kBlockParts + part;
        parts[part] = vector::InsertStridedSliceOp::create(
            builder, loc, narrow[at < narrow.size() ? at : part], parts[part], block * kLanes, 1);
      }
      raised[part] = arith::XOrIOp::create(builder, loc, parts[part], all(-128));
    }
    Value sum = splat(builder, kLanes, -2 * 4 * QuantizeOp::kByteReach);
    for (Value bytesOfPart : raised)
      sum = DotBytesOp::create(builder, loc, sum, bytesOfPart, all(1));
    Value pair = DotBytesOp::create(builder, loc, splat(builder, kLanes, 0), raised[0], parts[1]);
    // Four lanes of a block each: first lanes 0 and 2 together, and 1 and 3.
    Value halves =
        arith::AddIOp::create(builder, loc, pickOfFour(builder, loc, sum, pair, {0, 4, 1, 5}),
                              pickOfFour(builder, loc, sum, pair, {2, 6, 3, 7}));
    auto ofBlocks = [&](int64_t lane) -> Value {
      SmallVector<int64_t> mask;
      for (int64_t block = 0; block < kBlocks; ++block)
        mask.push_back(4 * block + lane);
      return vector::ShuffleOp::create(builder, loc, halves, halves, mask);
    };
    return {arith::AddIOp::create(builder, loc, ofBlocks(0), ofBlocks(2)),
            arith::AddIOp::create(builder, loc, ofBlocks(1), ofBlocks(3))};
  }

  /// Adds up a block's quants, [blocks][parts], each part by itself where groups are of 16.
  void buildSums(OpBuilder &builder, ArrayRef<Value> counts, Value scale, Value row, Value first,
                 int64_t count) {
    auto plus = [&](OpBuilder &at, Value a, Value b) -> Value {
      return arith::AddIOp::create(at, loc, a, b);
    };
    int64_t groups = QuantizeOp::kBlock / group, parts = kBlockParts / groups;
    Value place = multiply(builder, first, groups);
    for (int64_t index = 0; index < groups; ++index) {
      SmallVector<Value> ofGroup;
      for (int64_t block = 0; block < count; ++block) {
        int64_t part = block * kBlockParts + index;
        ofGroup.push_back(parts == 1 ? counts[part]
                                     : plus(builder, counts[part], counts[part + 1]));
      }
      ofGroup.resize(kBlocks, ofGroup.front());
      Value sum = joinLanes(builder, loc, ofGroup, plus);
      if (cast<MemRefType>(sums.getType()).getElementType().isF32())
        sum = arith::MulFOp::create(builder, loc, scale,
                                    arith::SIToFPOp::create(builder, loc, scale.getType(), sum));
      else if (times != 1)
        sum = arith::MulIOp::create(builder, loc, sum, splat(builder, kBlocks, times));
      storeOfBlocks(builder, sum, sums, row, add(builder, place, index), count, groups);
    }
  }

  Location loc;
  Value x, quants, scales, sums; ///< matrices, their rows the same
  Value centres, crosses;        ///< of the centred form
  int64_t reach;                 ///< how far quants reach from 0
  int64_t group;
  int32_t times; ///< of integer sums
  int64_t cols;
};

} // namespace

LogicalResult heed::attn::lowerQuantize(OpBuilder &builder, QuantizeOp op) {
  SmallVector<Value> matrices;
  for (OpOperand &operand : op->getOpOperands()) {
    bool hasColumns = operand.getOperandNumber() < 2; // x and quants; others have some for a block
    FailureOr<Value> matrix =
        asMatrix(builder, op, operand.get(), hasColumns ? op.getContracted() : 1);
    if (failed(matrix))
      return failure();
    matrices.push_back(*matrix);
  }
  QuantizeKernel(op, matrices).build(builder);
  return success();
}
