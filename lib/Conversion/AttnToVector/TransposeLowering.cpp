//===- TransposeLowering.cpp - tiles change their axes in registers -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A square of B rows in B vectors is transposed in log2(B) steps. Step s, of s = 1, 2, 4, …,
// exchanges what lies off the diagonal of each square of 2 s by 2 s numbers:
//
//   row i       a b        a c
//   row i + s   c d   →    b d        a … d being squares of s by s
//
// so that each number's row and column have exchanged bit s of their index. A step is a
// shuffle of two registers for each vector. Loops over single numbers would take a load and
// a store for each.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

namespace {

/// A tile whose first two axes change places.
struct TransposedTile {
  int64_t rows, columns;
  Type element; ///< what moves as one: f32, or a pair of bf16
  bool isPaired;

  static std::optional<TransposedTile> match(linalg::TransposeOp op) {
    auto from = dyn_cast<MemRefType>(op.getInput().getType());
    auto to = dyn_cast<MemRefType>(op.getInit().getType());
    if (!from || !to || !from.hasStaticShape() || !from.getLayout().isIdentity() ||
        !to.getLayout().isIdentity())
      return std::nullopt;
    ArrayRef<int64_t> order = op.getPermutation();
    bool isPaired = from.getElementType().isBF16() && from.getRank() == 3 &&
                    from.getDimSize(2) == 2 && order == ArrayRef<int64_t>{1, 0, 2};
    bool isPlain =
        from.getElementType().isF32() && from.getRank() == 2 && order == ArrayRef<int64_t>{1, 0};
    if (!isPaired && !isPlain)
      return std::nullopt;
    return TransposedTile{from.getDimSize(0), from.getDimSize(1), from.getElementType(), isPaired};
  }

  /// The side of the squares that the tile is cut into, or 0.
  int64_t side(int64_t nativeLanes) const {
    for (int64_t side : {int64_t(16), int64_t(8)})
      if (side <= nativeLanes && rows % side == 0 && columns % side == 0)
        return side;
    return 0;
  }
};

/// Transposes `square`, as many vectors as each has elements.
void transpose(OpBuilder &builder, Location loc, MutableArrayRef<Value> square) {
  auto side = static_cast<int64_t>(square.size());
  for (int64_t step = 1; step < side; step *= 2) {
    SmallVector<int64_t> ofUpper, ofLower;
    for (int64_t column = 0; column < side; ++column) {
      bool isRight = (column & step) != 0; // there the upper row takes from the lower one
      ofUpper.push_back(isRight ? side + column - step : column);
      ofLower.push_back(isRight ? side + column : column + step);
    }
    for (int64_t row = 0; row < side; ++row) {
      if (row & step)
        continue;
      Value upper = square[row], lower = square[row + step];
      square[row] = vector::ShuffleOp::create(builder, loc, upper, lower, ofUpper);
      square[row + step] = vector::ShuffleOp::create(builder, loc, upper, lower, ofLower);
    }
  }
}

} // namespace

bool heed::attn::isTransposedInRegisters(linalg::TransposeOp op, int64_t nativeLanes) {
  std::optional<TransposedTile> tile = TransposedTile::match(op);
  return tile && tile->side(nativeLanes) != 0;
}

void heed::attn::lowerTranspose(OpBuilder &builder, linalg::TransposeOp op, int64_t nativeLanes) {
  TransposedTile tile = *TransposedTile::match(op);
  Location loc = op.getLoc();
  int64_t side = tile.side(nativeLanes), width = tile.isPaired ? 2 : 1;
  auto stored = VectorType::get({side * width}, tile.element);
  // A pair moves as 32 bits.
  auto moved = VectorType::get({side}, tile.isPaired ? Type(builder.getI32Type()) : tile.element);
  auto constant = [&](OpBuilder &b, int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  // Pairs lie side by side: a row of them is one of its numbers.
  auto asRows = [&](Value memory) -> Value {
    if (!tile.isPaired)
      return memory;
    return memref::CollapseShapeOp::create(builder, loc, memory,
                                           ArrayRef<ReassociationIndices>{{0}, {1, 2}});
  };
  Value from = asRows(op.getInput()), to = asRows(op.getInit());
  auto loop = scf::ForOp::create(builder, loc, constant(builder, 0),
                                 constant(builder, tile.columns), constant(builder, side));
  OpBuilder body = OpBuilder::atBlockTerminator(loop.getBody());
  auto plus = [&](Value index, int64_t more) -> Value {
    return arith::AddIOp::create(body, loc, index, constant(body, more));
  };
  Value column = loop.getInductionVar();
  Value place = arith::MulIOp::create(body, loc, column, constant(body, width));
  for (int64_t row = 0; row < tile.rows; row += side) {
    SmallVector<Value> square;
    for (int64_t i = 0; i < side; ++i) {
      Value loaded = vector::LoadOp::create(body, loc, stored, from,
                                            ValueRange{constant(body, row + i), place});
      square.push_back(tile.isPaired ? vector::BitCastOp::create(body, loc, moved, loaded)
                                     : loaded);
    }
    transpose(body, loc, square);
    for (int64_t i = 0; i < side; ++i) {
      Value made =
          tile.isPaired ? vector::BitCastOp::create(body, loc, stored, square[i]) : square[i];
      vector::StoreOp::create(body, loc, made, to,
                              ValueRange{plus(column, i), constant(body, row * width)});
    }
  }
}
