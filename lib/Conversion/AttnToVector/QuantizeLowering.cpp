//===- QuantizeLowering.cpp - rows in eight bits -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of 32 columns is two vectors: its largest magnitude, its scale, its
// quants and their sums, without a loop. A task is a chunk of rows, as many as
// tasks of linalg ops have, so that heed-merge-tasks can join them.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "../RowTasks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

namespace {

/// The parts of a block that a vector holds.
constexpr int64_t kParts = QuantizeOp::kBlock / kLanes;

class QuantizeKernel {
public:
  QuantizeKernel(QuantizeOp op, Value x, Value quants, Value scales, Value sums)
      : loc(op.getLoc()), x(x), quants(quants), scales(scales), sums(sums), group(op.getGroup()),
        cols(cast<MemRefType>(x.getType()).getDimSize(1)) {}

  void build(OpBuilder &builder) {
    Value rows = memref::DimOp::create(builder, loc, x, 0);
    heed::buildRowTasks(
        builder, loc, rows, kTaskRows, [&](OpBuilder &body, Value begin, Value end) {
          auto ofRow = scf::ForOp::create(body, loc, begin, end, constant(body, 1));
          OpBuilder inRow = OpBuilder::atBlockTerminator(ofRow.getBody());
          auto ofBlock =
              scf::ForOp::create(inRow, loc, constant(inRow, 0),
                                 constant(inRow, cols / QuantizeOp::kBlock), constant(inRow, 1));
          OpBuilder inBlock = OpBuilder::atBlockTerminator(ofBlock.getBody());
          buildBlock(inBlock, ofRow.getInductionVar(), ofBlock.getInductionVar());
        });
  }

private:
  Value constant(OpBuilder &builder, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value number(OpBuilder &builder, float value) {
    return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
  }
  Value quotient(OpBuilder &builder, Value lhs, Value rhs) {
    return arith::DivFOp::create(builder, loc, lhs, rhs);
  }

  void buildBlock(OpBuilder &builder, Value row, Value block) {
    auto floats = VectorType::get({kLanes}, builder.getF32Type());
    auto ints = VectorType::get({kLanes}, builder.getI32Type());
    auto bytes = VectorType::get({kLanes}, builder.getI8Type());
    Value first = arith::MulIOp::create(builder, loc, block, constant(builder, QuantizeOp::kBlock));
    auto column = [&](int64_t part) -> Value {
      return arith::AddIOp::create(builder, loc, first, constant(builder, part * kLanes));
    };
    SmallVector<Value> values;
    Value largest;
    for (int64_t part = 0; part < kParts; ++part) {
      values.push_back(
          vector::LoadOp::create(builder, loc, floats, x, ValueRange{row, column(part)}));
      Value size = math::AbsFOp::create(builder, loc, values.back());
      largest = part == 0 ? size : arith::MaximumFOp::create(builder, loc, largest, size);
    }
    Value maximum =
        vector::ReductionOp::create(builder, loc, vector::CombiningKind::MAXIMUMF, largest);
    Value most = number(builder, 127), none = number(builder, 0);
    Value scale = quotient(builder, maximum, most);
    Value isZero = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, maximum, none);
    Value inverse =
        arith::SelectOp::create(builder, loc, isZero, none, quotient(builder, most, maximum));
    inverse = vector::BroadcastOp::create(builder, loc, floats, inverse);
    memref::StoreOp::create(builder, loc, scale, scales, ValueRange{row, block});

    SmallVector<Value> counts;
    for (auto [part, value] : llvm::enumerate(values)) {
      Value scaled = arith::MulFOp::create(builder, loc, value, inverse);
      Value whole = math::RoundEvenOp::create(builder, loc, scaled);
      Value quant = arith::FPToSIOp::create(builder, loc, ints, whole);
      vector::StoreOp::create(builder, loc, arith::TruncIOp::create(builder, loc, bytes, quant),
                              quants, ValueRange{row, column(part)});
      counts.push_back(quant);
    }
    if (group == QuantizeOp::kBlock)
      counts = {arith::AddIOp::create(builder, loc, counts[0], counts[1])};
    for (auto [part, count] : llvm::enumerate(counts)) {
      Value sum = vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, count);
      Type element = cast<MemRefType>(sums.getType()).getElementType();
      if (element.isF32())
        sum = arith::MulFOp::create(builder, loc, scale,
                                    arith::SIToFPOp::create(builder, loc, element, sum));
      Value place = arith::MulIOp::create(builder, loc, block, constant(builder, counts.size()));
      place = arith::AddIOp::create(builder, loc, place, constant(builder, part));
      memref::StoreOp::create(builder, loc, sum, sums, ValueRange{row, place});
    }
  }

  Location loc;
  Value x, quants, scales, sums; ///< matrices, their rows the same
  int64_t group, cols;
};

} // namespace

LogicalResult heed::attn::lowerQuantize(OpBuilder &builder, QuantizeOp op) {
  FailureOr<Value> x = asMatrix(builder, op, op.getX(), op.getContracted());
  FailureOr<Value> quants = asMatrix(builder, op, op.getQuants(), op.getContracted());
  FailureOr<Value> scales = asMatrix(builder, op, op.getScales(), 1);
  FailureOr<Value> sums = asMatrix(builder, op, op.getSums(), 1);
  if (failed(x) || failed(quants) || failed(scales) || failed(sums))
    return failure();
  QuantizeKernel(op, *x, *quants, *scales, *sums).build(builder);
  return success();
}
