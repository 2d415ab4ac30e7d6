//===- Sampler.h - logits to the next token -------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The order is that of llama.cpp: repetition penalty, top-k, top-p, min-p,
// temperature, draw. So top-p and min-p see probabilities at temperature 1.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEXT_SAMPLER_H
#define HEED_TEXT_SAMPLER_H

#include "heed/Support/ErrorOr.h"

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace heed {

struct SamplerOptions {
  /// 0 is greedy. At most 100.
  float temperature = 0.8f;
  /// Keep the k most probable tokens; 0 keeps all.
  int topK = 40;
  /// Keep the fewest tokens whose probabilities add up to this; 1 keeps all.
  float topP = 0.95f;
  /// Drop tokens less probable than this times the most probable one; 0 keeps all.
  float minP = 0.05f;
  /// Divides positive logits of recent tokens, multiplies negative ones; 1 changes nothing.
  float repeatPenalty = 1.0f;
  /// How many of the last tokens are recent; 0 turns the penalty off.
  int repeatLast = 64;
  uint64_t seed = 0;
};

/// A small generator with the same output on every platform: PCG-XSH-RR 64/32 (O'Neill 2014) on
/// its default stream.
class RandomBits {
public:
  explicit RandomBits(uint64_t seed);
  uint32_t next();
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform();

private:
  uint64_t state = 0;
};

/// Chooses tokens. The same options and logits give the same tokens on every platform: the
/// generator and the exponential are our own, and sums run in a fixed order.
class Sampler {
public:
  /// Checks `options`. Errors name the command's flag, the value and the allowed range.
  static ErrorOr<Sampler> create(SamplerOptions options);

  /// The next token for logits of shape [vocabulary]. NaN counts as -inf, +inf as the largest
  /// finite number. At temperature 0 the lowest id of equal logits wins. Errors: no logits, or
  /// none above -inf.
  ErrorOr<int32_t> sample(std::span<const float> logits);

  /// Tells the repetition penalty which token came next; prompt tokens may be told as well.
  void accept(int32_t id);

private:
  struct Candidate {
    float logit;
    int32_t id;
    double weight;
  };

  explicit Sampler(SamplerOptions checked) : options(checked), random(checked.seed) {}
  void gather(std::span<const float> logits);
  void keepMostProbable();
  void weigh(double temperature);
  void keepProbableMass();

  SamplerOptions options;
  RandomBits random;
  std::deque<int32_t> recent;
  /// Kept between calls for their memory.
  std::vector<Candidate> candidates;
};

} // namespace heed

#endif // HEED_TEXT_SAMPLER_H
