//===- MaskPredicate.h - what a mask shows, and how it reads ---*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_MASKPREDICATE_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_MASKPREDICATE_H

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include <optional>
#include <string>

namespace heed::attn {

/// A mask's predicate as a formula over the row's index i and the key's index j.
class MaskPredicate {
public:
  /// `rowAxis` and `keyAxis` are the axes of the scores that i and j run along.
  MaskPredicate(MaskOp mask, int64_t rowAxis, int64_t keyAxis);

  /// Whether the predicate provably implies `j <= i`. Sound, not complete: it looks at linear
  /// comparisons, however they are combined (PredicateClauses.h).
  bool hidesLaterRows() const;

  /// The least W that the predicate provably bounds `i - j` below: a row sees the last W rows at
  /// most, its own among them. At least 1; nothing where no constant is found.
  std::optional<int64_t> rowsBack() const;

  /// The predicate in the language's notation, such as `j <= i && i - j < 512`.
  std::string spell() const;

  /// The names of i and j: the program's own where it is known.
  std::string getRowName() const;
  std::string getKeyName() const;

private:
  MaskOp mask;
  mlir::Value row, key;
};

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_MASKPREDICATE_H
