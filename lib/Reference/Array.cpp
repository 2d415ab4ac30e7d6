//===- Array.cpp - tensors, vectors and memrefs of the evaluator ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Views.h"

#include "heed/Reference/Value.h"

#include <algorithm>

using namespace mlir;
using namespace heed;
using namespace heed::reference;

SmallVector<int64_t> heed::reference::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

int64_t heed::reference::elementCount(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

Array Array::filled(Type element, ArrayRef<int64_t> shape, Scalar value) {
  Array array;
  array.element = element;
  array.shape.assign(shape.begin(), shape.end());
  array.strides = rowMajorStrides(shape);
  array.storage = std::make_shared<std::vector<Scalar>>(elementCount(shape), value);
  return array;
}

Array Array::uninitialised(Type element, ArrayRef<int64_t> shape) {
  return filled(element, shape, Scalar());
}

Array Array::floats(Type element, ArrayRef<int64_t> shape, ArrayRef<double> values) {
  Array array = uninitialised(element, shape);
  assert(values.size() == array.storage->size() && "one value for each element");
  std::transform(values.begin(), values.end(), array.storage->begin(),
                 [](double value) { return Scalar(value); });
  return array;
}

Array Array::integers(Type element, ArrayRef<int64_t> shape, ArrayRef<int64_t> values) {
  Array array = uninitialised(element, shape);
  assert(values.size() == array.storage->size() && "one value for each element");
  std::transform(values.begin(), values.end(), array.storage->begin(),
                 [](int64_t value) { return Scalar(value); });
  return array;
}

int64_t Array::numElements() const { return elementCount(shape); }

bool Array::isContiguous() const {
  int64_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    if (shape[axis] != 1 && strides[axis] != stride)
      return false;
    stride *= shape[axis];
  }
  return true;
}

bool Array::contains(ArrayRef<int64_t> indices) const {
  if (indices.size() != shape.size())
    return false;
  for (auto [index, size] : llvm::zip_equal(indices, shape))
    if (index < 0 || index >= size)
      return false;
  return true;
}

Scalar &Array::at(ArrayRef<int64_t> indices) const {
  assert(contains(indices) && "an index outside of the array");
  int64_t place = offset;
  for (auto [index, stride] : llvm::zip_equal(indices, strides))
    place += index * stride;
  return (*storage)[place];
}

std::vector<Scalar> Array::toScalars() const {
  std::vector<Scalar> values;
  values.reserve(numElements());
  forEachElement(*this, [&](Scalar &element) { values.push_back(element); });
  return values;
}

std::vector<double> Array::toFloats() const {
  std::vector<double> values;
  values.reserve(numElements());
  forEachElement(*this, [&](Scalar &element) { values.push_back(element.asFloat()); });
  return values;
}

std::vector<int64_t> Array::toIntegers() const {
  std::vector<int64_t> values;
  values.reserve(numElements());
  forEachElement(*this, [&](Scalar &element) { values.push_back(element.asInt()); });
  return values;
}

Array Array::clone() const {
  Array copy = *this;
  copy.offset = 0;
  copy.strides = rowMajorStrides(shape);
  copy.storage = std::make_shared<std::vector<Scalar>>(toScalars());
  return copy;
}

int64_t Array::countPoison() const {
  int64_t count = 0;
  forEachElement(*this, [&](Scalar &element) { count += element.isPoison(); });
  return count;
}

void heed::reference::copyElements(const Array &from, const Array &to) {
  assert(from.numElements() == to.numElements() && "a copy keeps the shape");
  // Through a temporary: the two may overlap.
  std::vector<Scalar> values = from.toScalars();
  size_t next = 0;
  forEachElement(to, [&](Scalar &element) { element = values[next++]; });
}

std::optional<Array> heed::reference::sliced(const Array &array, ArrayRef<int64_t> offsets,
                                             ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  Array view = array;
  for (auto [axis, size] : llvm::enumerate(sizes)) {
    int64_t last = offsets[axis], extent = array.shape[axis];
    // Sizes are bounded first, so that their products don't overflow.
    if (size < 0 || size > extent || offsets[axis] < 0 || offsets[axis] > extent ||
        strides[axis] < 0 || strides[axis] > std::max<int64_t>(extent, 1))
      return std::nullopt;
    if (size > 0)
      last += (size - 1) * strides[axis] + 1;
    if (last > extent)
      return std::nullopt;
    view.offset += offsets[axis] * array.strides[axis];
    view.shape[axis] = size;
    view.strides[axis] = array.strides[axis] * strides[axis];
  }
  return view;
}

Array heed::reference::withoutAxes(const Array &array, const llvm::SmallBitVector &dropped) {
  Array view = array;
  view.shape.clear();
  view.strides.clear();
  for (int64_t axis = 0; axis < array.rank(); ++axis) {
    if (dropped.test(axis))
      continue;
    view.shape.push_back(array.shape[axis]);
    view.strides.push_back(array.strides[axis]);
  }
  return view;
}

std::optional<Array> heed::reference::collapsed(const Array &array,
                                                ArrayRef<ReassociationIndices> groups) {
  Array view = array;
  view.shape.clear();
  view.strides.clear();
  for (const ReassociationIndices &group : groups) {
    int64_t size = 1, stride = 1;
    for (int64_t axis : llvm::reverse(group)) {
      if (array.shape[axis] == 1)
        continue;
      if (size == 1)
        stride = array.strides[axis];
      else if (array.strides[axis] != stride * size)
        return std::nullopt;
      size *= array.shape[axis];
    }
    view.shape.push_back(size);
    view.strides.push_back(stride);
  }
  return view;
}

std::optional<Array> heed::reference::expanded(const Array &array,
                                               ArrayRef<ReassociationIndices> groups,
                                               ArrayRef<int64_t> shape) {
  Array view = array;
  view.shape.assign(shape.begin(), shape.end());
  view.strides.assign(shape.size(), 0);
  for (auto [source, group] : llvm::enumerate(groups)) {
    int64_t size = 1;
    for (int64_t axis : llvm::reverse(group)) {
      // Past the extent, strides matter no more: nothing will be read.
      view.strides[axis] = array.strides[source] * std::min(size, array.shape[source]);
      if (llvm::MulOverflow(size, shape[axis], size))
        return std::nullopt;
    }
    if (size != array.shape[source])
      return std::nullopt;
  }
  return view;
}

std::string heed::reference::listText(ArrayRef<int64_t> values) {
  std::string text = "[";
  for (auto [number, value] : llvm::enumerate(values))
    text += (number ? ", " : "") + std::to_string(value);
  return text + "]";
}
