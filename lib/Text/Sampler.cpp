//===- Sampler.cpp - logits to the next token -----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/Sampler.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <fmt/format.h>

namespace heed {

namespace {

constexpr float NegativeInfinity = -INFINITY;
constexpr int MaxRepeatLast = 1 << 20;

/// e^x for x <= 0, from basic IEEE operations alone: mathematical libraries differ in the last
/// bit, and a seed must give the same text everywhere. (The build keeps the compiler from
/// contracting these into fused multiply-adds.) Relative error below 1e-15.
double exponential(double x) {
  if (!(x > -708.0)) // below it the result would be subnormal, and no draw could tell it from 0
    return 0;
  constexpr double Log2E = 1.4426950408889634;
  constexpr double Ln2High = 0x1.62e42fefa38p-1; // 32 bits, so that k * Ln2High is exact
  constexpr double Ln2Low = 0x1.ef35793c7673p-45;
  double k = std::floor(x * Log2E + 0.5);
  double r = x - k * Ln2High;
  r = r - k * Ln2Low;
  // |r| <= ln(2) / 2, so that the 14th term of the series is below 1e-17.
  double sum = 1;
  for (int n = 13; n >= 1; --n) {
    double term = sum * r / n;
    sum = 1 + term;
  }
  return std::ldexp(sum, int(k));
}

Error outOfRange(const char *flag, double value, const char *range) {
  return makeError(fmt::format("{} is {}; it must be {}", flag, value, range));
}

} // namespace

ErrorOr<Sampler> Sampler::create(SamplerOptions options) {
  // Written so that NaN is in no range.
  auto within = [](float value, float low, float high) { return value >= low && value <= high; };
  if (!within(options.temperature, 0, 100))
    return outOfRange("--temp", options.temperature, "from 0 (greedy) to 100");
  if (options.topK < 0)
    return outOfRange("--top-k", options.topK, "0 (all tokens) or more");
  if (!within(options.topP, 0, 1))
    return outOfRange("--top-p", options.topP, "from 0 to 1 (all tokens)");
  if (!within(options.minP, 0, 1))
    return outOfRange("--min-p", options.minP, "from 0 (all tokens) to 1");
  if (!within(options.repeatPenalty, 0.01f, 100))
    return outOfRange("--repeat-penalty", options.repeatPenalty, "from 0.01 to 100 (1 is none)");
  if (options.repeatLast < 0 || options.repeatLast > MaxRepeatLast)
    return outOfRange("--repeat-last", options.repeatLast, "from 0 (no penalty) to 1048576");
  return Sampler(options);
}

ErrorOr<int32_t> Sampler::sample(std::span<const float> logits) {
  if (logits.empty() || logits.size() > size_t(INT32_MAX))
    return makeError(fmt::format("cannot choose among {} tokens", logits.size()));
  gather(logits);
  auto best =
      std::max_element(candidates.begin(), candidates.end(),
                       [](const Candidate &a, const Candidate &b) { return a.logit < b.logit; });
  if (best->logit == NegativeInfinity)
    return makeError("every logit is NaN or -inf, so no token can be chosen; the weights or the "
                     "prompt lead to numbers out of range");
  if (options.temperature == 0)
    return best->id; // max_element returns the first of equals

  keepMostProbable();
  weigh(1);
  keepProbableMass();
  weigh(options.temperature);

  double total = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  double left = random.uniform() * total;
  for (const Candidate &candidate : candidates) {
    left -= candidate.weight;
    if (left < 0)
      return candidate.id;
  }
  // Rounding may leave a little of the total; the most probable token takes it.
  return candidates.front().id;
}

void Sampler::accept(int32_t id) {
  if (options.repeatLast == 0)
    return;
  if (recent.size() == size_t(options.repeatLast))
    recent.pop_front();
  recent.push_back(id);
}

/// Every token with its logit: penalised, and neither NaN nor +inf.
void Sampler::gather(std::span<const float> logits) {
  candidates.clear();
  for (size_t i = 0; i < logits.size(); ++i)
    candidates.push_back({std::isnan(logits[i]) ? NegativeInfinity : logits[i], int32_t(i), 0});

  if (options.repeatPenalty != 1) {
    // A token that occurs twice is penalised once.
    std::vector<int32_t> distinct(recent.begin(), recent.end());
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    for (int32_t id : distinct) {
      if (id < 0 || size_t(id) >= logits.size())
        continue;
      float &logit = candidates[size_t(id)].logit;
      if (logit == NegativeInfinity)
        continue;
      logit = logit > 0 ? logit / options.repeatPenalty : logit * options.repeatPenalty;
      logit = std::max(logit, -FLT_MAX);
    }
  }
  for (Candidate &candidate : candidates)
    candidate.logit = std::min(candidate.logit, FLT_MAX);
}

/// Leaves the top k, the most probable first.
void Sampler::keepMostProbable() {
  auto before = [](const Candidate &a, const Candidate &b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  if (options.topK > 0 && size_t(options.topK) < candidates.size()) {
    std::nth_element(candidates.begin(), candidates.begin() + options.topK, candidates.end(),
                     before);
    candidates.resize(size_t(options.topK));
  }
  std::sort(candidates.begin(), candidates.end(), before);
}

/// Sets the weights: probabilities, but for a common factor that makes the first one 1.
void Sampler::weigh(double temperature) {
  double best = candidates.front().logit;
  for (Candidate &candidate : candidates)
    candidate.weight = exponential((double(candidate.logit) - best) / temperature);
}

/// Top-p, then min-p. The most probable token always stays.
void Sampler::keepProbableMass() {
  if (options.topP < 1) {
    double total = 0;
    for (const Candidate &candidate : candidates)
      total += candidate.weight;
    double mass = 0;
    size_t kept = 0;
    do
      mass += candidates[kept++].weight;
    while (kept < candidates.size() && mass < double(options.topP) * total);
    candidates.resize(kept);
  }
  auto first = std::find_if(candidates.begin() + 1, candidates.end(),
                            [&](const Candidate &c) { return c.weight < double(options.minP); });
  candidates.erase(first, candidates.end());
}

} // namespace heed
