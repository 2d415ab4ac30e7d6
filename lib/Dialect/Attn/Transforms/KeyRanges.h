//===- KeyRanges.h - which keys a task visits, and how ---------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A task is a tile of rows and heads. Each clause of the mask (PredicateClauses.h)
// gives it a range of keys, outside of which the clause holds for no row. Ranges that
// have a tile of keys in common, or overlap, are one; so there are as many as clauses
// at most, in ascending order, and three at most:
//
//        |  j < 4  |           unseen          |  i - w < j <= i  |   unseen
//        0 …                                                            … keys
//
// Atoms in which i has the factor 1 or -1, and j any, and everything else is the same
// in the task, are *plain*. Of them i is eliminated: each upper bound of i is set against
// each lower one, those of the tile included (Fourier and Motzkin's elimination, which
// is exact for such factors). What remains bounds j, or compares what doesn't depend
// on it: a window of no rows is found to be empty. So where all atoms of a clause
// are plain, every key of its range is seen by some row. Other atoms bound j
// by the least that the rest can be (`j / 64 <= i / 64`), or not at all.
//
// Within the ranges, each tile of keys is classified by intervals (PredicateIntervals.h):
// whether some row may see some key, and whether every row must see every key.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_KEYRANGES_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_KEYRANGES_H

#include "PredicateIntervals.h"

namespace heed::attn {

/// The ranges of one task, and its tiles' classes.
class KeyRanges {
public:
  /// Keys from … to-1; none where from >= to.
  struct Range {
    mlir::Value from, to;
  };

  /// Builds the ranges. `box` has an interval for each argument of the predicate's region, that of
  /// the key being 0 … keys-1; tiles begin at multiples of `keyTile`.
  KeyRanges(IndexBuilder &build, const PredicateClauses &predicate, llvm::ArrayRef<Interval> box,
            mlir::Value keys, int64_t keyTile);

  llvm::ArrayRef<Range> getRanges() const { return ranges; }

  /// What is known of keys first … last of a tile, as i1 values: whether something in it may be
  /// visible, and whether everything must be.
  struct Class {
    mlir::Value may, must;
  };
  Class classify(IndexBuilder &build, mlir::Value first, mlir::Value last);
  /// Whether `may` is true exactly where something is visible: then it is true in each tile of
  /// the ranges, cut off at their ends.
  bool isMayExact() const { return mayIsExact; }
  /// Whether `must` is true exactly where everything is visible, of a tile that is so cut off.
  bool isMustExact() const { return mayIsExact && clauses.size() <= 1; }

private:
  /// A clause, and its range. Where it has no keys, hi is 0.
  struct ClauseKeys {
    const Clause *clause;
    mlir::Value lo, hi;
    llvm::SmallVector<const LinearForm *, 2> otherAtoms; ///< those that aren't plain
  };

  void addClause(IndexBuilder &build, const Clause &clause);
  bool isPlain(const LinearForm &atom) const;
  void narrow(IndexBuilder &build, const LinearForm &atom, ClauseKeys &keys, mlir::Value &isSome);
  void mergeRanges(IndexBuilder &build);

  PredicateIntervals intervals;
  const PredicateClauses &predicate;
  mlir::Value keys;
  int64_t keyTile;
  llvm::SmallVector<ClauseKeys, 4> clauses;
  llvm::SmallVector<Range, 3> ranges;
  bool mayIsExact = true;
};

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_KEYRANGES_H
