//===- BytePairMerger.h - ranked merges of neighbouring tokens ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Byte-pair encoding: while any two neighbours have a rule, the rule of the
// lowest rank is applied, to the leftmost such pair. Looking for that pair
// again after each merge takes quadratic time, so that a megabyte of one letter
// takes hours. Here the neighbours are a linked list, and the pairs that have a
// rule wait in a heap ordered by rank and place; an entry whose pair has since
// changed is dropped when it comes up. Each merge adds at most two entries, so
// n tokens take O(n log n) time and O(n) memory.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_BYTEPAIRMERGER_H
#define HEED_LIB_TEXT_BYTEPAIRMERGER_H

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace heed {

class BytePairMerger {
public:
  /// Memory that calls of `merge` reuse; one for each thread.
  class Scratch {
    friend class BytePairMerger;
    struct Node {
      int32_t id;
      uint32_t previous;
      uint32_t next;
    };
    std::vector<Node> nodes;
    /// Rank in the upper half, place in the lower: the smallest comes first.
    std::vector<uint64_t> heap;
  };

  /// Adds the rule of the next rank. A pair that has a rule keeps it.
  void addRule(int32_t left, int32_t right, int32_t merged);

  /// Replaces `ids` (fewer than 2^32 of them) by what is left when no rule applies any more.
  void merge(std::vector<int32_t> &ids, Scratch &scratch) const;

private:
  struct Rule {
    int32_t left;
    int32_t right;
    int32_t merged;
  };

  void enqueue(Scratch &scratch, uint32_t place) const;

  std::vector<Rule> rules;
  std::unordered_map<uint64_t, uint32_t> rankOfPair;
};

} // namespace heed

#endif // HEED_LIB_TEXT_BYTEPAIRMERGER_H
