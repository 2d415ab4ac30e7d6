//===- MemoryTest.cpp -----------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Memory.h"

#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <thread>
#include <vector>

using namespace heed;

namespace {

TEST(Alloc, AlignsAndHoldsEverySize) {
  for (int64_t bytes : {0, 1, 63, 64, 65, 80, 127, 1000, 4096, 100000, 5 << 20}) {
    void *memory = heed_alloc(bytes);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u) << bytes;
    std::memset(memory, 0xa5, bytes);
    heed_free(memory);
  }
  heed_free(nullptr);
  trimMemory();
  EXPECT_EQ(keptBytes(), 0);
}

TEST(Alloc, ReusesWhatWasFreed) {
  void *first = heed_alloc(10000);
  heed_free(first);
  EXPECT_GE(keptBytes(), 10000);
  void *second = heed_alloc(10000);
  EXPECT_EQ(first, second);
  heed_free(second);
}

TEST(Alloc, KeepsNoMoreThanItsBound) {
  trimMemory();
  for (int64_t mebibytes = 5; mebibytes < 40; ++mebibytes)
    heed_free(heed_alloc(mebibytes << 20));
  EXPECT_LE(keptBytes(), int64_t{64} << 20);
  trimMemory();
}

TEST(Alloc, ServesSeveralThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) {
        int64_t bytes = 1 + (i * 37 + t) % 3000;
        auto *memory = static_cast<unsigned char *>(heed_alloc(bytes));
        std::memset(memory, t, bytes);
        for (int64_t b = 0; b < bytes; ++b)
          ASSERT_EQ(memory[b], t);
        heed_free(memory);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(AllocDeathTest, EndsTheProcessWhereMemoryIsExhausted) {
  EXPECT_EXIT(heed_alloc(-1), testing::ExitedWithCode(3), "out of memory");
  EXPECT_EXIT(heed_alloc(INT64_MAX), testing::ExitedWithCode(3), "out of memory");
}

TEST(Alloc, ServesLoweredMemrefs) {
  void *memory = _mlir_memref_to_llvm_aligned_alloc(64, 100);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u);
  _mlir_memref_to_llvm_free(memory);
  _mlir_memref_to_llvm_free(_mlir_memref_to_llvm_alloc(1));
}

TEST(Region, IsZeroAndMoves) {
  for (auto pages : {Region::Pages::Huge, Region::Pages::Small}) {
    Region region;
    ASSERT_TRUE(region.allocate(5 << 20, pages));
    EXPECT_EQ(region.size(), 5 << 20);
    EXPECT_EQ(std::accumulate(region.data(), region.data() + region.size(), 0,
                              [](int sum, std::byte b) { return sum + static_cast<int>(b); }),
              0);
    std::byte *data = region.data();
    Region other = std::move(region);
    EXPECT_EQ(other.data(), data);
    EXPECT_EQ(region.data(), nullptr);
  }
}

TEST(Region, RefusesWhatTheSystemLacks) {
  Region region;
  EXPECT_FALSE(region.allocate(-1, Region::Pages::Small));
  EXPECT_FALSE(region.allocate(INT64_MAX, Region::Pages::Huge));
  EXPECT_TRUE(region.allocate(0, Region::Pages::Huge));
  EXPECT_NE(region.data(), nullptr);
}

/// A memref over `data`, as the lowering describes it.
struct Memref {
  std::vector<int64_t> words;
  heed_unranked_memref unranked;

  Memref(int32_t *data, int64_t offset, std::vector<int64_t> sizes, std::vector<int64_t> strides)
      : words{reinterpret_cast<int64_t>(data), reinterpret_cast<int64_t>(data), offset} {
    words.insert(words.end(), sizes.begin(), sizes.end());
    words.insert(words.end(), strides.begin(), strides.end());
    unranked = {static_cast<int64_t>(sizes.size()), words.data()};
  }
};

TEST(MemrefCopy, CopiesTransposedAndOffset) {
  std::vector<int32_t> source(12), target(20, -1);
  std::iota(source.begin(), source.end(), 0);
  Memref from(source.data(), 0, {4, 3}, {1, 4}); // [4, 3] out of [3, 4]
  Memref to(target.data(), 2, {4, 3}, {4, 1});
  memrefCopy(4, &from.unranked, &to.unranked);
  EXPECT_EQ(target, (std::vector<int32_t>{-1, -1, 0,  4,  8, -1, 1,  5,  9,  -1,
                                          2,  6,  10, -1, 3, 7,  11, -1, -1, -1}));
}

TEST(MemrefCopy, CopiesEveryRank) {
  for (int64_t rank : {0, 1, 2, 5, 10}) {
    std::vector<int64_t> sizes(rank, 2), dense(rank), gaps(rank);
    int64_t denseStep = 1, gapStep = 3;
    for (int64_t a = rank - 1; a >= 0; --a) {
      dense[a] = denseStep;
      gaps[a] = gapStep;
      denseStep *= 2;
      gapStep *= 2;
    }
    std::vector<int32_t> source(denseStep), spread(gapStep), back(denseStep);
    std::iota(source.begin(), source.end(), 1);
    Memref a(source.data(), 0, sizes, dense), b(spread.data(), 0, sizes, gaps),
        c(back.data(), 0, sizes, dense);
    memrefCopy(4, &a.unranked, &b.unranked);
    memrefCopy(4, &b.unranked, &c.unranked);
    EXPECT_EQ(back, source) << rank;
  }
}

TEST(MemrefCopy, CopiesNothingOfAnEmptyMemref) {
  Memref from(nullptr, 0, {3, 0}, {1, 1}), to(nullptr, 0, {3, 0}, {1, 1});
  memrefCopy(4, &from.unranked, &to.unranked);
}

} // namespace
