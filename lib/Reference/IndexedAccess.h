//===- IndexedAccess.h - elements that affine maps choose -*- C++ -*-------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_REFERENCE_INDEXEDACCESS_H
#define HEED_LIB_REFERENCE_INDEXEDACCESS_H

#include "heed/Reference/Value.h"

#include "mlir/IR/AffineMap.h"

#include <optional>

namespace heed::reference {

/// An affine expression's value. Nothing where it divides by zero or a negative number.
std::optional<int64_t> evaluate(mlir::AffineExpr expr, llvm::ArrayRef<int64_t> dims,
                                llvm::ArrayRef<int64_t> symbols);

/// One result of a map as `constant + sum of coefficients[d] * d`, where it is that.
struct LinearForm {
  llvm::SmallVector<int64_t, 6> coefficients;
  int64_t constant = 0;

  static std::optional<LinearForm> of(mlir::AffineExpr expr, unsigned numDims);
};

/// A map of loop indices to elements. Linear results are followed by adding strides, without
/// looking at the expressions again; the others, such as h floordiv 3, are bent.
class IndexedAccess {
public:
  explicit IndexedAccess(mlir::AffineMap map);

  mlir::AffineMap getMap() const { return map; }

  /// The linear results: the place of loop index 0 in an array, and how far each loop moves it.
  struct Walk {
    int64_t start = 0;
    llvm::SmallVector<int64_t, 6> strides;
  };
  /// Nothing where some index of a loop nest of `counts` is outside of `array`.
  std::optional<Walk> walk(const Array &array, llvm::ArrayRef<int64_t> counts) const;

  /// The innermost loop that a bent result depends on; -1 where there is none.
  int64_t lastBentLoop() const { return lastLoop; }
  /// What the bent results add to a place, for loop indices `indices`; nothing outside of `array`.
  std::optional<int64_t> bentPlace(const Array &array, llvm::ArrayRef<int64_t> indices) const;

private:
  mlir::AffineMap map;
  llvm::SmallVector<std::optional<LinearForm>, 2> forms; ///< one for each result
  int64_t lastLoop = -1;
};

} // namespace heed::reference

#endif // HEED_LIB_REFERENCE_INDEXEDACCESS_H
