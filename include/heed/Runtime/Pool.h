//===- Pool.h - the threads that run a model -------------------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One new token takes some 200 groups of tasks of a few microseconds each, one
// after the other, so a group must cost next to nothing, memory must not idle
// between two, and a thread that the system has put aside must not hold the others
// up. Hence:
//
//  * A team is formed once a step. All threads run the team's body, which has no
//    effects of its own, and meet at each group of tasks in it.
//  * Counters of tasks taken and of tasks finished, since the pool was made. As all
//    threads come by the same groups, each knows by counting at which number a
//    group begins. A group's tasks may run once all before are finished. A late
//    thread finds that the counters are ahead of it, and hurries after: nobody
//    waits for a thread, only for tasks.
//  * Tasks are taken before they may run. A thread that has to wait asks memory
//    for what they will read.
//  * Each thread has a slice of a group's tasks, one behind the other, which memory
//    streams like, and takes half of what is left of it at a time. When nothing is,
//    it takes the same from the others' slices, which evens the ends. A group of one
//    task is run by whoever finished the group before, at no wait.
//  * Threads without a team watch for one for some tens of microseconds and then
//    sleep in the kernel, so a model that is not running uses no processor.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_RUNTIME_POOL_H
#define HEED_RUNTIME_POOL_H

#include "heed/Runtime/Artifact.h"
#include "heed/Support/ErrorOr.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <type_traits>
#include <vector>

namespace heed {

/// What `heed_context::pool` points at. The first word says how to run a team, so generated code
/// that was linked with one copy of the runtime can be driven by another copy.
struct PoolHandle {
  using Run = void (*)(PoolHandle *pool, heed_body body, const void *payload, int64_t bytes);
  Run run;
};

/// A fixed set of threads, the caller of `run` among them.
class Pool : public PoolHandle {
public:
  static constexpr int kMaxThreads = 1024;

  /// How many threads `create(0)` makes: one for each processor this process may run on.
  static int defaultThreads();

  /// Makes a pool of `threads` threads, 0 for one a processor. Fails outside 0 … 1024 and where
  /// the system refuses a thread.
  static ErrorOr<std::shared_ptr<Pool>> create(int threads);

  ~Pool();
  Pool(const Pool &) = delete;
  Pool &operator=(const Pool &) = delete;

  int threads() const { return static_cast<int>(workers.size()) + 1; }

  /// Runs a team as heed_run_team says. From inside a team the calling thread is one by itself.
  /// Only one thread at a time may call this or parallelFor on one pool: see `running`.
  void runTeam(heed_body body, const void *payload, int64_t bytes);

  /// A team of one group: runs task(payload, 0 … count-1) over all threads and returns when every
  /// one is done.
  void parallelFor(heed_task task, void *payload, int64_t count);

  /// The same for anything that can be called with an index.
  template <typename Task> void parallelFor(int64_t count, Task &&task) {
    using Body = std::remove_reference_t<Task>;
    parallelFor([](void *payload, int64_t index) { (*static_cast<Body *>(payload))(index); }, &task,
                count);
  }

  /// Waits until no thread is in the body of a team that is over. Then whatever those bodies read
  /// may be freed. Not to be called while a team runs.
  void awaitLate();

  /// Held by whoever runs a team, where several models or threads of the program share the pool.
  std::mutex running;

private:
  explicit Pool(int threads);

  class Member;
  /// What the leader shows the others.
  struct Team {
    heed_body body;
    const void *payload;
    int64_t bytes;
    uint64_t before, sliceBefore; ///< tasks finished, and slices dealt, when it began
  };
  /// A group's tasks lie in as many slices as there are threads, but not more than this: who looks
  /// for work looks at all.
  static constexpr int kMostSlices = 16;
  /// How many tasks of its slice were taken, as if all slices of a group were as long as the first.
  struct alignas(64) Slice {
    std::atomic<uint64_t> taken{0};
  };

  static void *workerMain(void *pool);
  bool awaitTeam(uint32_t &seen);
  void join(int number, std::vector<uint64_t> &payload);
  uint64_t threadsOfSlice() const { return (threads() + slices.size() - 1) / slices.size(); }

  // Each on a cache line of its own: all threads write to the counters, the leader alone to the
  // team. Tasks that were run at no wait count as finished, and were never taken.
  std::vector<Slice> slices;
  uint64_t slicesDealt = 0; // the leader's
  alignas(64) std::atomic<uint64_t> finished{0};
  alignas(64) std::atomic<uint32_t> waiters{0}; // asleep until tasks are finished
  alignas(64) Team team{};
  std::atomic<bool> isOpen{false};
  std::atomic<uint32_t> teamNumber{0}; // the word idle threads sleep on
  alignas(64) std::atomic<uint32_t> sleepers{0};
  std::atomic<uint32_t> copying{0}, inside{0}; // threads at a team's payload, and in its body
  std::atomic<bool> stopping{false};
  std::atomic<int> lastNumber{0}; // of a worker; the leader is 0
  std::vector<pthread_t> workers;
};

} // namespace heed

#endif // HEED_RUNTIME_POOL_H
