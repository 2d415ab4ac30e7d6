//===- Pool.cpp - the threads that run a model ----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Pool.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace heed;

namespace {

/// How long a thread watches memory before it asks the kernel to be woken. Longer than the serial
/// code between two regions of a step, short enough to leave the processor to others.
constexpr std::chrono::microseconds kSpin{50};

/// Regions longer than this are run in pieces: an index must fit the ticket's low half.
constexpr int64_t kMaxRegion = int64_t{1} << 31;

/// A ticket's low half while the region is being described: above any count, so nobody takes it.
constexpr uint32_t kClosed = UINT32_MAX;

/// Set while this thread runs a task, so that a region opened inside one runs inline.
thread_local bool insideTask = false;

void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAIT_PRIVATE, expected, nullptr,
          nullptr, 0);
}

void futexWake(std::atomic<uint32_t> &word, int threads) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAKE_PRIVATE, threads, nullptr,
          nullptr, 0);
}

void pauseBriefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Watches for `ready()` for at most kSpin. True if it became so.
template <typename Ready> bool spinUntil(Ready &&ready) {
  constexpr int kPausesBetweenClockReads = 64;
  auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < kPausesBetweenClockReads; ++i) {
      if (ready())
        return true;
      pauseBriefly();
    }
  } while (std::chrono::steady_clock::now() - start < kSpin);
  return false;
}

uint32_t regionOf(uint64_t ticket) { return static_cast<uint32_t>(ticket >> 32); }
uint32_t indexOf(uint64_t ticket) { return static_cast<uint32_t>(ticket); }

} // namespace

Pool::Pool() {
  run = [](PoolHandle *pool, void (*task)(void *, int64_t), void *payload, int64_t count) {
    static_cast<Pool *>(pool)->parallelFor(task, payload, count);
  };
}

int Pool::defaultThreads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int count = sched_getaffinity(0, sizeof(set), &set) == 0
                  ? CPU_COUNT(&set)
                  : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  return std::clamp(count, 1, kMaxThreads);
}

ErrorOr<std::unique_ptr<Pool>> Pool::create(int threads) {
  if (threads < 0 || threads > kMaxThreads)
    return makeError(fmt::format("threads must lie in 1 … {}, or be 0 for one a processor: {} "
                                 "were asked for",
                                 kMaxThreads, threads));
  if (threads == 0)
    threads = defaultThreads();

  std::unique_ptr<Pool> pool(new Pool);
  pool->workers.reserve(threads - 1);
  // Signals belong to the program's own threads, so the workers start with all of them blocked.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int status = 0;
  while (status == 0 && pool->threads() < threads) {
    pthread_t worker;
    status = pthread_create(&worker, nullptr, workerMain, pool.get());
    if (status == 0)
      pool->workers.push_back(worker);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (status != 0)
    return makeError(fmt::format("the system gave {} of {} threads ({}): ask for fewer",
                                 pool->threads(), threads, strerror(status)));
  return pool;
}

Pool::~Pool() {
  stopping.store(true);
  regionNumber.fetch_add(1);
  futexWake(regionNumber, INT_MAX);
  for (pthread_t worker : workers)
    pthread_join(worker, nullptr);
}

void *Pool::workerMain(void *argument) {
  auto &pool = *static_cast<Pool *>(argument);
  uint32_t seen = 0;
  while (pool.awaitRegion(seen))
    pool.work(seen);
  return nullptr;
}

/// Waits for a region other than `seen` and notes it there. False if the pool is being destroyed.
bool Pool::awaitRegion(uint32_t &seen) {
  auto isNew = [&] { return regionNumber.load(std::memory_order_acquire) != seen; };
  if (!spinUntil(isNew)) {
    // The caller publishes a region and then looks for sleepers; we announce ourselves and then
    // look for a region. Both in one total order, so one of the two sees the other.
    sleepers.fetch_add(1);
    while (regionNumber.load() == seen)
      futexWait(regionNumber, seen);
    sleepers.fetch_sub(1);
  }
  seen = regionNumber.load(std::memory_order_acquire);
  return !stopping.load();
}

/// Takes indices of `region` until none is left.
void Pool::work(uint32_t region) {
  uint64_t current = ticket.load(std::memory_order_acquire);
  while (regionOf(current) == region) {
    // The caller changes the ticket before it rewrites these, and then the swap below fails: where
    // it succeeds, what was read here belongs to `region`.
    auto task = regionTask.load(std::memory_order_relaxed);
    void *payload = regionPayload.load(std::memory_order_relaxed);
    int64_t base = regionBase.load(std::memory_order_relaxed);
    uint32_t count = regionCount.load(std::memory_order_relaxed);
    uint32_t first = indexOf(current);
    if (first >= count)
      return;
    uint32_t share = std::max<uint32_t>(1, (count - first) / (2 * threads()));
    if (!ticket.compare_exchange_weak(current, current + share, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
      continue;

    insideTask = true;
    for (uint32_t i = first; i < first + share; ++i)
      task(payload, base + i);
    insideTask = false;

    // Sequentially consistent against callerSleeps, as in awaitRegion.
    if (done.fetch_add(share) + share == count && callerSleeps.load() != 0)
      futexWake(done, 1);
    current = ticket.load(std::memory_order_acquire);
  }
}

void Pool::awaitDone(uint32_t count) {
  if (spinUntil([&] { return done.load(std::memory_order_acquire) == count; }))
    return;
  callerSleeps.store(1);
  for (uint32_t now = done.load(); now != count; now = done.load())
    futexWait(done, now);
  callerSleeps.store(0);
}

void Pool::runRegion(void (*task)(void *, int64_t), void *payload, int64_t base, uint32_t count) {
  uint32_t number = regionNumber.load(std::memory_order_relaxed) + 1;
  // A thread that is late for the region before may stand between reading that region's ticket and
  // swapping it. Were the ticket still the same, such a thread could read the new count here and
  // take indices that the old region never had. An exchange, so that what follows stays behind it.
  ticket.exchange(uint64_t{number} << 32 | kClosed, std::memory_order_acq_rel);
  regionTask.store(task, std::memory_order_relaxed);
  regionPayload.store(payload, std::memory_order_relaxed);
  regionBase.store(base, std::memory_order_relaxed);
  regionCount.store(count, std::memory_order_relaxed);
  done.store(0, std::memory_order_relaxed);
  ticket.store(uint64_t{number} << 32, std::memory_order_release);
  regionNumber.store(number);
  if (sleepers.load() != 0)
    futexWake(regionNumber, static_cast<int>(std::min<int64_t>(count - 1, INT_MAX)));
  work(number);
  awaitDone(count);
}

void Pool::parallelFor(void (*task)(void *payload, int64_t index), void *payload, int64_t count) {
  if (count <= 1 || workers.empty() || insideTask) {
    for (int64_t i = 0; i < count; ++i)
      task(payload, i);
    return;
  }
  for (int64_t base = 0; base < count; base += kMaxRegion)
    runRegion(task, payload, base, static_cast<uint32_t>(std::min(count - base, kMaxRegion)));
}

void heed_parallel_for(const heed_context *context, void (*task)(void *payload, int64_t index),
                       void *payload, int64_t count) {
  auto *pool = static_cast<PoolHandle *>(context->pool);
  pool->run(pool, task, payload, count);
}
