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

/// A map of loop indices to elements: linear ones are followed by adding strides, without looking
/// at the expressions again.
class IndexedAccess {
public:
  explicit IndexedAccess(mlir::AffineMap map);

  mlir::AffineMap getMap() const { return map; }
  bool isLinear() const { return linear.size() == map.getNumResults(); }

  /// For a linear map: the place of loop index 0 in `array`, and how far each loop index moves it.
  /// Nothing where some index of a loop nest of `counts` is outside of `array`.
  struct Walk {
    int64_t start;
    llvm::SmallVector<int64_t, 6> strides;
  };
  std::optional<Walk> walk(const Array &array, llvm::ArrayRef<int64_t> counts) const;

  /// The place in `array` of the element for loop indices `indices`; nothing outside of it.
  std::optional<int64_t> place(const Array &array, llvm::ArrayRef<int64_t> indices) const;

private:
  mlir::AffineMap map;
  llvm::SmallVector<LinearForm> linear;
};

} // namespace heed::reference

#endif // HEED_LIB_REFERENCE_INDEXEDACCESS_H
