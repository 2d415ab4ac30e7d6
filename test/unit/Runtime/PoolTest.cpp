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

std::shared_ptr<Pool> makePool(int threads) {
  ErrorOr<std::shared_ptr<Pool>> pool = Pool::create(threads);
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

// What a thread reads is one stream, so tasks that lie behind each other are its own.
TEST_P(PoolOfThreads, BeginsEachThreadAtASliceOfItsOwn) {
  const int64_t threads = GetParam(), length = 8;
  auto pool = makePool(GetParam());
  std::atomic<int64_t> arrived{0};
  std::vector<std::atomic<int>> begun(threads);
  pool->parallelFor(threads * length, [&](int64_t i) {
    thread_local int64_t last;
    bool isFirst = i % length == 0 && begun[i / length].exchange(1) == 0;
    if (isFirst) // nobody is through with a slice before all have begun one
      for (++arrived; arrived < threads;)
        std::this_thread::yield();
    else if (last / length == i / length)
      EXPECT_GT(i, last);
    last = i;
  });
  EXPECT_EQ(arrived, threads);
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

TEST_P(PoolOfThreads, RunsNestedTeamsInline) {
  auto pool = makePool(GetParam());
  std::atomic<int> ran{0};
  pool->parallelFor(4, [&](int64_t) { pool->parallelFor(4, [&](int64_t) { ++ran; }); });
  EXPECT_EQ(ran, 16);
  // Afterwards threads work together again.
  pool->parallelFor(4, [&](int64_t) { ++ran; });
  EXPECT_EQ(ran, 20);
}

/// Numbers that groups of changing length hand on: each task adds up what the group before left.
struct Relay {
  std::vector<int64_t> *from, *to;
  int64_t length;

  static void step(void *payload, int64_t i) {
    auto &relay = *static_cast<Relay *>(payload);
    int64_t sum = i;
    for (int64_t number : *relay.from)
      sum += number;
    (*relay.to)[i] = sum % 1000003;
  }
  static void clear(void *payload, int64_t) {
    auto &relay = *static_cast<Relay *>(payload);
    relay.to->assign(relay.length, 0);
  }
  static void run(void *payload, heed_member *member) {
    auto *buffers = static_cast<std::vector<int64_t> **>(payload);
    for (int64_t group = 0; group < 2000; ++group) {
      Relay relay{buffers[group % 2], buffers[1 - group % 2], group * group % 11};
      heed_run_tasks(member, clear, nullptr, &relay, 1);
      heed_run_tasks(member, step, nullptr, &relay, relay.length);
    }
  }
};

TEST_P(PoolOfThreads, RunsGroupsOneAfterTheOther) {
  auto relayOn = [](Pool &pool) {
    std::vector<int64_t> a{1, 2, 3}, b;
    std::vector<int64_t> *buffers[] = {&a, &b};
    for (int team = 0; team < 5; ++team)
      pool.runTeam(Relay::run, buffers, sizeof(buffers));
    return std::pair(a, b);
  };
  EXPECT_EQ(relayOn(*makePool(GetParam())), relayOn(*makePool(1)));
}

/// A team whose threads, but for the leader, stand still outside of tasks until it is over.
struct LateThreads {
  std::atomic<bool> *isOver;
  std::atomic<int> *ran;
  std::thread::id leader;
  int64_t number;

  static void run(void *payload, heed_member *member) {
    auto &self = *static_cast<LateThreads *>(payload);
    if (std::this_thread::get_id() != self.leader)
      while (!*self.isOver)
        std::this_thread::yield();
    for (int64_t count : {7, 1, 3})
      heed_run_tasks(
          member,
          [](void *payload, int64_t) {
            auto &self = *static_cast<LateThreads *>(payload);
            self.ran[self.number].fetch_add(1);
          },
          nullptr, payload, count);
  }
};

TEST_P(PoolOfThreads, WaitsForNoThreadOutsideTasks) {
  auto pool = makePool(GetParam());
  constexpr int kTeams = 50;
  std::vector<std::atomic<int>> ran(kTeams);
  std::atomic<bool> isOver[kTeams] = {};
  for (int64_t team = 0; team < kTeams; ++team) {
    {
      LateThreads payload{&isOver[team], ran.data(), std::this_thread::get_id(), team};
      pool->runTeam(LateThreads::run, &payload, sizeof(payload));
    }
    EXPECT_EQ(ran[team], 11);
    isOver[team] = true;
  }
  // Late threads come by groups that are over, and run none of their tasks again.
  std::atomic<int> sum{0};
  pool->parallelFor(100, [&](int64_t) { ++sum; });
  EXPECT_EQ(sum, 100);
  pool.reset();
  for (std::atomic<int> &number : ran)
    EXPECT_EQ(number, 11);
}

/// What a task will read is asked for piece by piece, by whoever will run it.
struct Touched {
  static constexpr int64_t kTasks = 16, kBytes = 3 * HEED_TOUCH_BYTES - 1;
  std::atomic<int> *pieces, *wrong;

  static int64_t touch(void *payload, int64_t index, int64_t offset) {
    auto &self = *static_cast<Touched *>(payload);
    if (index < 0 || index >= kTasks || offset % HEED_TOUCH_BYTES != 0 || offset >= kBytes)
      ++*self.wrong;
    else
      ++self.pieces[index];
    return kBytes;
  }
  static void run(void *payload, heed_member *member) {
    auto slow = [](void *, int64_t i) {
      if (i == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    };
    heed_run_tasks(member, slow, nullptr, payload, 2);
    heed_run_tasks(member, [](void *, int64_t) {}, touch, payload, kTasks);
  }
};

TEST_P(PoolOfThreads, TouchesWhatWaitingThreadsWillRead) {
  auto pool = makePool(GetParam());
  std::atomic<int> pieces[Touched::kTasks] = {}, wrong{0};
  Touched payload{pieces, &wrong};
  pool->runTeam(Touched::run, &payload, sizeof(payload));
  EXPECT_EQ(wrong, 0);
  for (std::atomic<int> &number : pieces)
    EXPECT_LE(number, 3);
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
  std::atomic<int64_t> *payload = &sum;
  heed_run_team(
      &context,
      [](void *payload, heed_member *member) {
        auto add = [](void *payload, int64_t i) {
          **static_cast<std::atomic<int64_t> **>(payload) += i;
        };
        heed_run_tasks(member, add, nullptr, payload, 100);
      },
      &payload, sizeof(payload));
  EXPECT_EQ(sum, 4950);
}

} // namespace
