//===- KeyTiles.h - a task's loop over tiles of keys -----------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A task folds the keys that its rows may see, a tile at a time:
//
//   for each range of keys                                   (KeyRanges.h)
//     for each tile in it
//       every row must see every key:  fold without the mask
//       undecided:                     evaluate the mask over the tile
//       some row sees some key:        fold with the mask
//
// What of it is decided when compiling leaves no code: a causal mask or a window has
// one range, no empty tiles in it, and a comparison a tile.
//
// Tiles begin at multiples of their length, and are cut off where the range ends, in
// which nobody sees anything. So which keys are folded together depends on their
// own indices alone, and a row's result is the same whichever rows share its task:
// a key that is hidden from it adds a zero to its sums and leaves its maximum.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_KEYTILES_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_KEYTILES_H

#include "PredicateIntervals.h"

namespace heed::attn {

/// The rows and heads of a task, and the keys that they might see.
struct KeyTilesTask {
  mlir::Region &mask;              ///< of arguments h, i and j; empty where everything is visible
  Interval heads, rows;            ///< of the task, both inclusive
  mlir::Value keys;                ///< how many there are
  int64_t keyTile;                 ///< how many of them are folded at once
  mlir::Value headTable, rowTable; ///< each lane's, as attn.online_attention takes them
  /// Folds tiles from `begin` to `end`-1 alone, where given: multiples of `keyTile`, or the last
  /// `keys`.
  mlir::Value begin, end;
  /// A tile's first key is a multiple of it, and it divides `keyTile`.
  int64_t step = 1;
};

/// The tiles that the task might fold, as keys begin … end-1: multiples of `keyTile`, or the last
/// `keys`. Reads neither table.
struct KeySpan {
  mlir::Value begin, end;
};
KeySpan keysOfTiles(mlir::OpBuilder &builder, mlir::Location loc, const KeyTilesTask &task);

/// Folds keys first … first + count - 1 into a state, with or without the mask.
using FoldKeys = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder &, mlir::Value first, mlir::Value count, bool masked, mlir::ValueRange state)>;

/// Builds the loop and returns the last state.
llvm::SmallVector<mlir::Value> foldKeyTiles(mlir::OpBuilder &builder, mlir::Location loc,
                                            const KeyTilesTask &task, mlir::ValueRange state,
                                            FoldKeys fold);

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_KEYTILES_H
