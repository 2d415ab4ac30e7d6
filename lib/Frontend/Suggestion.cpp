//===- Suggestion.cpp - "did you mean" ------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

using namespace heed;

namespace {

/// Longer names are not compared: the distance costs the product of the lengths.
constexpr size_t kLongest = 128;
/// No more candidates are looked at, so that a file of a million tensors costs nothing.
constexpr size_t kMostCandidates = 20000;

/// How many letters must be changed, added, dropped or swapped with their neighbour.
size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> beforeLast, last(b.size() + 1), current(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t(0));
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);
      current[j] = std::min({change, last[j] + 1, current[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    std::swap(last, current);
  }
  return last[b.size()];
}

} // namespace

std::string heed::suggestion(std::string_view name, const std::vector<std::string> &candidates) {
  if (name.size() > kLongest)
    return "";
  size_t best = name.size() <= 2 ? 2 : 1 + (name.size() + 2) / 4; // the first distance too large
  const std::string *chosen = nullptr;
  for (size_t i = 0; i < std::min(candidates.size(), kMostCandidates); ++i) {
    const std::string &candidate = candidates[i];
    size_t difference =
        std::max(candidate.size(), name.size()) - std::min(candidate.size(), name.size());
    if (candidate == name || candidate.size() > kLongest || difference >= best)
      continue;
    size_t distance = editDistance(name, candidate);
    if (distance < best && distance < name.size()) {
      best = distance;
      chosen = &candidate;
    }
  }
  return chosen ? fmt::format("; did you mean `{}`?", *chosen) : "";
}
