//===- RooflinesTest.cpp --------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Benchmark/Rooflines.h"

#include "heed/Benchmark/Work.h"
#include "heed/Runtime/Cpu.h"

#include <gtest/gtest.h>

using namespace heed;

namespace {

/// How fast the machine is can't be asserted, but what it has is measured, once a call.
TEST(Rooflines, MeasureWhatTheProcessorHas) {
  auto pool = Pool::create(2);
  ASSERT_TRUE(pool);
  Rooflines rooflines(**pool);
  EXPECT_EQ(rooflines[LimitKind::FmaF32].value(), 0);
  rooflines.measure();
  rooflines.measure();
  for (const Limit &limit : rooflines.limits()) {
    EXPECT_NE(limit.skipped.empty(), limit.samples.empty()) << limit.name;
    EXPECT_TRUE(limit.samples.empty() || limit.samples.size() == 2) << limit.name;
    EXPECT_TRUE(limit.samples.empty() || limit.value() > 0.01) << limit.name;
  }
  bool hasBytes = cpuFeatures() & (HEED_AVX512_VNNI | HEED_AVX2_FMA_F16C);
  EXPECT_EQ(rooflines[LimitKind::DotInt8].samples.empty(), !hasBytes);
  EXPECT_EQ(limitOf(Arithmetic::Int8, rooflines),
            hasBytes ? LimitKind::DotInt8 : LimitKind::FmaF32);
  bool hasWords =
      !(cpuFeatures() & (HEED_AVX512_VNNI | HEED_AVX_VNNI)) && (cpuFeatures() & HEED_AVX2_FMA_F16C);
  EXPECT_EQ(limitOf(Arithmetic::Int16, rooflines),
            hasWords ? LimitKind::DotInt16 : LimitKind::FmaF32);

  Operations operations;
  operations.of[static_cast<int>(Arithmetic::F32)] = 1e6;
  EXPECT_DOUBLE_EQ(operations.leastNs(rooflines), 1e6 / rooflines[LimitKind::FmaF32].value());
  EXPECT_EQ(Operations().leastNs(rooflines), 0);
}

TEST(Rooflines, NothingMeasuredIsNoLimit) {
  auto pool = Pool::create(1);
  ASSERT_TRUE(pool);
  Operations operations;
  operations.of[0] = 1;
  EXPECT_EQ(operations.leastNs(Rooflines(**pool)), 0);
}

} // namespace
