//===- Memory.h - where activations, caches and weights lie ----*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two kinds of memory. Activations come and go with every call, in the same few
// sizes: `heed_alloc` keeps what was freed on a list for each size class, so a
// step that runs again makes no system call. Weights and caches live as long as
// a model or a session: each is one `Region`, mapped and zero.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_RUNTIME_MEMORY_H
#define HEED_RUNTIME_MEMORY_H

#include "heed/Runtime/Artifact.h"

#include <cstddef>
#include <cstdint>

namespace heed {

/// Gives back to the system all memory that heed_free kept for reuse.
void trimMemory();

/// Bytes that heed_free keeps for reuse at the moment.
int64_t keptBytes();

/// Zeroed memory of its own, aligned to a page. Pages that are never touched cost nothing.
class Region {
public:
  /// Huge pages (2 MiB, where the system has them) spare address translation in what is read as a
  /// whole; small ones keep what is filled little by little in many places, as a cache is, from
  /// taking 2 MiB for each place.
  enum class Pages { Huge, Small };

  Region() = default;
  ~Region();
  Region(Region &&other) noexcept;
  Region &operator=(Region &&other) noexcept;
  Region(const Region &) = delete;
  Region &operator=(const Region &) = delete;

  /// Maps `bytes` >= 0. False where the system has no room for them.
  [[nodiscard]] bool allocate(int64_t bytes, Pages pages);

  /// Maps the first `bytes` > 0 of a file read-only, shared with whoever else maps it, and reads
  /// them in. The file must be as long and stay so. False where the system refuses.
  [[nodiscard]] bool mapFile(int descriptor, int64_t bytes);

  std::byte *data() const { return start; }
  int64_t size() const { return length; }

private:
  void release();

  std::byte *start = nullptr;
  int64_t length = 0;
  void *mapping = nullptr;
  size_t mappedBytes = 0;
};

} // namespace heed

// What MLIR's memref lowering calls. Not part of the interface of an artefact.
extern "C" {
void *_mlir_memref_to_llvm_alloc(size_t bytes);
void *_mlir_memref_to_llvm_aligned_alloc(size_t alignment, size_t bytes);
void _mlir_memref_to_llvm_free(void *memory);

/// A memref of any rank: `descriptor` points at { allocated, aligned, offset, sizes[rank],
/// strides[rank] }, every field eight bytes; offset and strides count elements.
struct heed_unranked_memref {
  int64_t rank;
  void *descriptor;
};

/// Copies `source` into `target`, two memrefs of one shape that do not overlap.
void memrefCopy(int64_t elementBytes, heed_unranked_memref *source, heed_unranked_memref *target);
}

#endif // HEED_RUNTIME_MEMORY_H
