//===- BytePairMerger.cpp - ranked merges of neighbouring tokens ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BytePairMerger.h"

#include <algorithm>
#include <functional>

namespace heed {

namespace {

constexpr uint32_t None = UINT32_MAX;
/// The id of a node that was merged into its left neighbour. No rule names it.
constexpr int32_t Gone = -1;

uint64_t pairKey(int32_t left, int32_t right) {
  return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
}

} // namespace

void BytePairMerger::addRule(int32_t left, int32_t right, int32_t merged) {
  rankOfPair.try_emplace(pairKey(left, right), uint32_t(rules.size()));
  rules.push_back({left, right, merged});
}

void BytePairMerger::enqueue(Scratch &scratch, uint32_t place) const {
  if (place == None || scratch.nodes[place].next == None)
    return;
  const auto &node = scratch.nodes[place];
  auto found = rankOfPair.find(pairKey(node.id, scratch.nodes[node.next].id));
  if (found == rankOfPair.end())
    return;
  scratch.heap.push_back(uint64_t(found->second) << 32 | place);
  std::push_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
}

void BytePairMerger::merge(std::vector<int32_t> &ids, Scratch &scratch) const {
  if (ids.size() < 2)
    return;
  auto &nodes = scratch.nodes;
  auto &heap = scratch.heap;
  nodes.clear();
  heap.clear();
  for (uint32_t i = 0; i < ids.size(); ++i)
    nodes.push_back({ids[i], i == 0 ? None : i - 1, i + 1 == ids.size() ? None : i + 1});
  for (uint32_t i = 0; i < ids.size(); ++i)
    enqueue(scratch, i);

  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const Rule &rule = rules[heap.back() >> 32];
    uint32_t place = uint32_t(heap.back());
    heap.pop_back();

    auto &node = nodes[place];
    if (node.id != rule.left || node.next == None || nodes[node.next].id != rule.right)
      continue;
    nodes[node.next].id = Gone;
    node.id = rule.merged;
    node.next = nodes[node.next].next;
    if (node.next != None)
      nodes[node.next].previous = place;
    enqueue(scratch, node.previous);
    enqueue(scratch, place);
  }

  ids.clear();
  for (uint32_t i = 0; i != None; i = nodes[i].next)
    ids.push_back(nodes[i].id);
}

} // namespace heed
