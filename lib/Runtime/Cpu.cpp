//===- Cpu.cpp - which instructions this processor has --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Cpu.h"

#include <fmt/format.h>
#include <string>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

using namespace heed;

#if defined(__x86_64__)

namespace {

struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf) {
  Registers r;
  // Leaves a processor does not have read as zero: no feature.
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

/// XCR0: the register state that the operating system saves for a thread.
uint64_t savedState() {
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

constexpr bool has(unsigned word, unsigned bit) { return word >> bit & 1; }

} // namespace

uint64_t heed::cpuFeatures() {
  // Bit numbers: Intel SDM volume 2, CPUID; volume 1, 13.3 for XCR0.
  Registers basic = cpuid(1, 0);
  constexpr unsigned kOsxsave = 27, kAvx = 28, kFma = 12, kF16c = 29;
  if (!has(basic.ecx, kOsxsave))
    return 0;
  constexpr uint64_t kYmmState = 0x06, kZmmState = 0xe6;
  uint64_t state = savedState();
  Registers extended = cpuid(7, 0), more = cpuid(7, 1);

  uint64_t features = 0;
  constexpr unsigned kAvx2 = 5;
  if ((state & kYmmState) == kYmmState && has(basic.ecx, kAvx) && has(basic.ecx, kFma) &&
      has(basic.ecx, kF16c) && has(extended.ebx, kAvx2))
    features |= HEED_AVX2_FMA_F16C;
  constexpr unsigned kAvxVnni = 4;
  if (features && has(more.eax, kAvxVnni))
    features |= HEED_AVX_VNNI;
  constexpr unsigned kF = 16, kDq = 17, kCd = 28, kBw = 30, kVl = 31;
  if (features && (state & kZmmState) == kZmmState && has(extended.ebx, kF) &&
      has(extended.ebx, kDq) && has(extended.ebx, kCd) && has(extended.ebx, kBw) &&
      has(extended.ebx, kVl)) {
    features |= HEED_AVX512;
    constexpr unsigned kVnni = 11, kBf16 = 5;
    if (has(extended.ecx, kVnni))
      features |= HEED_AVX512_VNNI;
    if (has(more.eax, kBf16))
      features |= HEED_AVX512_BF16;
  }
  return features;
}

#else

uint64_t heed::cpuFeatures() { return 0; }

#endif

namespace {

std::string featureNames(uint64_t features) {
  static constexpr struct {
    uint64_t bit;
    const char *name;
  } kNames[] = {{HEED_AVX2_FMA_F16C, "avx2+fma+f16c"},
                {HEED_AVX512, "avx512"},
                {HEED_AVX512_VNNI, "avx512-vnni"},
                {HEED_AVX512_BF16, "avx512-bf16"},
                {HEED_AVX_VNNI, "avx-vnni"}};
  std::string names;
  for (auto &entry : kNames)
    if (features & entry.bit)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.name);
  return names.empty() ? "none of these" : names;
}

std::string variantNames(const heed_artifact &artifact) {
  std::string names;
  for (int64_t v = 0; v < artifact.n_variants; ++v)
    names += fmt::format("{}{}", v ? ", " : "", artifact.variants[v].name);
  return names;
}

} // namespace

ErrorOr<const heed_variant *> heed::chooseVariant(const heed_artifact &artifact, uint64_t features,
                                                  const char *forced) {
  bool isForced = forced && *forced;
  for (int64_t v = 0; v < artifact.n_variants; ++v) {
    const heed_variant &variant = artifact.variants[v];
    bool runs = (variant.features & ~features) == 0;
    if (!isForced && runs)
      return &variant;
    if (!isForced || std::string_view(forced) != variant.name)
      continue;
    if (runs)
      return &variant;
    return makeError(fmt::format("HEED_ISA asks for {}, which needs {}; this processor has {}",
                                 forced, featureNames(variant.features), featureNames(features)));
  }
  if (isForced)
    return makeError(fmt::format("HEED_ISA asks for '{}', but {} was compiled for {} alone", forced,
                                 artifact.name, variantNames(artifact)));
  return makeError(fmt::format("{} was compiled for {}, and this processor has {}: compile it for "
                               "this processor",
                               artifact.name, variantNames(artifact), featureNames(features)));
}
