//===- CpuCaches.h - how large this processor's caches are ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_BENCHMARK_CPUCACHES_H
#define HEED_LIB_BENCHMARK_CPUCACHES_H

#include <cstdint>

namespace heed::bench {

/// Sizes in bytes, 0 where the system doesn't say.
struct CpuCaches {
  int64_t l2 = 0;        ///< of one core
  int64_t l3 = 0;        ///< of the cores that share it
  int64_t l3Sharers = 1; ///< processors that share it, at least 1
};

/// Of the first processor, from /sys.
CpuCaches cpuCaches();

} // namespace heed::bench

#endif // HEED_LIB_BENCHMARK_CPUCACHES_H
