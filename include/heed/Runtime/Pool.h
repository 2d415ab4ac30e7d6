//===- Pool.h - the threads that run a model -------------------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One new token takes some 300 parallel regions of a few microseconds each, so
// starting a region must cost next to nothing, and a thread that the system has
// put aside must not hold the others up. Hence:
//
//  * A region is one 64-bit ticket: the region's number in the high half, the
//    next index that nobody has taken in the low half. Threads take indices by
//    compare-and-swap, so a late thread finds either work of this region or a
//    ticket of another one, and never has to be waited for.
//  * Threads take a share of what is left (guided scheduling): long runs first,
//    which memory streams like, single indices last, which evens the ends.
//  * Idle threads watch the ticket for some tens of microseconds and then sleep
//    in the kernel, so a model that is not running uses no processor.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_RUNTIME_POOL_H
#define HEED_RUNTIME_POOL_H

#include "heed/Runtime/Artifact.h"
#include "heed/Support/ErrorOr.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <pthread.h>
#include <type_traits>
#include <vector>

namespace heed {

/// What `heed_context::pool` points at. The first word says how to run a region, so generated code
/// that was linked with one copy of the runtime can be driven by another copy.
struct PoolHandle {
  using Run = void (*)(PoolHandle *pool, void (*task)(void *payload, int64_t index), void *payload,
                       int64_t count);
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
  static ErrorOr<std::unique_ptr<Pool>> create(int threads);

  ~Pool();
  Pool(const Pool &) = delete;
  Pool &operator=(const Pool &) = delete;

  int threads() const { return static_cast<int>(workers.size()) + 1; }

  /// Runs task(payload, 0 … count-1) over all threads and returns when every one is done. From
  /// inside a task it runs inline. Only one thread at a time may call it on one pool.
  void parallelFor(void (*task)(void *payload, int64_t index), void *payload, int64_t count);

  /// The same for anything that can be called with an index.
  template <typename Task> void parallelFor(int64_t count, Task &&task) {
    using Body = std::remove_reference_t<Task>;
    parallelFor([](void *payload, int64_t index) { (*static_cast<Body *>(payload))(index); }, &task,
                count);
  }

private:
  Pool();

  static void *workerMain(void *pool);
  void work(uint32_t region);
  void runRegion(void (*task)(void *, int64_t), void *payload, int64_t base, uint32_t count);
  void awaitDone(uint32_t count);
  bool awaitRegion(uint32_t &seen);

  // Each on a cache line of its own: the ticket and the count of finished indices are written by
  // all threads, the description of the region by the caller alone.
  alignas(64) std::atomic<uint64_t> ticket{0};
  alignas(64) std::atomic<uint32_t> done{0};
  std::atomic<uint32_t> callerSleeps{0};
  alignas(64) std::atomic<void (*)(void *, int64_t)> regionTask{nullptr};
  std::atomic<void *> regionPayload{nullptr};
  std::atomic<int64_t> regionBase{0};
  std::atomic<uint32_t> regionCount{0};
  std::atomic<uint32_t> regionNumber{0}; // the word idle threads sleep on
  alignas(64) std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> stopping{false};
  std::vector<pthread_t> workers;
};

} // namespace heed

#endif // HEED_RUNTIME_POOL_H
