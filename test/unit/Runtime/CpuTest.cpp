//===- CpuTest.cpp --------------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Cpu.h"

#include <gtest/gtest.h>
#include <string>

using namespace heed;

namespace {

const heed_variant variants[] = {
    {"avx512", HEED_AVX2_FMA_F16C | HEED_AVX512 | HEED_AVX512_VNNI, nullptr},
    {"avx2", HEED_AVX2_FMA_F16C, nullptr},
};
const heed_artifact model = {HEED_ABI_VERSION, "model", 0, 0, 2, nullptr, nullptr, variants};
constexpr uint64_t kAll = HEED_AVX2_FMA_F16C | HEED_AVX512 | HEED_AVX512_VNNI | HEED_AVX512_BF16;

std::string chosen(uint64_t features, const char *forced) {
  ErrorOr<const heed_variant *> variant = chooseVariant(model, features, forced);
  return variant ? (*variant)->name : variant.message();
}

TEST(Cpu, TakesTheBestVariantThatRuns) {
  EXPECT_EQ(chosen(kAll, nullptr), "avx512");
  EXPECT_EQ(chosen(kAll, ""), "avx512");
  EXPECT_EQ(chosen(HEED_AVX2_FMA_F16C | HEED_AVX512, nullptr), "avx2");
  EXPECT_EQ(chosen(0, nullptr), "model was compiled for avx512, avx2, and this processor has none "
                                "of these: compile it for this processor");
}

TEST(Cpu, TakesTheForcedVariant) {
  EXPECT_EQ(chosen(kAll, "avx2"), "avx2");
  EXPECT_EQ(chosen(HEED_AVX2_FMA_F16C, "avx512"),
            "HEED_ISA asks for avx512, which needs avx2+fma+f16c, avx512, avx512-vnni; this "
            "processor has avx2+fma+f16c");
  EXPECT_EQ(chosen(kAll, "sse2"),
            "HEED_ISA asks for 'sse2', but model was compiled for avx512, avx2 alone");
}

TEST(Cpu, AgreesWithTheCompilersDetection) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  EXPECT_EQ((cpuFeatures() & HEED_AVX2_FMA_F16C) != 0,
            __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
  EXPECT_EQ((cpuFeatures() & HEED_AVX512) != 0,
            __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512cd"));
  EXPECT_EQ((cpuFeatures() & HEED_AVX512_VNNI) != 0, bool(__builtin_cpu_supports("avx512vnni")));
  EXPECT_EQ((cpuFeatures() & HEED_AVX512_BF16) != 0, bool(__builtin_cpu_supports("avx512bf16")));
  EXPECT_EQ((cpuFeatures() & HEED_AVX_VNNI) != 0, bool(__builtin_cpu_supports("avxvnni")));
#else
  EXPECT_EQ(cpuFeatures(), 0u);
#endif
}

} // namespace
