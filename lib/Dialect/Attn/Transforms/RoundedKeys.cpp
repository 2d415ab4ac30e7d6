//===- RoundedKeys.cpp - keys and values in bf16, for all tasks of an attention -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every task of query rows reads the keys that its rows see: in a prompt of n rows
// a key is read n / 2 / (rows of a task) times. So keys and values are rounded before,
// once, by tasks of their own.
//
//===----------------------------------------------------------------------===//

#include "RoundedKeys.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heed::attn;

namespace {

Value index(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

/// Rows of a tensor as offsets and sizes.
struct RowSlice {
  SmallVector<OpFoldResult> offsets, sizes, strides;

  RowSlice(OpBuilder &builder, RankedTensorType type, const RowsOfTask &rows) {
    OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
    if (rows.batch)
      offsets.push_back(type.getDimSize(0) == 1 ? zero : OpFoldResult(rows.batch));
    if (rows.head)
      offsets.push_back(rows.head);
    sizes.assign(offsets.size(), one);
    offsets.append({OpFoldResult(rows.first), zero});
    sizes.append({OpFoldResult(rows.count), builder.getIndexAttr(type.getShape().back())});
    strides.assign(offsets.size(), one);
  }
};

Value quotient(OpBuilder &builder, Location loc, Value dividend, int64_t divisor) {
  if (divisor == 1)
    return dividend;
  return arith::CeilDivUIOp::create(builder, loc, dividend, index(builder, loc, divisor));
}

/// `size`, no greater than `most`, as a difference that tells heed-share-buffers so: in a loop the
/// size of a round may depend on what the round does, and `most` doesn't.
Value sizeUpTo(OpBuilder &builder, Location loc, Value most, Value size) {
  Value rest = arith::SubIOp::create(builder, loc, most, size);
  return arith::SubIOp::create(builder, loc, most, rest, arith::IntegerOverflowFlags::nuw);
}

/// Room for so many rows of each batch and head of `source`.
Value roomFor(OpBuilder &builder, Location loc, Value source, Value rows, int64_t columns) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, source);
  sizes.pop_back_n(2);
  sizes.append({OpFoldResult(rows), builder.getIndexAttr(columns)});
  return tensor::EmptyOp::create(builder, loc, sizes, builder.getBF16Type());
}

/// Makes of a task's rows what belongs in `into`, a slice of the result.
using RowsBuilder = function_ref<Value(OpBuilder &, Value rows, Value into)>;

/// Tasks over each batch, head and tile of rows.
struct RoundingTasks {
  Location loc;
  bool hasBatch;
  Value begin, end; ///< rows of the source
  int64_t tile;

  /// `perRow` rows of the source make one of `into`.
  Value build(OpBuilder &builder, Value source, Value into, int64_t perRow,
              RowsBuilder round) const {
    int64_t leading = cast<RankedTensorType>(source.getType()).getRank() - 2;
    SmallVector<OpFoldResult> tasks(
        ArrayRef(tensor::getMixedSizes(builder, loc, source)).take_front(leading));
    Value count = arith::SubIOp::create(builder, loc, end, begin);
    tasks.push_back(quotient(builder, loc, count, tile));
    auto forall = scf::ForallOp::create(
        builder, loc, tasks, into, std::nullopt, [&](OpBuilder &body, Location, ValueRange args) {
          Value target = args.back();
          Value start = arith::MulIOp::create(body, loc, args[leading], index(body, loc, tile));
          Value first = arith::AddIOp::create(body, loc, begin, start);
          Value left = arith::SubIOp::create(body, loc, end, first);
          Value taken = arith::MinSIOp::create(body, loc, left, index(body, loc, tile));
          RowsOfTask read{hasBatch ? args[0] : Value(),
                          leading > hasBatch ? args[hasBatch] : Value(), first, taken};
          RowsOfTask made = read;
          made.first = quotient(body, loc, start, perRow);
          made.count = quotient(body, loc, taken, perRow);
          Value rows = sliceOfRows(body, loc, source, read);
          Value result = round(body, rows, sliceOfRows(body, loc, target, made));
          RowSlice place(body, cast<RankedTensorType>(target.getType()), made);
          auto terminator = scf::InParallelOp::create(body, loc);
          OpBuilder inParallel = OpBuilder::atBlockEnd(terminator.getBody());
          tensor::ParallelInsertSliceOp::create(inParallel, loc, result, target, place.offsets,
                                                place.sizes, place.strides);
        });
    return forall.getResult(0);
  }
};

int64_t columnsOf(Value rows) { return cast<RankedTensorType>(rows.getType()).getShape().back(); }

} // namespace

Value heed::attn::sliceOfRows(OpBuilder &builder, Location loc, Value tensor,
                              const RowsOfTask &rows) {
  auto type = cast<RankedTensorType>(tensor.getType());
  RowSlice slice(builder, type, rows);
  // Values that are some components of the keys are read where these lie.
  if (auto part = tensor.getDefiningOp<tensor::ExtractSliceOp>();
      part && part.getSourceType().getRank() == type.getRank() && part.hasUnitStride() &&
      llvm::all_of(ArrayRef(part.getMixedOffsets()).drop_back(),
                   [](OpFoldResult offset) { return isConstantIntValue(offset, 0); })) {
    slice.offsets.back() = part.getMixedOffsets().back();
    tensor = part.getSource();
  }
  auto result =
      RankedTensorType::get({ShapedType::kDynamic, type.getShape().back()}, type.getElementType());
  return tensor::ExtractSliceOp::create(builder, loc, result, tensor, slice.offsets, slice.sizes,
                                        slice.strides);
}

RoundedKeys::RoundedKeys(OpBuilder &builder, Location loc, Value k, Value v, bool hasBatch,
                         Value begin, Value end, Value most, int64_t tile)
    : k(k), v(v), hasBatch(hasBatch), begin(begin), end(end), tile(tile) {
  Value count = arith::SubIOp::create(builder, loc, end, begin);
  Value pairs = quotient(builder, loc, count, 2), mostPairs = quotient(builder, loc, most, 2);
  keys = roomFor(builder, loc, k, sizeUpTo(builder, loc, most, count), columnsOf(k));
  values = roomFor(builder, loc, v, sizeUpTo(builder, loc, mostPairs, pairs), 2 * columnsOf(v));
}

void RoundedKeys::round(OpBuilder &builder, Location loc) {
  RoundingTasks tasks{loc, hasBatch, begin, end, tile};
  keys = tasks.build(builder, k, keys, 1, [&](OpBuilder &body, Value rows, Value) {
    return roundToBf16(body, loc, rows);
  });
  values = tasks.build(builder, v, values, 2, [&](OpBuilder &body, Value rows, Value into) {
    return PairRowsOp::create(body, loc, into.getType(), rows, into).getResult(0);
  });
}

Value RoundedKeys::keysOf(OpBuilder &builder, Location loc, const RowsOfTask &rows) const {
  RowsOfTask own = rows;
  own.first = arith::SubIOp::create(builder, loc, rows.first, begin);
  return sliceOfRows(builder, loc, keys, own);
}

Value RoundedKeys::valuesOf(OpBuilder &builder, Location loc, const RowsOfTask &rows) const {
  RowsOfTask pairs = rows;
  Value first = arith::SubIOp::create(builder, loc, rows.first, begin);
  Value two = index(builder, loc, 2);
  pairs.first = arith::DivUIOp::create(builder, loc, first, two);
  pairs.count = arith::CeilDivUIOp::create(builder, loc, rows.count, two);
  return sliceOfRows(builder, loc, values, pairs);
}
