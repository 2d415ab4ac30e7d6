//===- IndexRange.h - which values an index can have ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An index that provably stays inside its axis can be read as it stands, and can
// be an operand of a linalg op; any other is clamped before memory is touched.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_MLIRGEN_INDEXRANGE_H
#define HEED_LIB_FRONTEND_MLIRGEN_INDEXRANGE_H

#include "heed/Frontend/Program.h"

#include "llvm/ADT/DenseMap.h"

namespace heed::mlirgen {

/// What is known of an integer's values; nothing where a bound is absent.
struct IndexRange {
  std::optional<int64_t> low, high; ///< inclusive
  int32_t below = -1;               ///< a run-time size that every value is less than, or -1

  bool isNonNegative() const { return low && *low >= 0; }
  /// Every value is less than the axis is long.
  bool isBelow(const program::Extent &axis) const;
  /// Every value is an index of the axis.
  bool isInside(const program::Extent &axis) const { return isNonNegative() && isBelow(axis); }
};

/// The ranges of what expressions are made of: index variables, layers, sizes and token ids.
class IndexRanges {
public:
  IndexRanges(const program::Function &function, const std::vector<program::Weight> &weights);

  /// The function's integer parameters hold 0 … tokenLimit - 1, which the runtime checks: as many
  /// as the longest weight that one of them indexes directly (`embed[tokens[i], c]`) has rows. 0
  /// where none does: the parameters may then hold anything.
  int64_t getTokenLimit() const { return tokenLimit; }

  void declare(const program::IndexVar &var) { extents[var.id] = var.extent; }
  void declareLoop(int32_t loop, int64_t count) { counts[loop] = count; }
  program::Extent extentOf(int32_t var) const { return extents.lookup(var); }

  /// The range of an integer expression: exact where it depends on one variable of a moderate fixed
  /// extent (`k + 1 - 2 * (k % 2)`), else by interval arithmetic.
  IndexRange of(const program::Expr &expr) const;

  /// The operand that a minimum or maximum always is, or null where that isn't known.
  const program::Expr *decided(const program::Binary &binary) const;

private:
  IndexRange byIntervals(const program::Expr &expr) const;
  IndexRange ofBinary(const program::Binary &binary) const;

  bool isToken(const program::Expr &expr) const;

  const program::Function &function;
  int64_t tokenLimit = 0;
  llvm::DenseMap<int32_t, program::Extent> extents;
  llvm::DenseMap<int32_t, int64_t> counts;
};

/// The value of an integer literal.
std::optional<int64_t> constantIndex(const program::Expr &expr);

} // namespace heed::mlirgen

#endif // HEED_LIB_FRONTEND_MLIRGEN_INDEXRANGE_H
