//===- Memory.cpp - where activations, caches and weights lie -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Memory.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

using namespace heed;

namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;

/// Blocks of this size and more are mapped on their own, in huge pages.
constexpr size_t kMapFrom = size_t{4} << 20;

/// So much may wait for reuse whatever was in use before; above it, as much as ever was in use.
constexpr int64_t kKeepAlways = int64_t{64} << 20;

/// Class c holds blocks of 2^(c/4) * (4 + c%4)/4 times kAlignment, rounded up to a multiple of it:
/// above four of these at most a fifth is waste.
constexpr int kClasses = 4 * 40;

/// Stands in the 64 bytes before every block.
struct Header {
  Header *next;
  size_t bytes;  // of the block, header included
  size_t mapped; // of the whole mapping, or 0 if it came from aligned_alloc
  void *mapping;
  int sizeClass;
};
static_assert(sizeof(Header) <= kAlignment);

struct FreeList {
  std::mutex lock;
  Header *first = nullptr;
};

struct Allocator {
  FreeList lists[kClasses];
  std::atomic<int64_t> inUse{0}, peak{0}, kept{0};
};

/// Never destroyed: code of other static objects may free memory while the process ends.
Allocator &allocator() {
  static auto *instance = new Allocator;
  return *instance;
}

size_t classBytes(int sizeClass) {
  size_t quarters = static_cast<size_t>(4 + sizeClass % 4) << (sizeClass / 4);
  return kAlignment * ((quarters + 3) / 4);
}

/// The smallest class whose blocks hold `bytes`, or -1 if none does.
int classOf(size_t bytes) {
  if (bytes > classBytes(kClasses - 1))
    return -1;
  int exponent = std::bit_width(std::max(bytes, kAlignment) / kAlignment) - 1;
  int sizeClass = 4 * exponent;
  while (classBytes(sizeClass) < bytes)
    ++sizeClass;
  return sizeClass;
}

[[noreturn]] void outOfMemory(uint64_t bytes) {
  std::fprintf(stderr, "heed: out of memory: the system has no %llu bytes for activations\n",
               static_cast<unsigned long long>(bytes));
  std::fflush(nullptr);
  _exit(3);
}

/// Maps `bytes` zeros; huge pages start at a multiple of their size. Null where the system refuses.
/// `mapping` and `mapped` are what to unmap.
std::byte *mapPages(size_t bytes, Region::Pages pages, void *&mapping, size_t &mapped) {
  size_t slack = pages == Region::Pages::Huge && bytes >= kHugePage ? kHugePage : 0;
  if (bytes > SIZE_MAX - slack)
    return nullptr;
  mapped = bytes + slack;
  mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) {
    mapping = nullptr;
    return nullptr;
  }
  auto address = reinterpret_cast<uintptr_t>(mapping);
  // Advice only: a kernel without huge pages refuses it, and nothing else changes.
  madvise(mapping, mapped, slack ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  if (slack) {
    address = (address + kHugePage - 1) & ~(kHugePage - 1);
  }
  return reinterpret_cast<std::byte *>(address);
}

Header *newBlock(int sizeClass) {
  size_t bytes = classBytes(sizeClass) + kAlignment;
  void *mapping = nullptr;
  size_t mapped = 0;
  void *memory = nullptr;
  if (bytes >= kMapFrom)
    memory = mapPages(bytes, Region::Pages::Huge, mapping, mapped);
  else
    memory = std::aligned_alloc(kAlignment, bytes);
  if (!memory)
    return nullptr;
  auto *header = static_cast<Header *>(memory);
  *header = {nullptr, bytes, mapped, mapping, sizeClass};
  return header;
}

void releaseBlock(Header *header) {
  if (header->mapped)
    munmap(header->mapping, header->mapped);
  else
    std::free(header);
}

void *blockMemory(Header *header) { return reinterpret_cast<std::byte *>(header) + kAlignment; }

Header *takeKept(Allocator &heap, int sizeClass) {
  FreeList &list = heap.lists[sizeClass];
  std::lock_guard guard(list.lock);
  Header *header = list.first;
  if (header) {
    list.first = header->next;
    heap.kept.fetch_sub(header->bytes, std::memory_order_relaxed);
  }
  return header;
}

} // namespace

void *heed_alloc(int64_t bytes) {
  int sizeClass = bytes < 0 ? -1 : classOf(static_cast<size_t>(bytes));
  if (sizeClass < 0)
    outOfMemory(static_cast<uint64_t>(bytes));
  Allocator &heap = allocator();
  Header *header = takeKept(heap, sizeClass);
  if (!header)
    header = newBlock(sizeClass);
  if (!header) {
    trimMemory();
    header = newBlock(sizeClass);
  }
  if (!header)
    outOfMemory(static_cast<uint64_t>(bytes));
  int64_t now = heap.inUse.fetch_add(header->bytes, std::memory_order_relaxed) + header->bytes;
  int64_t peak = heap.peak.load(std::memory_order_relaxed);
  while (now > peak && !heap.peak.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return blockMemory(header);
}

void heed_free(void *memory) {
  if (!memory)
    return;
  auto *header = reinterpret_cast<Header *>(static_cast<std::byte *>(memory) - kAlignment);
  Allocator &heap = allocator();
  int64_t bytes = header->bytes;
  heap.inUse.fetch_sub(bytes, std::memory_order_relaxed);
  // Prompts of growing length leave blocks in ever more classes; without a bound these would add
  // up to several times what any one call needs.
  int64_t allowed = std::max(kKeepAlways, heap.peak.load(std::memory_order_relaxed));
  if (heap.kept.load(std::memory_order_relaxed) + bytes > allowed) {
    releaseBlock(header);
    return;
  }
  FreeList &list = heap.lists[header->sizeClass];
  std::lock_guard guard(list.lock);
  header->next = list.first;
  list.first = header;
  heap.kept.fetch_add(bytes, std::memory_order_relaxed);
}

void heed::trimMemory() {
  Allocator &heap = allocator();
  for (int sizeClass = 0; sizeClass < kClasses; ++sizeClass)
    while (Header *header = takeKept(heap, sizeClass))
      releaseBlock(header);
  heap.peak.store(heap.inUse.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

int64_t heed::keptBytes() { return allocator().kept.load(std::memory_order_relaxed); }

void *_mlir_memref_to_llvm_alloc(size_t bytes) {
  return heed_alloc(static_cast<int64_t>(std::min<size_t>(bytes, INT64_MAX)));
}

void *_mlir_memref_to_llvm_aligned_alloc(size_t alignment, size_t bytes) {
  // The compiler never asks for more than a cache line; anything else would be a bug of ours.
  if (alignment > kAlignment) {
    std::fprintf(stderr, "heed: internal error: alignment of %zu bytes, at most %zu expected\n",
                 alignment, kAlignment);
    std::abort();
  }
  return _mlir_memref_to_llvm_alloc(bytes);
}

void _mlir_memref_to_llvm_free(void *memory) { heed_free(memory); }

Region::~Region() { release(); }

Region::Region(Region &&other) noexcept
    : start(std::exchange(other.start, nullptr)), length(std::exchange(other.length, 0)),
      mapping(std::exchange(other.mapping, nullptr)),
      mappedBytes(std::exchange(other.mappedBytes, 0)) {}

Region &Region::operator=(Region &&other) noexcept {
  if (this != &other) {
    release();
    start = std::exchange(other.start, nullptr);
    length = std::exchange(other.length, 0);
    mapping = std::exchange(other.mapping, nullptr);
    mappedBytes = std::exchange(other.mappedBytes, 0);
  }
  return *this;
}

bool Region::allocate(int64_t bytes, Pages pages) {
  release();
  if (bytes < 0)
    return false;
  // An empty region still has an address, so that nobody meets a null buffer.
  start = mapPages(std::max<size_t>(static_cast<size_t>(bytes), 1), pages, mapping, mappedBytes);
  length = start ? bytes : 0;
  return start != nullptr;
}

bool Region::mapFile(int descriptor, int64_t bytes) {
  release();
  // Huge pages of the page cache can be mapped as such where addresses are as aligned as offsets.
  mappedBytes = static_cast<size_t>(bytes) + kHugePage;
  mapping = mmap(nullptr, mappedBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) {
    mapping = nullptr;
    mappedBytes = 0;
    return false;
  }
  auto address = (reinterpret_cast<uintptr_t>(mapping) + kHugePage - 1) & ~(kHugePage - 1);
  void *place = reinterpret_cast<void *>(address);
  if (mmap(place, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
    release();
    return false;
  }
  start = static_cast<std::byte *>(place);
  length = bytes;
  madvise(place, bytes, MADV_HUGEPAGE);
  // What isn't in memory yet is asked for as a whole, which disks like better than page by page.
  madvise(place, bytes, MADV_WILLNEED);
#ifdef MADV_POPULATE_READ
  madvise(place, bytes, MADV_POPULATE_READ);
#endif
  return true;
}

void Region::release() {
  if (mapping)
    munmap(mapping, mappedBytes);
  start = nullptr;
  mapping = nullptr;
  length = 0;
  mappedBytes = 0;
}
