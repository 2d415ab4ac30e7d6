//===- Rooflines.h - the most that this machine can do --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A figure means something beside the most that the machine could have done, in
// the same minutes and with as many threads: the arithmetic of one instruction
// repeated in registers, and a stream of reads through one level of memory.
// What is written here are instruments, not kernels of models.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_BENCHMARK_ROOFLINES_H
#define HEED_BENCHMARK_ROOFLINES_H

#include "heed/Runtime/Pool.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace heed {

enum class LimitKind : int { FmaF32, DotBf16, DotInt8, DotInt16, ReadL2, ReadL3, ReadMemory };
constexpr int kLimitKinds = 7;

/// One limit, and what was measured of it.
struct Limit {
  const char *name = ""; ///< in reports: "fma_f32", "read_memory"
  const char *unit = ""; ///< "GFLOP/s", "GOP/s" or "GB/s" (1e9), of all threads together
  std::string how;       ///< the instruction, or how many bytes are read
  std::string skipped;   ///< why there is no measurement; else empty
  /// One for each call of `measure`, each the best of a few tries, which interrupts can't raise.
  std::vector<double> samples;

  /// The median of the samples; 0 where there are none.
  double value() const;
};

/// Measures the limits on all threads of a pool at once.
class Rooflines {
public:
  /// `pool` must outlive this object and be idle whenever `measure` is called.
  explicit Rooflines(Pool &pool);

  /// Takes one more sample of every limit: some tenths of a second. Its memory is given back.
  void measure();

  const Limit &operator[](LimitKind kind) const { return all[static_cast<int>(kind)]; }
  std::span<const Limit> limits() const { return all; }

private:
  void measureArithmetic();
  void measureReads();

  Pool &pool;
  std::array<Limit, kLimitKinds> all;
};

} // namespace heed

#endif // HEED_BENCHMARK_ROOFLINES_H
