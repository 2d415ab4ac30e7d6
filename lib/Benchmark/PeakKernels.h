//===- PeakKernels.h - one instruction, again and again -------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_BENCHMARK_PEAKKERNELS_H
#define HEED_LIB_BENCHMARK_PEAKKERNELS_H

#include <cstddef>
#include <cstdint>

namespace heed::bench {

/// Bytes of random operands that a peak kernel is handed, and of sums that it leaves.
constexpr int64_t kOperandBytes = 4096, kSumBytes = 64;

/// A loop whose only work is one arithmetic instruction on registers.
struct PeakKernel {
  const char *instruction = nullptr; ///< null where the processor has none: see `missing`
  const char *missing = nullptr;
  double operations = 0; ///< of one round, a multiplication and an addition being two
  /// `operands` has kOperandBytes in the form that the kernel reads; writes kSumBytes to `sums`,
  /// so that nothing is computed in vain.
  void (*run)(int64_t rounds, const std::byte *operands, std::byte *sums) = nullptr;
};

// For a processor with these heed_features.
PeakKernel fmaF32Kernel(uint64_t features);   ///< operands: f32 in ±[0.75, 1)
PeakKernel dotBf16Kernel(uint64_t features);  ///< operands: bf16 in ±[0.5, 1)
PeakKernel dotInt8Kernel(uint64_t features);  ///< operands: any bytes
PeakKernel dotInt16Kernel(uint64_t features); ///< operands: any words

/// Reads `bytes`, a multiple of kReadStep, from `data`, aligned to 64, in one stream or in four
/// that stand a quarter of the bytes apart. Returns something that depends on each.
constexpr int64_t kReadStep = 1024;
struct ReadKernels {
  const char *instruction;
  uint64_t (*oneStream)(const std::byte *data, int64_t bytes);
  uint64_t (*fourStreams)(const std::byte *data, int64_t bytes);
};
ReadKernels readKernels(uint64_t features);

} // namespace heed::bench

#endif // HEED_LIB_BENCHMARK_PEAKKERNELS_H
