//===- Processor.h - what kernels can count on ----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_COSTMODEL_PROCESSOR_H
#define HEED_COSTMODEL_PROCESSOR_H

#include <cstdint>

namespace heed::cost {

/// One core as the cost model sees it: what processors that have an instruction set have in common,
/// so that the same program gives the same code on every machine. Where a processor differs,
/// `heed tune` measures.
struct Processor {
  int64_t lanes;       ///< f32 numbers of a vector register
  int64_t registers;   ///< vector registers
  double multiplies;   ///< multiplying instructions that begin in a cycle
  double operations;   ///< and all that don't read memory, of processors with dot products of bf16
  double loads;        ///< vectors loaded in a cycle
  double latency;      ///< cycles until a sum can be added to again
  double pairsLatency; ///< the same of a sum of products of bf16
  /// Bytes of the first and second cache level, of which a kernel can count on half.
  int64_t firstLevel, secondLevel;
  /// Lines that one set of the first level holds; its sets repeat every 4 K.
  int64_t ways;
  /// Bytes that arrive in a cycle from the second level, and from the third.
  double fromSecond, fromThird;

  /// One with registers of 16 f32 (AVX-512) or 8 (AVX2), by the instruction tables of uops.info
  /// and the vendors' optimisation manuals for Zen 3 to 5 and Ice Lake to Sapphire Rapids.
  static constexpr Processor withLanes(int64_t lanes) {
    bool isWide = lanes >= 16;
    return {.lanes = isWide ? 16 : 8,
            .registers = isWide ? 32 : 16,
            .multiplies = 2,
            .operations = 4,
            .loads = 2,
            .latency = 4,
            .pairsLatency = 6,
            .firstLevel = 32 << 10,
            .secondLevel = isWide ? 1 << 20 : 512 << 10,
            .ways = 8,
            .fromSecond = 32,
            .fromThird = 12};
  }
};

} // namespace heed::cost

#endif // HEED_COSTMODEL_PROCESSOR_H
