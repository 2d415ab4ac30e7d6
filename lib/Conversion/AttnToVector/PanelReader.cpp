//===- PanelReader.cpp - reads a packed weight matrix as vectors -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PanelReader.h"
#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace heed;
using namespace heed::attn;

/// Floats come column by column, bf16 in pairs; several make one step, to keep loops short.
static int64_t floatStep(int64_t cols, int64_t groupColumns) {
  int64_t groups = cols / groupColumns;
  for (int64_t step : {4, 2})
    if (groups % step == 0)
      return step * groupColumns;
  return groupColumns;
}

PanelReader::PanelReader(OpBuilder &builder, Location loc, Value weight, int64_t cols)
    : loc(loc), weight(weight), cols(cols) {
  auto storage = static_cast<uint32_t>(cast<WeightType>(weight.getType()).getStorage());
  layout = panelLayout(StorageSet::fromBits(storage).value());
  stepColumns = layout.isQuantised() ? layout.groupColumns : floatStep(cols, layout.groupColumns);
  // convert-weights-to-llvm turns the weight into this pointer.
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  base = UnrealizedConversionCastOp::create(builder, loc, pointer, weight).getResult(0);
}

Value PanelReader::offsetOf(OpBuilder &builder, Value panel, Value step) const {
  int64_t stepBytes = stepColumns / layout.groupColumns * layout.groupBytes;
  Value panelBytes =
      arith::ConstantIndexOp::create(builder, loc, layout.groups(cols) * layout.groupBytes);
  Value bytes = arith::ConstantIndexOp::create(builder, loc, stepBytes);
  return arith::AddIOp::create(builder, loc, arith::MulIOp::create(builder, loc, panel, panelBytes),
                               arith::MulIOp::create(builder, loc, step, bytes));
}

Value PanelReader::address(OpBuilder &builder, Value panel, Value step) const {
  Value offset = offsetOf(builder, panel, step);
  offset = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), offset);
  return LLVM::GEPOp::create(builder, loc, base.getType(), builder.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{offset});
}

void PanelReader::readAhead(OpBuilder &builder, Value panel, Value step, int64_t ahead) const {
  Value offset = arith::AddIOp::create(builder, loc, offsetOf(builder, panel, step),
                                       arith::ConstantIndexOp::create(builder, loc, ahead));
  PrefetchOp::create(builder, loc, weight, offset,
                     stepColumns / layout.groupColumns * layout.groupBytes, /*level=*/1);
}

void PanelReader::readNext(OpBuilder &builder, Value first, int64_t count, Value begin,
                           int64_t bytes) const {
  int64_t panelBytes = layout.groups(cols) * layout.groupBytes;
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Value offset = arith::MulIOp::create(builder, loc, first, constant(panelBytes));
  Value last = constant(std::max<int64_t>(0, count * panelBytes - bytes));
  begin = arith::MinUIOp::create(builder, loc, begin, last);
  PrefetchOp::create(builder, loc, weight, arith::AddIOp::create(builder, loc, offset, begin),
                     bytes, /*level=*/2);
}

void PanelReader::announce(OpBuilder &builder, Value first, int64_t count) const {
  int64_t panelBytes = layout.groups(cols) * layout.groupBytes;
  Value bytes = arith::ConstantIndexOp::create(builder, loc, panelBytes);
  Value offset = arith::MulIOp::create(builder, loc, first, bytes);
  AnnounceOp::create(builder, loc, weight, offset, count * panelBytes);
}

Value PanelReader::splatBits(OpBuilder &builder, int32_t value) const {
  auto ints = VectorType::get({kLanes}, builder.getI32Type());
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(ints, value));
}

Value PanelReader::load(OpBuilder &builder, Value address, int64_t offset, Type element,
                        int64_t count) const {
  Value place = LLVM::GEPOp::create(builder, loc, base.getType(), builder.getI8Type(), address,
                                    ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  return LLVM::LoadOp::create(builder, loc, VectorType::get({count}, element), place,
                              /*alignment=*/16);
}

SmallVector<Value> PanelReader::scaleVectors(OpBuilder &builder, Value address,
                                             int64_t offset) const {
  auto f32Lanes = VectorType::get({kLanes}, builder.getF32Type());
  SmallVector<Value> scales;
  for (int group = 0; group < layout.scalesPerGroup(); ++group) {
    int64_t place = offset + group * kLanes * layout.scaleBytes();
    if (layout.scaleIsF16)
      scales.push_back(arith::ExtFOp::create(builder, loc, f32Lanes,
                                             load(builder, address, place, builder.getF16Type())));
    else
      scales.push_back(load(builder, address, place, builder.getF32Type()));
  }
  return scales;
}

SmallVector<Value> PanelReader::fours(OpBuilder &builder, Value address) const {
  auto bits = [&](int32_t value) { return splatBits(builder, value); };
  const bool nibbles = layout.hasNibbles();
  SmallVector<Value> low, high;
  for (int64_t four = 0; four < stepColumns / (nibbles ? 8 : 4); ++four) {
    Value bytes =
        load(builder, address, layout.quantsOffset + four * 4 * kLanes, builder.getI32Type());
    if (!nibbles) {
      low.push_back(bytes);
      continue;
    }
    low.push_back(arith::AndIOp::create(builder, loc, bytes, bits(0x0f0f0f0f)));
    Value upper = arith::ShRUIOp::create(builder, loc, bytes, bits(4));
    high.push_back(arith::AndIOp::create(builder, loc, upper, bits(0x0f0f0f0f)));
  }
  low.append(high); // columns 16 … 31
  if (layout.quant != PanelLayout::Quant::U5)
    return low;
  // Bit j of each byte belongs to the four number j, whose bytes want it as their bit 4.
  Value fifth = load(builder, address, layout.fifthBitsOffset(), builder.getI32Type());
  for (auto [four, bytes] : llvm::enumerate(low)) {
    int32_t left = 4 - static_cast<int32_t>(four);
    Value top = left > 0   ? Value(arith::ShLIOp::create(builder, loc, fifth, bits(left)))
                : left < 0 ? Value(arith::ShRUIOp::create(builder, loc, fifth, bits(-left)))
                           : fifth;
    top = arith::AndIOp::create(builder, loc, top, bits(0x10101010));
    bytes = arith::OrIOp::create(builder, loc, bytes, top);
  }
  return low;
}

Value PanelReader::four(OpBuilder &builder, Value address, Value index) const {
  assert(!layout.hasNibbles() && "a four of few bits isn't a byte for each number");
  return fourBytes(builder, address, index);
}

Value PanelReader::nibbles(OpBuilder &builder, Value address, Value index, bool isUpper) const {
  auto bits = [&](int32_t value) { return splatBits(builder, value); };
  Value bytes = fourBytes(builder, address, index);
  if (isUpper)
    bytes = arith::ShRUIOp::create(builder, loc, bytes, bits(4));
  return arith::AndIOp::create(builder, loc, bytes, bits(0x0f0f0f0f));
}

Value PanelReader::fourBytes(OpBuilder &builder, Value address, Value index) const {
  Value bytes = arith::ConstantIndexOp::create(builder, loc, 4 * kLanes);
  Value offset = arith::IndexCastOp::create(builder, loc, builder.getI64Type(),
                                            arith::MulIOp::create(builder, loc, index, bytes));
  Value place = LLVM::GEPOp::create(builder, loc, base.getType(), builder.getI8Type(), address,
                                    ArrayRef<LLVM::GEPArg>{offset});
  return load(builder, place, layout.quantsOffset, builder.getI32Type());
}

Value PanelReader::column(OpBuilder &builder, Value address, int64_t column) const {
  auto f32Lanes = VectorType::get({kLanes}, builder.getF32Type());
  int64_t offset = column / layout.groupColumns * layout.groupBytes;
  if (isF32())
    return load(builder, address, offset, builder.getF32Type());
  if (!isBF16())
    return arith::ExtFOp::create(builder, loc, f32Lanes,
                                 load(builder, address, offset, builder.getF16Type()));
  // A bf16 is the upper half of an f32, and of a pair the second is the upper half.
  Value pair = load(builder, address, offset, builder.getI32Type());
  auto bits = [&](int32_t value) { return splatBits(builder, value); };
  Value upper = column % 2 == 0 ? Value(arith::ShLIOp::create(builder, loc, pair, bits(16)))
                                : arith::AndIOp::create(builder, loc, pair,
                                                        bits(static_cast<int32_t>(0xffff0000)));
  return arith::BitcastOp::create(builder, loc, f32Lanes, upper);
}

Value PanelReader::pair(OpBuilder &builder, Value address, int64_t pair) const {
  return load(builder, address, pair * layout.groupBytes, builder.getBF16Type(), 2 * kLanes);
}

void PanelReader::forEachColumn(OpBuilder &builder, Value address, int64_t count,
                                function_ref<void(int64_t, Value)> use) const {
  auto f32Lanes = VectorType::get({kLanes}, builder.getF32Type());
  auto splat = [&](Type element, TypedAttr value) {
    return arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(VectorType::get({kLanes}, element), ArrayRef<Attribute>(value)));
  };

  if (!layout.isQuantised()) {
    for (int64_t index = 0; index < count; ++index)
      use(index, column(builder, address, index));
    return;
  }

  // value = scale * quant + offset, where offset = min - scale * zeroPoint.
  SmallVector<Value> scales = scaleVectors(builder, address, layout.scalesOffset), offsets;
  if (layout.hasMin)
    offsets = scaleVectors(builder, address, layout.minsOffset);
  if (layout.zeroPoint != 0) {
    Value zero = splat(builder.getF32Type(), builder.getF32FloatAttr(-layout.zeroPoint));
    for (Value scale : scales)
      offsets.push_back(arith::MulFOp::create(builder, loc, scale, zero));
  }
  auto finish = [&](int64_t column, Value quant) {
    int64_t group = column / layout.scaleGroup;
    Value value = arith::SIToFPOp::create(builder, loc, f32Lanes, quant);
    use(column, offsets.empty()
                    ? Value(arith::MulFOp::create(builder, loc, value, scales[group]))
                    : vector::FMAOp::create(builder, loc, value, scales[group], offsets[group]));
  };

  // Columns lie in fours: a lane's 32 bits have four bytes, each a column of S8 or two of U4.
  auto bits = [&](int32_t value) { return splatBits(builder, value); };
  if (layout.quant == PanelLayout::Quant::U5) {
    for (auto [four, bytes] : llvm::enumerate(fours(builder, address)))
      for (int i = 0; i < 4; ++i) {
        Value low = arith::ShRUIOp::create(builder, loc, bytes, bits(8 * i));
        finish(4 * static_cast<int64_t>(four) + i,
               arith::AndIOp::create(builder, loc, low, bits(255)));
      }
    return;
  }
  auto loadFour = [&](int64_t four) {
    return load(builder, address, layout.quantsOffset + four * 4 * kLanes, builder.getI32Type());
  };
  if (layout.quant == PanelLayout::Quant::S8) {
    for (int64_t four = 0; four < stepColumns / 4; ++four) {
      Value biased = loadFour(four);
      Value bytes = arith::XOrIOp::create(builder, loc, biased, bits(0x80808080));
      for (int i = 0; i < 4; ++i) {
        Value top = arith::ShLIOp::create(builder, loc, bytes, bits(24 - 8 * i));
        finish(4 * four + i, arith::ShRSIOp::create(builder, loc, top, bits(24)));
      }
    }
    return;
  }
  // Low nibbles are the first half of the columns.
  SmallVector<Value> fours;
  for (int64_t four = 0; four < stepColumns / 8; ++four)
    fours.push_back(loadFour(four));
  for (int64_t column = 0; column < stepColumns; ++column) {
    int64_t ofHalf = column % (stepColumns / 2), half = column / (stepColumns / 2);
    Value low = arith::ShRUIOp::create(builder, loc, fours[ofHalf / 4],
                                       bits(static_cast<int32_t>(8 * (ofHalf % 4) + 4 * half)));
    finish(column, arith::AndIOp::create(builder, loc, low, bits(15)));
  }
}
