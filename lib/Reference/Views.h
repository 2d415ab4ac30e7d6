//===- Views.h - parts and other shapes of an array -*- C++ -*-------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_REFERENCE_VIEWS_H
#define HEED_LIB_REFERENCE_VIEWS_H

#include "heed/Reference/Value.h"

#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "llvm/ADT/SmallBitVector.h"

#include <optional>
#include <string>

namespace heed::reference {

llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> shape);
int64_t elementCount(llvm::ArrayRef<int64_t> shape);

/// Calls `visit` with every index of `shape`, the last axis fastest. `visit` returns whether to go
/// on; the result is whether it always did.
template <typename Visit> bool forEachIndex(llvm::ArrayRef<int64_t> shape, Visit visit) {
  if (llvm::is_contained(shape, 0))
    return true;
  llvm::SmallVector<int64_t, 6> indices(shape.size(), 0);
  while (true) {
    if (!visit(llvm::ArrayRef<int64_t>(indices)))
      return false;
    size_t axis = shape.size();
    while (axis > 0 && ++indices[axis - 1] == shape[axis - 1])
      indices[--axis] = 0;
    if (axis == 0)
      return true;
  }
}

/// Calls `visit` with every element, in row-major order.
template <typename Visit> void forEachElement(const Array &array, Visit visit) {
  std::vector<Scalar> &elements = *array.storage;
  if (array.isContiguous()) {
    for (int64_t e = array.offset, end = e + array.numElements(); e < end; ++e)
      visit(elements[e]);
    return;
  }
  forEachIndex(array.shape, [&](llvm::ArrayRef<int64_t> indices) {
    visit(array.at(indices));
    return true;
  });
}

/// Writes the elements of `from` to those of `to`, of the same number, in row-major order.
void copyElements(const Array &from, const Array &to);

// Views share the elements. Each is nothing where it would leave the array, or where no strides
// give it.

std::optional<Array> sliced(const Array &array, llvm::ArrayRef<int64_t> offsets,
                            llvm::ArrayRef<int64_t> sizes, llvm::ArrayRef<int64_t> strides);
/// Without the axes that are set, which have size 1.
Array withoutAxes(const Array &array, const llvm::SmallBitVector &dropped);
/// Each group of axes joined to one.
std::optional<Array> collapsed(const Array &array,
                               llvm::ArrayRef<mlir::ReassociationIndices> groups);
/// Each axis split into a group of the axes of `shape`.
std::optional<Array> expanded(const Array &array, llvm::ArrayRef<mlir::ReassociationIndices> groups,
                              llvm::ArrayRef<int64_t> shape);

/// "[1, 2]", for errors.
std::string listText(llvm::ArrayRef<int64_t> values);

} // namespace heed::reference

#endif // HEED_LIB_REFERENCE_VIEWS_H
