//===- FileContents.cpp - checks that both file formats need --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FileContents.h"

#include "PrintableName.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_set>

namespace heed {

ErrorOr<uint64_t> storedBytes(const TensorInfo &tensor, const StorageInfo &info) {
  int64_t elements = 1, bytes = 0;
  for (int64_t extent : tensor.shape)
    if (__builtin_mul_overflow(elements, extent, &elements))
      return makeError(
          fmt::format("tensor {} has more elements than fit 63 bits", printableName(tensor.name)));
  int64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
  if (row % info.blockElements != 0)
    return makeError(
        fmt::format("tensor {} is stored as {} with rows of {} elements, expected a multiple of {}",
                    printableName(tensor.name), info.name, row, info.blockElements));
  if (__builtin_mul_overflow(elements / info.blockElements, info.blockBytes, &bytes))
    return makeError(
        fmt::format("tensor {} has more bytes than fit 63 bits", printableName(tensor.name)));
  return static_cast<uint64_t>(bytes);
}

std::vector<size_t> orderByOffset(const std::vector<TensorInfo> &tensors) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const TensorInfo &x = tensors[a], &y = tensors[b];
    // A tensor without bytes comes before one that begins at the same place.
    return x.offset != y.offset ? x.offset < y.offset : x.bytes < y.bytes;
  });
  return order;
}

ErrorOr<void> checkDisjoint(const std::vector<TensorInfo> &tensors) {
  const TensorInfo *before = nullptr;
  for (size_t index : orderByOffset(tensors)) {
    const TensorInfo &tensor = tensors[index];
    if (before && tensor.offset < before->offset + before->bytes)
      return makeError(fmt::format("tensors {} and {} share bytes: one ends at {}, the other "
                                   "begins at {}",
                                   printableName(before->name), printableName(tensor.name),
                                   before->offset + before->bytes, tensor.offset));
    before = &tensor;
  }
  return {};
}

ErrorOr<void> checkUniqueNames(const std::vector<TensorInfo> &tensors) {
  std::unordered_set<std::string_view> seen;
  for (const TensorInfo &tensor : tensors)
    if (!seen.insert(tensor.name).second)
      return makeError(fmt::format("two tensors are called {}, expected different names",
                                   printableName(tensor.name)));
  return {};
}

} // namespace heed
