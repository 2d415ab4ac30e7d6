//===- PoolTest.cpp -------------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Pool.h"

#include <atomic>
#include <chrono>
#include <ctime>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

using namespace heed;

namespace {

std::unique_ptr<Pool> makePool(int threads) {
  ErrorOr<std::unique_ptr<Pool>> pool = Pool::create(threads);
  EXPECT_TRUE(pool);
  return std::move(*pool);
}

class PoolOfThreads : public testing::TestWithParam<int> {};

TEST_P(PoolOfThreads, RunsEveryIndexOnce) {
  auto pool = makePool(GetParam());
  EXPECT_EQ(pool->threads(), GetParam());
  for (int64_t count : {0, 1, 2, 3, 7, 64, 1000}) {
    std::vector<int> runs(count); // not atomic: a region's writes are visible when it returns
    pool->parallelFor(count, [&](int64_t i) { ++runs[i]; });
    EXPECT_EQ(runs, std::vector<int>(count, 1)) << count;
  }
}

TEST_P(PoolOfThreads, RunsManyRegionsInARow) {
  auto pool = makePool(GetParam());
  constexpr int kRegions = 3000, kCount = 5;
  std::vector<int64_t> sums(kCount);
  for (int64_t r = 0; r < kRegions; ++r)
    pool->parallelFor(kCount, [&](int64_t i) { sums[i] += r; });
  EXPECT_EQ(sums, std::vector<int64_t>(kCount, int64_t{kRegions} * (kRegions - 1) / 2));
}

// A thread that is late for one region must not take indices that only the next, longer one has.
TEST_P(PoolOfThreads, RunsRegionsOfChangingLength) {
  auto pool = makePool(GetParam());
  constexpr int64_t kLongest = 9;
  std::vector<std::atomic<int>> runs(kLongest);
  for (int64_t region = 0; region < 100'000; ++region) {
    int64_t count = 2 + region % (kLongest - 1);
    pool->parallelFor(count, [&](int64_t i) { runs[i].fetch_add(1, std::memory_order_relaxed); });
    for (int64_t i = 0; i < kLongest; ++i)
      ASSERT_EQ(runs[i].exchange(0), i < count ? 1 : 0) << "region " << region << ", index " << i;
  }
}

TEST_P(PoolOfThreads, WakesSleepingThreads) {
  auto pool = makePool(GetParam());
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::atomic<int> ran{0};
    pool->parallelFor(16, [&](int64_t) { ++ran; });
    EXPECT_EQ(ran, 16);
  }
}

TEST_P(PoolOfThreads, WaitsForSlowTasks) {
  auto pool = makePool(GetParam());
  std::vector<int> done(4);
  pool->parallelFor(4, [&](int64_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i == 3 ? 5 : 1));
    done[i] = 1;
  });
  EXPECT_EQ(done, std::vector<int>(4, 1));
}

TEST_P(PoolOfThreads, RunsNestedRegionsInline) {
  auto pool = makePool(GetParam());
  std::atomic<int> ran{0};
  pool->parallelFor(4, [&](int64_t) { pool->parallelFor(4, [&](int64_t) { ++ran; }); });
  EXPECT_EQ(ran, 16);
}

INSTANTIATE_TEST_SUITE_P(Threads, PoolOfThreads, testing::Values(1, 2, 3, 8));

TEST(Pool, RefusesImpossibleNumbersOfThreads) {
  for (int threads : {-1, 1025, 1000000000}) {
    auto pool = Pool::create(threads);
    ASSERT_FALSE(pool);
    EXPECT_NE(pool.message().find("1 … 1024"), std::string::npos) << pool.message();
  }
}

TEST(Pool, TakesOneThreadAProcessorByDefault) {
  EXPECT_EQ(makePool(0)->threads(), Pool::defaultThreads());
}

TEST(Pool, UsesNoProcessorWhileIdle) {
  auto pool = makePool(2);
  pool->parallelFor(8, [](int64_t) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  double busy = double(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(busy, 0.05);
}

TEST(Pool, IsDrivenThroughItsHandle) {
  // As generated code does that was linked with another copy of the runtime.
  auto pool = makePool(2);
  heed_context context{nullptr, static_cast<PoolHandle *>(pool.get())};
  std::atomic<int64_t> sum{0};
  heed_parallel_for(
      &context,
      [](void *payload, int64_t i) { *static_cast<std::atomic<int64_t> *>(payload) += i; }, &sum,
      100);
  EXPECT_EQ(sum, 4950);
}

} // namespace
