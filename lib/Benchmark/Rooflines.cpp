//===- Rooflines.cpp - the most that this machine can do ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Benchmark/Rooflines.h"

#include "CpuCaches.h"
#include "PeakKernels.h"

#include "heed/Benchmark/Random.h"
#include "heed/Benchmark/Statistics.h"
#include "heed/Runtime/Cpu.h"
#include "heed/Runtime/Memory.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

using namespace heed;
using namespace heed::bench;
using Clock = std::chrono::steady_clock;

namespace {

/// One try lasts about so long, and each sample is the best of so many tries.
constexpr double kTrySeconds = 0.006;
constexpr int kTries = 3;

/// A stream from memory reads so much at least, whatever the caches' size.
constexpr int64_t kLeastMemory = int64_t{256} << 20;

/// Runs work(thread) on every thread of `pool` at the same time; the seconds from the first one's
/// beginning to the last one's end.
template <typename Work> double secondsTogether(Pool &pool, Work &&work) {
  int threads = pool.threads();
  std::atomic<int> arrived{0};
  std::vector<Clock::time_point> begins(threads), ends(threads);
  // No index ends before all have begun, so each is run by a thread of its own.
  pool.parallelFor(threads, [&](int64_t thread) {
    arrived.fetch_add(1);
    while (arrived.load() < threads)
      sched_yield();
    begins[thread] = Clock::now();
    work(thread);
    ends[thread] = Clock::now();
  });
  auto lasted =
      *std::max_element(ends.begin(), ends.end()) - *std::min_element(begins.begin(), begins.end());
  return std::max(std::chrono::duration<double>(lasted).count(), 1e-9);
}

/// The best rate, in 1e9 a second, of a few tries. `run(rounds)` gives the seconds that so many
/// rounds took, of `unitsOfRound` each.
template <typename Run> double bestRate(double unitsOfRound, int64_t leastRounds, Run &&run) {
  run(leastRounds); // wakes threads up and loads what can be loaded
  int64_t rounds = leastRounds;
  double seconds = run(rounds);
  while (seconds < kTrySeconds / 2 && rounds < int64_t{1} << 40) {
    rounds = static_cast<int64_t>(static_cast<double>(rounds) *
                                  std::clamp(kTrySeconds / seconds, 2.0, 16.0));
    seconds = run(rounds);
  }
  double best = static_cast<double>(rounds) * unitsOfRound / seconds;
  for (int attempt = 1; attempt < kTries; ++attempt)
    best = std::max(best, static_cast<double>(rounds) * unitsOfRound / run(rounds));
  return best * 1e-9;
}

struct alignas(64) Sums {
  std::byte bytes[kSumBytes];
};

enum class Operands { F32, Bf16, Bytes };

std::vector<std::byte> randomOperands(Operands form) {
  std::vector<std::byte> bytes(kOperandBytes);
  Random random(1);
  for (int64_t at = 0; at < kOperandBytes; at += 4) {
    auto bits = static_cast<uint32_t>(random.next());
    if (form == Operands::F32) // a sign, the exponent of [0.5, 1), the mantissa's first bit set
      bits = (bits & 0x803fffff) | 0x3f400000;
    else if (form == Operands::Bf16)
      bits = (bits & 0x807f807f) | 0x3f003f00;
    std::memcpy(&bytes[at], &bits, sizeof(bits));
  }
  return bytes;
}

double measurePeak(Pool &pool, const PeakKernel &kernel, Operands form) {
  std::vector<std::byte> operands = randomOperands(form);
  std::vector<Sums> sums(pool.threads());
  return bestRate(kernel.operations * pool.threads(), 1000, [&](int64_t rounds) {
    return secondsTogether(
        pool, [&](int64_t thread) { kernel.run(rounds, operands.data(), sums[thread].bytes); });
  });
}

/// Fills memory with what no one can compress, on all threads.
void fillRandom(Pool &pool, std::byte *data, int64_t bytesOfThread) {
  pool.parallelFor(pool.threads(), [&](int64_t thread) {
    Random random(thread + 1);
    for (int64_t at = 0; at < bytesOfThread; at += 8) {
      uint64_t word = random.next();
      std::memcpy(data + thread * bytesOfThread + at, &word, sizeof(word));
    }
  });
}

/// The rate of reading `bytes` of each thread's own memory, in one stream or four: the better one.
double measureRead(Pool &pool, const ReadKernels &kernels, const std::byte *data,
                   int64_t bytesOfThread, int64_t bytes) {
  std::vector<Sums> sums(pool.threads());
  double best = 0;
  for (auto kernel : {kernels.oneStream, kernels.fourStreams})
    best = std::max(best,
                    bestRate(static_cast<double>(bytes) * pool.threads(), 1, [&](int64_t rounds) {
                      return secondsTogether(pool, [&](int64_t thread) {
                        uint64_t sum = 0;
                        for (int64_t r = 0; r < rounds; ++r)
                          sum += kernel(data + thread * bytesOfThread, bytes);
                        std::memcpy(sums[thread].bytes, &sum, sizeof(sum));
                      });
                    }));
  return best;
}

int64_t wholeSteps(int64_t bytes) { return bytes / kReadStep * kReadStep; }

/// Bytes that each of `threads` threads reads for one level of memory.
struct ReadSizes {
  int64_t l2 = 0, l3 = 0, memory = 0;
};

ReadSizes readSizes(const CpuCaches &caches, int threads) {
  ReadSizes sizes;
  sizes.l2 = wholeSteps(caches.l2 / 2);
  sizes.l3 = wholeSteps(caches.l3 / 2 / std::min<int64_t>(threads, caches.l3Sharers));
  // Threads beyond the sharers of one third-level cache have another one.
  int64_t l3Caches = (threads + caches.l3Sharers - 1) / caches.l3Sharers;
  int64_t total = std::max(kLeastMemory, 4 * caches.l3 * l3Caches);
  sizes.memory = wholeSteps(std::max(total / threads, 2 * caches.l2));
  return sizes;
}

} // namespace

double Limit::value() const { return median(samples); }

Rooflines::Rooflines(Pool &pool) : pool(pool) {
  constexpr const char *kNames[] = {"fma_f32", "dot_bf16", "dot_int8",   "dot_int16",
                                    "read_l2", "read_l3",  "read_memory"};
  constexpr const char *kUnits[] = {"GFLOP/s", "GFLOP/s", "GOP/s", "GOP/s", "GB/s", "GB/s", "GB/s"};
  for (int kind = 0; kind < kLimitKinds; ++kind) {
    all[kind].name = kNames[kind];
    all[kind].unit = kUnits[kind];
  }
}

void Rooflines::measure() {
  measureArithmetic();
  measureReads();
}

void Rooflines::measureArithmetic() {
  uint64_t features = cpuFeatures();
  auto one = [&](LimitKind kind, const PeakKernel &kernel, Operands form) {
    Limit &limit = all[static_cast<int>(kind)];
    if (!kernel.run) {
      limit.skipped = kernel.missing;
      return;
    }
    limit.how = kernel.instruction;
    limit.samples.push_back(measurePeak(pool, kernel, form));
  };
  one(LimitKind::FmaF32, fmaF32Kernel(features), Operands::F32);
  one(LimitKind::DotBf16, dotBf16Kernel(features), Operands::Bf16);
  one(LimitKind::DotInt8, dotInt8Kernel(features), Operands::Bytes);
  one(LimitKind::DotInt16, dotInt16Kernel(features), Operands::Bytes);
}

void Rooflines::measureReads() {
  CpuCaches caches = cpuCaches();
  ReadKernels kernels = readKernels(cpuFeatures());
  ReadSizes sizes = readSizes(caches, pool.threads());
  auto &l2 = all[static_cast<int>(LimitKind::ReadL2)];
  auto &l3 = all[static_cast<int>(LimitKind::ReadL3)];
  auto &memory = all[static_cast<int>(LimitKind::ReadMemory)];

  int64_t total = sizes.memory * pool.threads();
  int64_t free = int64_t{sysconf(_SC_AVPHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  Region region;
  if (total > free / 2 || !region.allocate(total, Region::Pages::Huge)) {
    for (Limit *limit : {&l2, &l3, &memory})
      limit->skipped = fmt::format("reading from memory takes {} MiB, and {} MiB are free",
                                   total >> 20, free >> 20);
    return;
  }
  fillRandom(pool, region.data(), sizes.memory);
  auto one = [&](Limit &limit, int64_t bytes) {
    limit.skipped.clear();
    limit.how = fmt::format("{} KiB a thread, {}", bytes >> 10, kernels.instruction);
    limit.samples.push_back(measureRead(pool, kernels, region.data(), sizes.memory, bytes));
  };
  if (sizes.l2 == 0)
    l2.skipped = "the system doesn't say how large the second-level cache is";
  else
    one(l2, sizes.l2);
  if (caches.l3 == 0)
    l3.skipped = "the system names no third-level cache";
  else if (sizes.l3 < 2 * caches.l2)
    l3.skipped = fmt::format("a thread's part of the third-level cache is {} KiB, and the second "
                             "level holds {} KiB of it",
                             sizes.l3 >> 10, caches.l2 >> 10);
  else
    one(l3, sizes.l3);
  one(memory, sizes.memory);
}
