//===- PredicateClauses.h - a mask's predicate in normal form --*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mask is a predicate over the row's index i, the key's index j, heads, and
// values from outside: lengths, the rows before this call, a window, the layer.
// Whoever asks something of a mask asks it of this normal form:
//
//   j <= i && (i - j < w || j < 4)
//     = (j - i <= 0 and i - j - w + 1 <= 0) or (j - i <= 0 and j - 3 <= 0)
//
// a disjunction of clauses, each a conjunction of atoms `form <= 0`. A form is
// linear in i and j and in leaves: values from outside, and parts of the predicate
// that aren't linear (`i / 64`, `segment[j]`). Negation is pushed down to the
// comparisons, whose opposite is a comparison; `==` is two atoms, `!=` two clauses.
//
// What isn't a comparison of integers becomes part of no atom, and the clause is
// marked: it then holds for fewer (i, j) than its atoms say. So atoms never hide
// what the predicate shows, and that alone makes each use of them sound.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_PREDICATECLAUSES_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_PREDICATECLAUSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace heed::attn {

/// ofRow * i + ofKey * j + the sum of coefficient * leaf + constant. Coefficients and the constant
/// are so small that no sum of few of them times indices or 32-bit integers wraps around.
struct LinearForm {
  int64_t ofRow = 0, ofKey = 0, constant = 0;
  /// Each leaf once, none with the coefficient 0. Leaves are integers or of type index.
  llvm::SmallVector<std::pair<mlir::Value, int64_t>, 2> leaves;

  /// this + factor * other; nothing where a number becomes too large.
  std::optional<LinearForm> plus(const LinearForm &other, int64_t factor) const;
  /// Whether `value` is a leaf of the form, and the form nothing else than it.
  bool isLeaf(mlir::Value value) const;
};

/// A conjunction of atoms, each being form <= 0.
struct Clause {
  llvm::SmallVector<LinearForm, 4> atoms;
  /// Whether the clause says no more than its atoms.
  bool isExact = true;
};

/// The predicate that a region computes of its arguments.
class PredicateClauses {
public:
  /// `row` and `key` are the arguments of `region` that are i and j. The region has one block, of
  /// ops on scalars, that ends by yielding an i1.
  PredicateClauses(mlir::Region &region, mlir::Value row, mlir::Value key);

  /// The predicate is the disjunction of these; of none, it is never true.
  llvm::ArrayRef<Clause> getClauses() const { return clauses; }

  mlir::Value getRow() const { return row; }
  mlir::Value getKey() const { return key; }

  /// `value`, an integer of any width, as a linear form.
  std::optional<LinearForm> formOf(mlir::Value value) const;
  /// Whether `value` is at least 0 wherever the predicate is evaluated; i and j are.
  bool isNonNegative(mlir::Value value) const;
  /// The arguments of the region that `value` depends on: bit n for argument n.
  unsigned dependenceOf(mlir::Value value) const { return dependences.lookup(value); }
  /// Whether the region computes `value`, or has it as an argument.
  bool isInside(mlir::Value value) const { return value.getParentRegion() == region; }

  /// A dividend and a constant, positive divisor.
  using Division = std::pair<mlir::Value, int64_t>;
  /// If `value` is the quotient of a division that rounds down, the division.
  std::optional<Division> matchQuotient(mlir::Value value) const;
  /// If `value` is the remainder of such a division, the division.
  std::optional<Division> matchRemainder(mlir::Value value) const;

private:
  using Clauses = llvm::SmallVector<Clause, 4>;

  Clauses normalise(mlir::Value predicate, bool negated) const;
  Clauses compare(mlir::arith::CmpIOp compare, bool negated) const;
  Clauses compareSigned(mlir::arith::CmpIPredicate relation, mlir::Value lhs,
                        mlir::Value rhs) const;
  static Clauses both(const Clauses &a, const Clauses &b);
  static Clauses either(Clauses a, const Clauses &b);

  mlir::Region *region;
  mlir::Value row, key;
  llvm::DenseMap<mlir::Value, unsigned> dependences; ///< of what the region computes
  Clauses clauses;
};

/// Whether the predicate provably implies j <= i, given i >= 0 and j >= 0: a row sees no later row.
bool impliesKeyUpToRow(const PredicateClauses &predicate);

/// How many rows back a row can see at most, itself included: 512 where the predicate implies
/// i - j < 512. Nothing where no constant bounds it. `known` gives values from outside the region
/// that are constants for the question, such as the layer's number: clauses that it decides to be
/// false don't count.
std::optional<int64_t>
rowsBack(const PredicateClauses &predicate,
         llvm::function_ref<std::optional<int64_t>(mlir::Value)> known = nullptr);

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_PREDICATECLAUSES_H
