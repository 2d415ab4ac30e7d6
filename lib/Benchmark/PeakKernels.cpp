//===- PeakKernels.cpp - one instruction, again and again -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PeakKernels.h"

#include "heed/Runtime/Artifact.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace heed;
using namespace heed::bench;

#if defined(__x86_64__)

namespace {

bool has(uint64_t features, uint64_t wanted) { return (features & wanted) == wanted; }

// Sums don't wait for one another: an instruction takes four to six cycles, of which one or two
// begin in each, and 16 sums with their operands fit AVX-512's registers, 12 those of AVX2.
constexpr int kSums512 = 16, kSums256 = 12;

// x becomes a x + b with a just inside ±1, so that it stays finite and every bit keeps changing.

__attribute__((target("avx512f"))) void fma512(int64_t rounds, const std::byte *operands,
                                               std::byte *sums) {
  auto *in = reinterpret_cast<const float *>(operands);
  __m512 a = _mm512_loadu_ps(in), b = _mm512_loadu_ps(in + 16), x[kSums512];
  for (int s = 0; s < kSums512; ++s)
    x[s] = _mm512_loadu_ps(in + 32 + s);
  for (int64_t r = 0; r < rounds; ++r)
#pragma unroll
    for (int s = 0; s < kSums512; ++s)
      x[s] = _mm512_fmadd_ps(x[s], a, b);
  for (int s = 1; s < kSums512; ++s)
    x[0] = _mm512_add_ps(x[0], x[s]);
  _mm512_storeu_ps(sums, x[0]);
}

__attribute__((target("avx2,fma"))) void fma256(int64_t rounds, const std::byte *operands,
                                                std::byte *sums) {
  auto *in = reinterpret_cast<const float *>(operands);
  __m256 a = _mm256_loadu_ps(in), b = _mm256_loadu_ps(in + 8), x[kSums256];
  for (int s = 0; s < kSums256; ++s)
    x[s] = _mm256_loadu_ps(in + 16 + s);
  for (int64_t r = 0; r < rounds; ++r)
#pragma unroll
    for (int s = 0; s < kSums256; ++s)
      x[s] = _mm256_fmadd_ps(x[s], a, b);
  for (int s = 1; s < kSums256; ++s)
    x[0] = _mm256_add_ps(x[0], x[s]);
  _mm256_storeu_ps(reinterpret_cast<float *>(sums), x[0]);
}

__attribute__((target("avx512f,avx512bf16"))) void
dotBf16(int64_t rounds, const std::byte *operands, std::byte *sums) {
  auto a = reinterpret_cast<__m512bh>(_mm512_loadu_si512(operands));
  auto b = reinterpret_cast<__m512bh>(_mm512_loadu_si512(operands + 64));
  __m512 x[kSums512];
  for (int s = 0; s < kSums512; ++s)
    x[s] = _mm512_setzero_ps();
  for (int64_t r = 0; r < rounds; ++r)
#pragma unroll
    for (int s = 0; s < kSums512; ++s)
      x[s] = _mm512_dpbf16_ps(x[s], a, b);
  for (int s = 1; s < kSums512; ++s)
    x[0] = _mm512_add_ps(x[0], x[s]);
  _mm512_storeu_ps(sums, x[0]);
}

__attribute__((target("avx512f,avx512vnni"))) void
dotInt8(int64_t rounds, const std::byte *operands, std::byte *sums) {
  __m512i a = _mm512_loadu_si512(operands), b = _mm512_loadu_si512(operands + 64), x[kSums512];
  for (int s = 0; s < kSums512; ++s)
    x[s] = _mm512_setzero_si512();
  for (int64_t r = 0; r < rounds; ++r)
#pragma unroll
    for (int s = 0; s < kSums512; ++s)
      x[s] = _mm512_dpbusd_epi32(x[s], a, b);
  for (int s = 1; s < kSums512; ++s)
    x[0] = _mm512_xor_si512(x[0], x[s]);
  _mm512_storeu_si512(sums, x[0]);
}

__attribute__((target("avx2,avxvnni"))) void dotInt8Of256(int64_t rounds, const std::byte *operands,
                                                          std::byte *sums) {
  auto *in = reinterpret_cast<const __m256i *>(operands);
  __m256i a = _mm256_loadu_si256(in), b = _mm256_loadu_si256(in + 1), x[kSums256];
  for (int s = 0; s < kSums256; ++s)
    x[s] = _mm256_setzero_si256();
  for (int64_t r = 0; r < rounds; ++r)
#pragma unroll
    for (int s = 0; s < kSums256; ++s)
      x[s] = _mm256_dpbusd_avx_epi32(x[s], a, b);
  for (int s = 1; s < kSums256; ++s)
    x[0] = _mm256_xor_si256(x[0], x[s]);
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(sums), x[0]);
}

/// Pairs of bytes, or else of words. Each product is a factor of the next, lest the compiler
/// multiply once and add.
template <bool OfBytes>
__attribute__((target("avx2"))) void dotPairsOf256(int64_t rounds, const std::byte *operands,
                                                   std::byte *sums) {
  auto *in = reinterpret_cast<const __m256i *>(operands);
  __m256i a = _mm256_loadu_si256(in), b = _mm256_loadu_si256(in + 1), x[kSums256];
  for (int s = 0; s < kSums256; ++s)
    x[s] = _mm256_add_epi8(a, _mm256_set1_epi8(static_cast<char>(s)));
  for (int64_t r = 0; r < rounds; ++r)
#pragma unroll
    for (int s = 0; s < kSums256; ++s)
      x[s] = OfBytes ? _mm256_add_epi16(a, _mm256_maddubs_epi16(x[s], b))
                     : _mm256_add_epi32(a, _mm256_madd_epi16(x[s], b));
  for (int s = 1; s < kSums256; ++s)
    x[0] = _mm256_xor_si256(x[0], x[s]);
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(sums), x[0]);
}

template <int Streams>
__attribute__((target("avx512f"))) uint64_t read512(const std::byte *data, int64_t bytes) {
  constexpr int64_t kLoads = 4; // cache lines of each stream in a round
  int64_t apart = bytes / Streams;
  __m512i x[kLoads];
  for (int s = 0; s < kLoads; ++s)
    x[s] = _mm512_setzero_si512();
  for (int64_t at = 0; at < apart; at += 64 * kLoads)
#pragma unroll
    for (int stream = 0; stream < Streams; ++stream)
#pragma unroll
      for (int s = 0; s < kLoads; ++s)
        x[s] = _mm512_xor_si512(x[s], _mm512_load_si512(data + stream * apart + at + 64 * s));
  x[0] = _mm512_xor_si512(_mm512_xor_si512(x[0], x[1]), _mm512_xor_si512(x[2], x[3]));
  return static_cast<uint64_t>(_mm512_reduce_add_epi64(x[0]));
}

template <int Streams>
__attribute__((target("avx2"))) uint64_t read256(const std::byte *data, int64_t bytes) {
  constexpr int64_t kLoads = 8;
  int64_t apart = bytes / Streams;
  __m256i x[4];
  for (__m256i &sum : x)
    sum = _mm256_setzero_si256();
  for (int64_t at = 0; at < apart; at += 32 * kLoads)
#pragma unroll
    for (int stream = 0; stream < Streams; ++stream)
#pragma unroll
      for (int s = 0; s < kLoads; ++s)
        x[s % 4] = _mm256_xor_si256(x[s % 4], _mm256_load_si256(reinterpret_cast<const __m256i *>(
                                                  data + stream * apart + at + 32 * s)));
  x[0] = _mm256_xor_si256(_mm256_xor_si256(x[0], x[1]), _mm256_xor_si256(x[2], x[3]));
  uint64_t lanes[4];
  std::memcpy(lanes, &x[0], sizeof(lanes));
  return lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3];
}

} // namespace

PeakKernel bench::fmaF32Kernel(uint64_t features) {
  if (has(features, HEED_AVX512))
    return {"AVX-512 vfmadd", nullptr, 2.0 * 16 * kSums512, fma512};
  if (has(features, HEED_AVX2_FMA_F16C))
    return {"AVX2 vfmadd", nullptr, 2.0 * 8 * kSums256, fma256};
  return {nullptr, "the processor has neither AVX-512 nor AVX2 with FMA", 0, nullptr};
}

PeakKernel bench::dotBf16Kernel(uint64_t features) {
  if (has(features, HEED_AVX512 | HEED_AVX512_BF16))
    return {"vdpbf16ps", nullptr, 2.0 * 32 * kSums512, dotBf16};
  return {nullptr, "the processor has no AVX512-BF16", 0, nullptr};
}

PeakKernel bench::dotInt8Kernel(uint64_t features) {
  if (has(features, HEED_AVX512 | HEED_AVX512_VNNI))
    return {"vpdpbusd", nullptr, 2.0 * 64 * kSums512, dotInt8};
  if (has(features, HEED_AVX2_FMA_F16C | HEED_AVX_VNNI))
    return {"vpdpbusd of 256 bits", nullptr, 2.0 * 32 * kSums256, dotInt8Of256};
  if (has(features, HEED_AVX2_FMA_F16C))
    return {"vpmaddubsw and vpaddw", nullptr, 2.0 * 32 * kSums256, dotPairsOf256<true>};
  return {nullptr, "the processor has neither AVX512-VNNI nor AVX2", 0, nullptr};
}

PeakKernel bench::dotInt16Kernel(uint64_t features) {
  if (has(features, HEED_AVX512_VNNI) || has(features, HEED_AVX_VNNI))
    return {nullptr, "the processor has VNNI, and multiplies bytes in place of words", 0, nullptr};
  if (has(features, HEED_AVX2_FMA_F16C))
    return {"vpmaddwd and vpaddd", nullptr, 2.0 * 16 * kSums256, dotPairsOf256<false>};
  return {nullptr, "the processor has no AVX2", 0, nullptr};
}

#else

PeakKernel bench::fmaF32Kernel(uint64_t) {
  return {nullptr, "there is no measurement for this kind of processor", 0, nullptr};
}
PeakKernel bench::dotBf16Kernel(uint64_t features) { return fmaF32Kernel(features); }
PeakKernel bench::dotInt8Kernel(uint64_t features) { return fmaF32Kernel(features); }
PeakKernel bench::dotInt16Kernel(uint64_t features) { return fmaF32Kernel(features); }

#endif

namespace {

template <int Streams> uint64_t readWords(const std::byte *data, int64_t bytes) {
  int64_t apart = bytes / Streams;
  uint64_t sum = 0;
  for (int64_t at = 0; at < apart; at += 64)
    for (int stream = 0; stream < Streams; ++stream) {
      uint64_t words[8];
      std::memcpy(words, data + stream * apart + at, sizeof(words));
      for (uint64_t word : words)
        sum ^= word;
    }
  return sum;
}

} // namespace

ReadKernels bench::readKernels(uint64_t features) {
#if defined(__x86_64__)
  if (has(features, HEED_AVX512))
    return {"512-bit loads", read512<1>, read512<4>};
  if (has(features, HEED_AVX2_FMA_F16C))
    return {"256-bit loads", read256<1>, read256<4>};
#endif
  return {"64-bit loads", readWords<1>, readWords<4>};
}
