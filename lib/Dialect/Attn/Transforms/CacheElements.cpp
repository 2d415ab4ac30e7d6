//===- CacheElements.cpp - rows as a cache stores them --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheElements.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heed::attn;

namespace {

/// Builds the arithmetic of one element.
class ElementBuilder {
public:
  ElementBuilder(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  Value f32(float value) {
    return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
  }
  Value i32(int32_t value) {
    return arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(value));
  }
  Value bits(Value x) { return arith::BitcastOp::create(builder, loc, builder.getI32Type(), x); }
  Value number(Value bits) {
    return arith::BitcastOp::create(builder, loc, builder.getF32Type(), bits);
  }
  /// |x| as bits, which are ordered as the numbers are, NaN above all.
  Value magnitude(Value x) { return arith::AndIOp::create(builder, loc, bits(x), i32(0x7fffffff)); }

  /// The upper half of x, to the nearest and ties to even; a NaN stays one.
  Value toBF16(Value x) {
    Value all = bits(x);
    Value isOdd = arith::AndIOp::create(builder, loc,
                                        arith::ShRUIOp::create(builder, loc, all, i32(16)), i32(1));
    Value half = arith::AddIOp::create(builder, loc, i32(0x7fff), isOdd);
    Value rounded = arith::AddIOp::create(builder, loc, all, half);
    Value quiet = arith::OrIOp::create(builder, loc, all, i32(0x400000));
    Value isNaN = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sgt, magnitude(x),
                                        i32(0x7f800000));
    Value chosen = arith::SelectOp::create(builder, loc, isNaN, quiet, rounded);
    Value upper = arith::ShRUIOp::create(builder, loc, chosen, i32(16));
    upper = arith::TruncIOp::create(builder, loc, builder.getI16Type(), upper);
    return arith::BitcastOp::create(builder, loc, builder.getBF16Type(), upper);
  }

  /// round(x * 127 / largest), where `largest` is the bits of the row's largest magnitude.
  Value toI8(Value x, Value largest) {
    // A row of nothing, or nearly nothing, becomes zeros: 127 / largest must be finite.
    Value most = number(largest);
    Value isSome =
        arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, most, f32(1e-30f));
    Value inverse = arith::DivFOp::create(builder, loc, f32(127), most);
    inverse = arith::SelectOp::create(builder, loc, isSome, inverse, f32(0));
    Value scaled = arith::MulFOp::create(builder, loc, x, inverse);
    // What isn't a number must become some integer all the same.
    Value isInside =
        arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGE, scaled, f32(-127));
    scaled = arith::SelectOp::create(builder, loc, isInside, scaled, f32(-127));
    Value whole = math::RoundEvenOp::create(builder, loc, scaled);
    Value integer = arith::FPToSIOp::create(builder, loc, builder.getI32Type(), whole);
    return arith::TruncIOp::create(builder, loc, builder.getI8Type(), integer);
  }

private:
  OpBuilder &builder;
  Location loc;
};

using Body = function_ref<Value(ElementBuilder &, OpBuilder &, ValueRange)>;

/// A tensor of `sizes`, each element made of those of `inputs` at the same place or, along an axis
/// of which an input has one element, at that one.
Value mapElements(OpBuilder &builder, Location loc, ValueRange inputs, ArrayRef<OpFoldResult> sizes,
                  Type element, Body body) {
  Value into = tensor::EmptyOp::create(builder, loc, sizes, element);
  int64_t rank = sizes.size();
  SmallVector<AffineMap> maps(inputs.size() + 1, builder.getMultiDimIdentityMap(rank));
  for (auto [input, map] : llvm::zip(inputs, maps)) {
    SmallVector<AffineExpr> place(map.getResults());
    if (cast<RankedTensorType>(input.getType()).getShape().back() !=
        cast<RankedTensorType>(into.getType()).getShape().back())
      place.back() = builder.getAffineConstantExpr(0);
    map = AffineMap::get(rank, 0, place, builder.getContext());
  }
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, into.getType(), inputs, into, maps, parallel,
                                   [&](OpBuilder &inside, Location at, ValueRange args) {
                                     ElementBuilder elements(inside, at);
                                     linalg::YieldOp::create(inside, at,
                                                             body(elements, inside, args));
                                   })
      .getResult(0);
}

/// The largest magnitude of each row, as bits: `[…, w]` to `[…, 1]`.
Value largestOfRows(OpBuilder &builder, Location loc, Value rows, ArrayRef<OpFoldResult> sizes) {
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, builder.getI32Type());
  Value zero = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
  Value start = linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
  int64_t rank = sizes.size();
  AffineMap element = builder.getMultiDimIdentityMap(rank);
  SmallVector<AffineExpr> row(element.getResults());
  row.back() = builder.getAffineConstantExpr(0);
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  kinds.back() = utils::IteratorType::reduction;
  return linalg::GenericOp::create(
             builder, loc, empty.getType(), rows, start,
             ArrayRef<AffineMap>{element, AffineMap::get(rank, 0, row, builder.getContext())},
             kinds,
             [&](OpBuilder &inside, Location at, ValueRange args) {
               Value magnitude = ElementBuilder(inside, at).magnitude(args[0]);
               linalg::YieldOp::create(
                   inside, at, Value(arith::MaxUIOp::create(inside, at, args[1], magnitude)));
             })
      .getResult(0);
}

} // namespace

StoredRows heed::attn::buildStoredRows(OpBuilder &builder, Location loc, Value rows, Type element) {
  if (element.isF32())
    return {rows, {}};
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, rows);
  if (!element.isInteger(8))
    return {mapElements(builder, loc, rows, sizes, element,
                        [&](ElementBuilder &elements, OpBuilder &b, ValueRange args) -> Value {
                          if (element.isBF16())
                            return elements.toBF16(args[0]);
                          return arith::TruncFOp::create(b, loc, element, args[0]);
                        }),
            {}};
  SmallVector<OpFoldResult> rowSizes(sizes);
  rowSizes.back() = builder.getIndexAttr(1);
  Value largest = largestOfRows(builder, loc, rows, rowSizes);
  Value scales = mapElements(builder, loc, largest, rowSizes, builder.getF32Type(),
                             [&](ElementBuilder &elements, OpBuilder &b, ValueRange args) -> Value {
                               return arith::DivFOp::create(b, loc, elements.number(args[0]),
                                                            elements.f32(127));
                             });
  Value stored = mapElements(builder, loc, {rows, largest}, sizes, element,
                             [&](ElementBuilder &elements, OpBuilder &, ValueRange args) {
                               return elements.toI8(args[0], args[1]);
                             });
  return {stored, scales};
}

Value heed::attn::buildWidened(OpBuilder &builder, Location loc, Value stored, Value scale) {
  Type f32 = builder.getF32Type();
  if (stored.getType() == f32)
    return stored;
  if (!stored.getType().isInteger(8))
    return arith::ExtFOp::create(builder, loc, f32, stored);
  Value whole = arith::SIToFPOp::create(builder, loc, f32, stored);
  return arith::MulFOp::create(builder, loc, whole, scale);
}
