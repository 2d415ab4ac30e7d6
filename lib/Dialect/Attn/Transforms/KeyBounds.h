//===- KeyBounds.h - which keys a tile of queries sees -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mask is a predicate over the row index i and the key index j. For a tile of
// rows iFirst … iLast, interval analysis of the predicate divides the keys:
//
//        0 …        lo …          fullLo …        fullHi …         hi … keys
//        |  unseen  |  some rows  |  every row    |  some rows  |  unseen  |
//
// Keys outside [lo, hi) are never visited; those in [fullLo, fullHi) need no mask.
// The bounds are values, computed from the tile's rows when the model runs: there
// is no mask tensor and no list of blocks, and one code serves prompts and decoding.
//
// What the analysis understands: conjunctions of comparisons in which j has the
// coefficient 1 or -1, i any constant, and the rest doesn't depend on h, i or j:
// `j <= i`, `i - j < window`, `j < length`. Anything else narrows nothing and
// leaves no key without a mask, which is slower and still right.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_KEYBOUNDS_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_KEYBOUNDS_H

#include "mlir/IR/Builders.h"

namespace heed::attn {

/// Bounds as values of type index, with 0 <= lo <= fullLo <= fullHi <= hi <= keys.
struct KeyBounds {
  mlir::Value lo, fullLo, fullHi, hi;
  bool narrowsBelow = false; ///< lo can be above 0
  bool hasFull = false;      ///< [fullLo, fullHi) can have keys
};

/// Builds the bounds for rows iFirst … iLast (both inclusive) of `keys` keys. `mask` is a mask
/// region of arguments (h, i, j); an empty one shows everything.
KeyBounds buildKeyBounds(mlir::OpBuilder &builder, mlir::Location loc, mlir::Region &mask,
                         mlir::Value iFirst, mlir::Value iLast, mlir::Value keys);

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_KEYBOUNDS_H
