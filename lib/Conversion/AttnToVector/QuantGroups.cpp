//===- QuantGroups.cpp - groups of quantised weights, for dot products ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantGroups.h"

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heed::attn;

Value QuantGroups::splatBytes(OpBuilder &builder, int value) const {
  auto bytes = VectorType::get({4 * kLanes}, builder.getI8Type());
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(bytes, static_cast<int8_t>(value)));
}

Value QuantGroups::asBytes(OpBuilder &builder, Value lanes) const {
  auto bytes = VectorType::get({4 * kLanes}, builder.getI8Type());
  return vector::BitCastOp::create(builder, loc, bytes, lanes);
}

/// A scale of 0 as one by which products are nothing beside a min, which is divided by it.
static constexpr float kNoScale = 0x1p-60f;

Value QuantGroups::splat(OpBuilder &builder, float value) const {
  auto floats = VectorType::get({kLanes}, builder.getF32Type());
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(floats, value));
}

QuantGroup QuantGroups::read(OpBuilder &builder, const PanelReader &panel, Value address) const {
  QuantGroup group;
  group.bundles = panel.fours(builder, address);
  if (form == RowForm::Words)
    group.bundles = widened(builder, group.bundles);
  group.scales = panel.scales(builder, address);
  if (panel.hasMin())
    group.offsets = panel.mins(builder, address);
  // Where stored numbers have something too much, a row's sum may take it back; else the mins do.
  int excess = isCentred() ? panel.bias() - panel.middle() : panel.bias();
  if (excess != 0)
    for (auto [min, scale] : llvm::zip(group.offsets, group.scales))
      min = vector::FMAOp::create(builder, loc, scale, splat(builder, static_cast<float>(-excess)),
                                  min);
  if (isCentred())
    makePairs(builder, group);
  return group;
}

SmallVector<Value> QuantGroups::widened(OpBuilder &builder, ArrayRef<Value> fours) const {
  auto ints = VectorType::get({kLanes}, builder.getI32Type());
  SmallVector<Value> words;
  for (Value four : fours)
    for (int64_t first : {0, 2}) {
      SmallVector<int64_t> mask;
      for (int64_t byte = first; byte < 4 * kLanes; byte += 4)
        mask.append({byte, 4 * kLanes, byte + 1, 4 * kLanes});
      Value bytes = vector::ShuffleOp::create(builder, loc, asBytes(builder, four),
                                              splatBytes(builder, 0), mask);
      words.push_back(vector::BitCastOp::create(builder, loc, ints, bytes));
    }
  return words;
}

Value QuantGroups::readBundle(OpBuilder &builder, const PanelReader &panel, Value address,
                              Value first, int64_t number) const {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  if (form != RowForm::Words) {
    int64_t half = reader.columnsPerStep() / columnsOfBundle() / 2;
    Value four = arith::AddIOp::create(builder, loc, first, index(number % half));
    return panel.nibbles(builder, address, four, /*isUpper=*/number >= half);
  }
  Value four = arith::AddIOp::create(
      builder, loc, arith::DivUIOp::create(builder, loc, first, index(2)), index(number / 2));
  return widened(builder, panel.four(builder, address, four))[number % 2];
}

void QuantGroups::makePairs(OpBuilder &builder, QuantGroup &group) const {
  auto floats = VectorType::get({kLanes}, builder.getF32Type());
  auto ints = VectorType::get({kLanes}, builder.getI32Type());
  Value min = splat(builder, 0), &scale = group.scales.front();
  if (!group.offsets.empty()) {
    Value isZero = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, scale, min);
    scale = arith::SelectOp::create(builder, loc, isZero, splat(builder, kNoScale), scale);
    min = arith::DivFOp::create(builder, loc, group.offsets.front(), scale);
  }
  // Eight numbers of five bits add up in a byte.
  Value sums = asBytes(builder, group.bundles.front());
  for (Value four : ArrayRef(group.bundles).drop_front())
    sums = arith::AddIOp::create(builder, loc, sums, asBytes(builder, four));
  auto all = static_cast<int32_t>(-reader.middle() * reader.columnsPerStep());
  Value start = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(ints, all));
  Value sum = DotBytesOp::create(builder, loc, start, sums, splatBytes(builder, 1));
  sum = arith::SIToFPOp::create(builder, loc, floats, sum);
  auto narrow = [&](Value value) -> Value {
    return arith::TruncFOp::create(builder, loc, VectorType::get({kLanes}, builder.getBF16Type()),
                                   value);
  };
  group.offsets = {vector::InterleaveOp::create(builder, loc, narrow(min), narrow(sum))};
}

QuantGroup QuantGroups::paired(OpBuilder &builder, QuantGroup group) const {
  // Of the first half of the columns signed bytes, of the second unsigned ones.
  auto ints = VectorType::get({kLanes}, builder.getI32Type());
  size_t half = group.bundles.size() / 2;
  int middle = reader.middle();
  Value cross = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(ints));
  for (size_t four = 0; four < half; ++four) {
    Value low = arith::AddIOp::create(builder, loc, asBytes(builder, group.bundles[four]),
                                      splatBytes(builder, -middle));
    Value high = arith::AddIOp::create(builder, loc, asBytes(builder, group.bundles[half + four]),
                                       splatBytes(builder, PanelLayout::byteBias - middle));
    cross = DotBytesOp::create(builder, loc, cross, high, low);
    group.bundles[four] = vector::BitCastOp::create(builder, loc, ints, low);
    group.bundles[half + four] = vector::BitCastOp::create(builder, loc, ints, high);
  }
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(ints));
  group.cross = arith::SubIOp::create(builder, loc, zero, cross);
  return group;
}

void QuantGroups::allocate(OpBuilder &builder, int64_t panels) {
  auto allocated = [&](int64_t perStep, int64_t lanes, Type element) -> Value {
    auto type = MemRefType::get({panels, reader.steps(), perStep, lanes}, element);
    return memref::AllocOp::create(builder, loc, type, builder.getI64IntegerAttr(64));
  };
  int64_t parts = reader.scalesPerStep();
  bundles = allocated(reader.columnsPerStep() / columnsOfBundle(), kLanes, builder.getI32Type());
  scales = allocated(parts, kLanes, builder.getF32Type());
  if (isCentred())
    offsets = allocated(parts, 2 * kLanes, builder.getBF16Type());
  else if (reader.hasMin())
    offsets = allocated(parts, kLanes, builder.getF32Type());
  if (isCentred())
    crosses = allocated(1, kLanes, builder.getI32Type());
}

SmallVector<Value> QuantGroups::placeOf(OpBuilder &builder, int64_t panel, Value step,
                                        OpFoldResult number) const {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  return {index(panel), step, getValueOrCreateConstantIndexOp(builder, loc, number), index(0)};
}

void QuantGroups::keep(OpBuilder &builder, QuantGroup group, int64_t panel, Value step) const {
  auto store = [&](ArrayRef<Value> vectors, Value memref) {
    for (auto [number, vector] : llvm::enumerate(vectors))
      vector::StoreOp::create(builder, loc, vector, memref,
                              placeOf(builder, panel, step, builder.getIndexAttr(number)));
  };
  if (isCentred()) {
    group = paired(builder, std::move(group));
    store(group.cross, crosses);
  }
  store(group.bundles, bundles);
  store(group.scales, scales);
  if (offsets)
    store(group.offsets, offsets);
}

Value QuantGroups::loadFrom(OpBuilder &builder, Value memref, int64_t panel, Value step,
                            OpFoldResult number) const {
  auto kept = cast<MemRefType>(memref.getType());
  auto type = VectorType::get({kept.getShape().back()}, kept.getElementType());
  return vector::LoadOp::create(builder, loc, type, memref, placeOf(builder, panel, step, number));
}

QuantGroup QuantGroups::load(OpBuilder &builder, int64_t panel, Value step) const {
  QuantGroup group;
  for (int64_t part = 0; part < reader.scalesPerStep(); ++part) {
    OpFoldResult at = builder.getIndexAttr(part);
    group.scales.push_back(loadFrom(builder, scales, panel, step, at));
    if (offsets)
      group.offsets.push_back(loadFrom(builder, offsets, panel, step, at));
  }
  if (crosses)
    group.cross = loadFrom(builder, crosses, panel, step, builder.getIndexAttr(0));
  return group;
}

Value QuantGroups::loadBundle(OpBuilder &builder, int64_t panel, Value step,
                              OpFoldResult bundle) const {
  return loadFrom(builder, bundles, panel, step, bundle);
}
