//===- Pool.cpp - the threads that run a model ----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Pool.h"

#include <algorithm>
#include <bit>
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

/// How long a thread watches memory before it asks the kernel to be woken. Longer than the program
/// takes between two steps, short enough to leave the processor to others.
constexpr std::chrono::microseconds kSpin{50};

/// Set while this thread is in a team, so that a team formed by one of its tasks is that thread
/// alone.
thread_local bool insideTeam = false;

/// The kernel's word of a counter: its low half.
uint32_t *futexWord(std::atomic<uint32_t> &word) { return reinterpret_cast<uint32_t *>(&word); }
uint32_t *futexWord(std::atomic<uint64_t> &word) {
  static_assert(std::endian::native == std::endian::little);
  return reinterpret_cast<uint32_t *>(&word);
}

template <typename Word> void futexWait(std::atomic<Word> &word, Word expected) {
  syscall(SYS_futex, futexWord(word), FUTEX_WAIT_PRIVATE, static_cast<uint32_t>(expected), nullptr,
          nullptr, 0);
}

template <typename Word> void futexWake(std::atomic<Word> &word, int threads) {
  syscall(SYS_futex, futexWord(word), FUTEX_WAKE_PRIVATE, threads, nullptr, nullptr, 0);
}

void pauseBriefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Watches for `ready()` for at most kSpin, and does `meanwhile` again and again. True if it became
/// so.
template <typename Ready, typename Meanwhile> bool spinUntil(Ready &&ready, Meanwhile &&meanwhile) {
  constexpr int kRoundsBetweenClockReads = 64;
  auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < kRoundsBetweenClockReads; ++i) {
      if (ready())
        return true;
      meanwhile();
    }
  } while (std::chrono::steady_clock::now() - start < kSpin);
  return false;
}

/// Asks memory for what tasks `next` … `end` will read first, piece by piece.
class Touching {
public:
  Touching(heed_touch touch, void *payload, int64_t next, int64_t end)
      : touch(touch), payload(payload), next(next), end(touch ? end : next) {}

  void operator()() {
    if (next == end)
      return pauseBriefly();
    int64_t bytes = touch(payload, next, offset);
    offset += HEED_TOUCH_BYTES;
    if (offset >= bytes) {
      offset = 0;
      ++next;
    }
  }

private:
  heed_touch touch;
  void *payload;
  int64_t next, end, offset = 0;
};

} // namespace

/// A thread's way through the body of a team. All go the same way, so each knows by counting how
/// many tasks there were before a group; who is late finds them finished and goes on.
class Pool::Member : public heed_member {
public:
  /// Thread number `thread` of a team that begins when `before` tasks were finished, and slices of
  /// `sliceBefore` dealt; without a pool, a thread by itself. Number 0 leads: it has finished the
  /// last of the tasks before, as it were.
  Member(Pool *pool, int thread, uint64_t before, uint64_t sliceBefore)
      : heed_member{runTasks}, pool(pool), home(thread), before(before), sliceBefore(sliceBefore),
        wasLast(thread == 0) {}

  /// Of all groups so far, and of the teams before.
  uint64_t slicesDealt() const { return sliceBefore; }

  void awaitAll() { await(Touching(nullptr, nullptr, 0, 0)); }

private:
  static void runTasks(heed_member *member, heed_task task, heed_touch touch, void *payload,
                       int64_t count) {
    auto &self = *static_cast<Member *>(member);
    if (!self.pool) {
      for (int64_t i = 0; i < count; ++i)
        task(payload, i);
    } else if (count == 1) {
      self.runOne(task, payload);
    } else if (count > 1) {
      self.runShare(task, touch, payload, static_cast<uint64_t>(count));
    }
  }

  /// What one thread has to do is done by the one that finished last, which needn't wait.
  void runOne(heed_task task, void *payload) {
    if (wasLast) {
      task(payload, 0);
      finish(1);
    }
    ++before;
  }

  /// Runs tasks of the thread's own slice and, when nothing is left there, of the others'.
  void runShare(heed_task task, heed_touch touch, void *payload, uint64_t count) {
    const uint64_t slices = pool->slices.size(), length = (count + slices - 1) / slices;
    bool mayRun = wasLast;
    wasLast = false;
    for (uint64_t turn = 0; turn < slices; ++turn) {
      const uint64_t slice = (home + turn) % slices, begin = std::min(slice * length, count);
      const uint64_t end = std::min(begin + length, count);
      uint64_t first, share;
      while (take(pool->slices[slice].taken, end - begin, first, share)) {
        first += begin;
        // Tasks may be taken before those in front of them are finished, and what they will read
        // can be on its way meanwhile.
        if (!mayRun)
          await(Touching(touch, payload, static_cast<int64_t>(first),
                         static_cast<int64_t>(first + share)));
        mayRun = true;
        for (uint64_t i = first; i < first + share; ++i)
          task(payload, static_cast<int64_t>(i));
        wasLast = finish(share) == before + count;
      }
    }
    before += count;
    sliceBefore += length;
  }

  /// Takes `share` tasks, the first of them `first`, of a slice of `length`; false if none is left.
  bool take(std::atomic<uint64_t> &taken, uint64_t length, uint64_t &first, uint64_t &share) {
    uint64_t current = taken.load(std::memory_order_relaxed);
    do {
      // The slice of a group before may have been shorter, and that of a later one be in use.
      first = std::max(current, sliceBefore) - sliceBefore;
      if (first >= length)
        return false;
      share = std::max<uint64_t>(1, (length - first) / (2 * pool->threadsOfSlice()));
    } while (!taken.compare_exchange_weak(current, sliceBefore + first + share,
                                          std::memory_order_relaxed));
    return true;
  }

  /// Waits until every task in front of the group that comes next is finished.
  void await(Touching meanwhile) {
    std::atomic<uint64_t> &finished = pool->finished;
    if (spinUntil([&] { return finished.load(std::memory_order_acquire) >= before; }, meanwhile))
      return;
    // Whoever finishes tasks looks for sleepers afterwards; we announce ourselves and then look for
    // finished tasks. Both in one total order, so one of the two sees the other.
    pool->waiters.fetch_add(1);
    for (uint64_t now = finished.load(); now < before; now = finished.load())
      futexWait(finished, now);
    pool->waiters.fetch_sub(1);
  }

  /// How many are finished then.
  uint64_t finish(uint64_t count) {
    uint64_t now = pool->finished.fetch_add(count) + count;
    if (pool->waiters.load() != 0)
      futexWake(pool->finished, INT_MAX);
    return now;
  }

  Pool *pool;
  uint64_t home, before, sliceBefore;
  bool wasLast;
};

Pool::Pool(int threads) : slices(std::min(threads, kMostSlices)) {
  run = [](PoolHandle *pool, heed_body body, const void *payload, int64_t bytes) {
    static_cast<Pool *>(pool)->runTeam(body, payload, bytes);
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

ErrorOr<std::shared_ptr<Pool>> Pool::create(int threads) {
  if (threads < 0 || threads > kMaxThreads)
    return makeError(fmt::format("threads must lie in 1 … {}, or be 0 for one a processor: {} "
                                 "were asked for",
                                 kMaxThreads, threads));
  if (threads == 0)
    threads = defaultThreads();

  std::shared_ptr<Pool> pool(new Pool(threads));
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
  teamNumber.fetch_add(1);
  futexWake(teamNumber, INT_MAX);
  for (pthread_t worker : workers)
    pthread_join(worker, nullptr);
}

void *Pool::workerMain(void *argument) {
  auto &pool = *static_cast<Pool *>(argument);
  insideTeam = true;
  const int number = pool.lastNumber.fetch_add(1) + 1;
  std::vector<uint64_t> payload;
  uint32_t seen = 0;
  while (pool.awaitTeam(seen))
    pool.join(number, payload);
  return nullptr;
}

/// Waits for a team other than `seen` and notes it there. False if the pool is being destroyed.
bool Pool::awaitTeam(uint32_t &seen) {
  auto isNew = [&] { return teamNumber.load(std::memory_order_acquire) != seen; };
  if (!spinUntil(isNew, pauseBriefly)) {
    // As in Member::await.
    sleepers.fetch_add(1);
    while (teamNumber.load() == seen)
      futexWait(teamNumber, seen);
    sleepers.fetch_sub(1);
  }
  seen = teamNumber.load(std::memory_order_acquire);
  return !stopping.load();
}

/// Goes through the body of the team that there is now, if any, as thread `number`. `payload` is
/// room for a copy.
void Pool::join(int number, std::vector<uint64_t> &payload) {
  // The leader may be through before this thread is, and then its payload is gone; so it is copied,
  // and a leader that leaves waits for those who are copying, and for nobody else.
  copying.fetch_add(1);
  if (!isOpen.load()) {
    copying.fetch_sub(1);
    return;
  }
  inside.fetch_add(1, std::memory_order_relaxed);
  Team own = team;
  payload.resize((own.bytes + 7) / 8);
  if (own.bytes > 0)
    std::memcpy(payload.data(), own.payload, own.bytes);
  copying.fetch_sub(1, std::memory_order_release);
  Member member(this, number, own.before, own.sliceBefore);
  own.body(payload.data(), &member);
  inside.fetch_sub(1, std::memory_order_release);
}

void Pool::awaitLate() {
  while (inside.load(std::memory_order_acquire) != 0)
    sched_yield();
}

void Pool::runTeam(heed_body body, const void *payload, int64_t bytes) {
  if (workers.empty() || insideTeam) {
    Member alone(nullptr, 0, 0, 0);
    body(const_cast<void *>(payload), &alone);
    return;
  }
  insideTeam = true;
  team = {body, payload, bytes, finished.load(std::memory_order_relaxed), slicesDealt};
  isOpen.store(true);
  teamNumber.fetch_add(1);
  if (sleepers.load() != 0)
    futexWake(teamNumber, INT_MAX);
  Member leader(this, 0, team.before, team.sliceBefore);
  body(const_cast<void *>(payload), &leader);
  leader.awaitAll();
  slicesDealt = leader.slicesDealt();
  isOpen.store(false);
  while (copying.load() != 0)
    pauseBriefly();
  insideTeam = false;
}

void Pool::parallelFor(heed_task task, void *payload, int64_t count) {
  if (count <= 1 || workers.empty() || insideTeam) {
    for (int64_t i = 0; i < count; ++i)
      task(payload, i);
    return;
  }
  struct Region {
    heed_task task;
    void *payload;
    int64_t count;
  } region{task, payload, count};
  runTeam(
      [](void *values, heed_member *member) {
        auto &region = *static_cast<Region *>(values);
        heed_run_tasks(member, region.task, nullptr, region.payload, region.count);
      },
      &region, sizeof(region));
}

void heed_run_team(const heed_context *context, heed_body body, const void *payload,
                   int64_t bytes) {
  auto *pool = static_cast<PoolHandle *>(context->pool);
  pool->run(pool, body, payload, bytes);
}

void heed_run_tasks(heed_member *member, heed_task task, heed_touch touch, void *payload,
                    int64_t count) {
  member->run_tasks(member, task, touch, payload, count);
}
