//===- ProcessMemory.h - how much memory this process takes ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_BENCHMARK_PROCESSMEMORY_H
#define HEED_BENCHMARK_PROCESSMEMORY_H

#include <cstdint>

namespace heed {

/// Bytes of this process that are in memory now; 0 where the system doesn't say.
int64_t residentMemory();

/// The most that `residentMemory` was since the process began, or since `resetPeakMemory`.
int64_t peakMemory();

/// Begins to count the peak anew. False where the system can't.
bool resetPeakMemory();

} // namespace heed

#endif // HEED_BENCHMARK_PROCESSMEMORY_H
