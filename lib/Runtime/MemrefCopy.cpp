//===- MemrefCopy.cpp - copying between strided memrefs -------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Memory.h"

#include <cstring>
#include <vector>

using namespace heed;

namespace {

/// One memref's descriptor, read in place.
struct View {
  std::byte *data;
  const int64_t *sizes;
  const int64_t *strides;

  View(const heed_unranked_memref &memref, int64_t elementBytes) {
    auto *words = static_cast<const int64_t *>(memref.descriptor);
    auto *aligned = reinterpret_cast<std::byte *>(words[1]);
    data = aligned + words[2] * elementBytes;
    sizes = words + 3;
    strides = sizes + memref.rank;
  }
};

/// A loop over one axis, with both sides' steps in bytes.
struct Axis {
  int64_t size, sourceStep, targetStep;
};

void copy(const Axis *axis, const Axis *end, std::byte *source, std::byte *target, int64_t bytes) {
  if (axis == end) {
    std::memcpy(target, source, bytes);
    return;
  }
  for (int64_t i = 0; i < axis->size; ++i) {
    copy(axis + 1, end, source, target, bytes);
    source += axis->sourceStep;
    target += axis->targetStep;
  }
}

} // namespace

void memrefCopy(int64_t elementBytes, heed_unranked_memref *sourceRef,
                heed_unranked_memref *targetRef) {
  View source(*sourceRef, elementBytes), target(*targetRef, elementBytes);
  int64_t rank = sourceRef->rank;
  for (int64_t a = 0; a < rank; ++a)
    if (source.sizes[a] == 0)
      return;

  // Inner axes that lie without gaps on both sides become one memcpy.
  int64_t outer = rank, run = 1;
  while (outer > 0) {
    int64_t a = outer - 1, size = source.sizes[a];
    if (size != 1 && (source.strides[a] != run || target.strides[a] != run))
      break;
    run *= size;
    outer = a;
  }

  constexpr int64_t kFewAxes = 8;
  Axis few[kFewAxes];
  std::vector<Axis> many;
  Axis *axes = few;
  if (outer > kFewAxes) {
    many.resize(outer);
    axes = many.data();
  }
  for (int64_t a = 0; a < outer; ++a)
    axes[a] = {source.sizes[a], source.strides[a] * elementBytes, target.strides[a] * elementBytes};
  copy(axes, axes + outer, source.data, target.data, run * elementBytes);
}
