//===- PredicateIntervals.h - what a predicate says of a whole tile -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile is a box: rows times keys times heads. Interval arithmetic bounds each
// linear form of a predicate (PredicateClauses.h) over a box, by the bounds of i, j
// and its leaves, so that an atom `form <= 0` may hold in the box where the form's
// least bound is <= 0, and must where its greatest one is:
//
//   j - i <= 0  over rows 64 … 95, keys 0 … 63:    -95 … -1    all visible
//                    rows 64 … 95, keys 64 … 127:  -31 … 63    some
//                    rows 64 … 95, keys 128 … 191:  33 … 127   none
//
// Bounds are values, computed when the model runs by a few scalar ops a tile, from
// the tile's place, the rows before this call, lengths and windows: nothing is
// stored for a mask, and one code serves every length.
//
// A leaf's bounds are found by what it is: a quotient or remainder by a constant, a
// minimum, a selection, from the bounds of its parts; a value read from a tensor
// (`segment[j]`) by reading it for each row, head or key of the box. Those of rows
// and heads are computed once a task, those of keys once a tile of keys. So the
// documents of a packed text are told apart by their least and greatest number in
// each tile, sorted or not.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_PREDICATEINTERVALS_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_PREDICATEINTERVALS_H

#include "PredicateClauses.h"

#include "mlir/IR/IRMapping.h"

namespace heed::attn {

/// Bounds, both inclusive, of type index.
struct Interval {
  mlir::Value low, high;
};

/// Builds index arithmetic, folding constants.
class IndexBuilder {
public:
  IndexBuilder(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::Value constant(int64_t value);
  mlir::Value boolean(bool value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b) { return add(a, constant(b)); }
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t b);
  /// a + factor * b
  mlir::Value addScaled(mlir::Value a, mlir::Value b, int64_t factor);
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value floorDiv(mlir::Value a, int64_t b);
  /// The multiple of `b` at or below, or at or above, `a` >= 0.
  mlir::Value alignDown(mlir::Value a, int64_t b);
  mlir::Value alignUp(mlir::Value a, int64_t b);
  mlir::Value less(mlir::Value a, mlir::Value b);
  mlir::Value lessOrEqual(mlir::Value a, mlir::Value b);
  mlir::Value both(mlir::Value a, mlir::Value b);
  mlir::Value either(mlir::Value a, mlir::Value b);
  mlir::Value negation(mlir::Value a);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);

  mlir::OpBuilder &getBuilder() { return builder; }
  mlir::Location getLoc() const { return loc; }

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

/// Bounds of a predicate's forms over one box after another, each a task's rows and heads and a
/// tile of its keys. All of one object's code is built in the task and in one loop of it.
class PredicateIntervals {
public:
  /// `box` has an interval for each argument of the predicate's region; none is empty. One whose
  /// bounds are the same SSA value is a point.
  PredicateIntervals(const PredicateClauses &predicate, llvm::ArrayRef<Interval> box)
      : predicate(predicate), box(box) {}

  /// From now on the box has these keys.
  void enterTile(Interval keys);

  /// Computes the bounds of the form's leaves that are the same for all keys, as the task's code is
  /// still being built. Leaves that are first asked about in a tile are computed in each.
  void prepare(IndexBuilder &build, const LinearForm &form);
  /// The bounds of a form, or nothing where they aren't known.
  std::optional<Interval> boundsOf(IndexBuilder &build, const LinearForm &form);
  Interval getRows() const { return intervalOf(predicate.getRow()); }

  /// Whether a form, or a leaf, is the same for all keys, and for all of the box.
  bool dependsOnKey(const LinearForm &form) const;
  bool dependsOnKey(mlir::Value leaf) const;
  bool isPoint(mlir::Value leaf) const;

private:
  Interval intervalOf(mlir::Value argument) const;
  std::optional<Interval> boundsOfLeaf(IndexBuilder &build, mlir::Value leaf);
  std::optional<Interval> computeLeaf(IndexBuilder &build, mlir::Value leaf);
  std::optional<Interval> boundsOfValue(IndexBuilder &build, mlir::Value value);
  Interval boundsOfRemainder(IndexBuilder &build, PredicateClauses::Division division);
  std::optional<Interval> boundsByReading(IndexBuilder &build, mlir::Value leaf);
  mlir::Value copyOf(IndexBuilder &build, mlir::Value value, mlir::IRMapping &arguments);

  const PredicateClauses &predicate;
  llvm::SmallVector<Interval, 4> box;
  llvm::DenseMap<mlir::Value, std::optional<Interval>> ofTask, ofTile; ///< leaves, as far as asked
};

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_PREDICATEINTERVALS_H
