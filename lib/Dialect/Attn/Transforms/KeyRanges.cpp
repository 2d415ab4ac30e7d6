//===- KeyRanges.cpp - which keys a task visits, and how ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KeyRanges.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace heed::attn;

/// More clauses than that share the last range.
static constexpr size_t kMostRanges = 3;

KeyRanges::KeyRanges(IndexBuilder &build, const PredicateClauses &predicate, ArrayRef<Interval> box,
                     Value keys, int64_t keyTile)
    : intervals(predicate, box), predicate(predicate), keys(keys), keyTile(keyTile) {
  for (const Clause &clause : predicate.getClauses())
    addClause(build, clause);
  mayIsExact &= clauses.size() <= kMostRanges;
  mergeRanges(build);
}

//===----------------------------------------------------------------------===//
// A clause's range
//===----------------------------------------------------------------------===//

bool KeyRanges::isPlain(const LinearForm &atom) const {
  return std::abs(atom.ofRow) <= 1 &&
         llvm::all_of(atom.leaves, [&](auto &term) { return intervals.isPoint(term.first); });
}

void KeyRanges::addClause(IndexBuilder &build, const Clause &clause) {
  ClauseKeys range{&clause, build.constant(0), keys, {}};
  Value isSome = build.boolean(true);
  // Forms that bound i from above and from below, the tile's own bounds first.
  LinearForm last{1, 0, 0, {{intervals.getRows().high, -1}}},
      first{-1, 0, 0, {{intervals.getRows().low, 1}}};
  SmallVector<LinearForm> above{last}, below{first};
  for (const LinearForm &atom : clause.atoms) {
    if (!isPlain(atom)) {
      range.otherAtoms.push_back(&atom);
      intervals.prepare(build, atom);
      narrow(build, atom, range, isSome);
    } else if (atom.ofRow == 0) {
      narrow(build, atom, range, isSome);
    } else {
      (atom.ofRow > 0 ? above : below).push_back(atom);
    }
  }
  for (auto [nth, upper] : llvm::enumerate(above))
    for (auto [mth, lower] : llvm::enumerate(below)) {
      if (nth == 0 && mth == 0) // the tile has rows
        continue;
      if (std::optional<LinearForm> sum = upper.plus(lower, 1))
        narrow(build, *sum, range, isSome);
      else
        mayIsExact = false;
    }
  mayIsExact &= clause.isExact && range.otherAtoms.empty();
  if (matchPattern(range.lo, m_Zero()))
    range.hi = build.max(range.hi, range.lo);
  else
    isSome = build.both(isSome, build.less(range.lo, range.hi));
  range.hi = build.select(isSome, range.hi, build.constant(0));
  clauses.push_back(std::move(range));
}

/// Takes away from a clause's range what `atom`, whatever its row, doesn't allow.
void KeyRanges::narrow(IndexBuilder &build, const LinearForm &atom, ClauseKeys &range,
                       Value &isSome) {
  LinearForm rest = atom;
  rest.ofKey = 0;
  int64_t factor = atom.ofKey;
  // Without a key, a quotient of it may be there: factor * (dividend floordiv divisor).
  std::optional<PredicateClauses::Division> division;
  std::optional<LinearForm> dividend;
  if (factor == 0) {
    auto *leaf =
        llvm::find_if(rest.leaves, [&](auto &term) { return intervals.dependsOnKey(term.first); });
    if (leaf != rest.leaves.end()) {
      division = predicate.matchQuotient(leaf->first);
      dividend = division ? predicate.formOf(division->first) : std::nullopt;
      if (!dividend || dividend->ofKey != 1 || dividend->ofRow != 0)
        return;
      dividend->ofKey = 0;
      factor = leaf->second;
      rest.leaves.erase(leaf);
    }
  }
  if (intervals.dependsOnKey(rest) || (dividend && intervals.dependsOnKey(*dividend)))
    return;
  if (factor == 0) {
    if (std::optional<Interval> bounds = intervals.boundsOf(build, rest))
      isSome = build.both(isSome, build.lessOrEqual(bounds->low, build.constant(0)));
    return;
  }
  // factor * x + rest <= 0 for some rest in its bounds: x <= m, or x >= m.
  bool isUpper = factor > 0;
  if (factor != -1) {
    std::optional<LinearForm> opposite = LinearForm().plus(rest, -1);
    if (!opposite)
      return;
    rest = *opposite;
  }
  std::optional<Interval> bounds = intervals.boundsOf(build, rest);
  if (!bounds)
    return;
  Value bound = factor == -1 ? bounds->low : bounds->high;
  if (std::abs(factor) != 1)
    bound = build.floorDiv(bound, std::abs(factor));
  if (factor < -1)
    bound = build.sub(build.constant(0), bound);
  if (isUpper)
    bound = build.add(bound, 1);
  if (division) {
    // x = (j + offset) floordiv divisor: x < m + 1 says j + offset < divisor * (m + 1).
    std::optional<Interval> offset = intervals.boundsOf(build, *dividend);
    if (!offset)
      return;
    bound = build.sub(build.mul(bound, division->second), isUpper ? offset->low : offset->high);
  }
  if (isUpper)
    range.hi = build.min(range.hi, bound);
  else
    range.lo = build.max(range.lo, bound);
}

//===----------------------------------------------------------------------===//
// Ranges of all clauses
//===----------------------------------------------------------------------===//

void KeyRanges::mergeRanges(IndexBuilder &build) {
  if (clauses.size() == 1) {
    ranges.push_back({clauses.front().lo, clauses.front().hi});
    return;
  }
  Value zero = build.constant(0);
  SmallVector<Range> parts;
  for (const ClauseKeys &clause : clauses) {
    // An empty one comes after all others.
    Range part{build.select(build.less(zero, clause.hi), clause.lo, keys), clause.hi};
    if (parts.size() < kMostRanges)
      parts.push_back(part);
    else
      parts.back() = {build.min(parts.back().from, part.from), build.max(parts.back().to, part.to)};
  }
  // Each time round: the lowest part from the tile `after` on, and what hangs together with it.
  Value after = zero;
  for (size_t count = 0; count < parts.size(); ++count) {
    Value from = keys;
    for (const Range &part : parts) {
      Value isLater = build.lessOrEqual(after, build.alignDown(part.from, keyTile));
      from = build.min(from, build.select(isLater, part.from, keys));
    }
    Value isSome = build.less(from, keys);
    Value to = build.select(isSome, build.add(from, 1), zero);
    for (size_t round = 0; round < parts.size(); ++round)
      for (const Range &part : parts) {
        Value touches = build.less(build.alignDown(part.from, keyTile), build.alignUp(to, keyTile));
        to = build.select(touches, build.max(to, part.to), to);
      }
    ranges.push_back({from, to});
    after = build.max(after, build.alignUp(to, keyTile));
  }
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

KeyRanges::Class KeyRanges::classify(IndexBuilder &build, Value first, Value last) {
  intervals.enterTile({first, last});
  Value zero = build.constant(0);
  Class result{build.boolean(mayIsExact), build.boolean(false)};
  for (const ClauseKeys &clause : clauses) {
    Value must = build.boolean(clause.clause->isExact);
    for (const LinearForm &atom : clause.clause->atoms) {
      if (!clause.clause->isExact)
        break;
      std::optional<Interval> bounds = intervals.boundsOf(build, atom);
      must =
          build.both(must, bounds ? build.lessOrEqual(bounds->high, zero) : build.boolean(false));
    }
    result.must = build.either(result.must, must);
    if (mayIsExact)
      continue;
    // A single clause's range is all that is visited.
    Value may = clauses.size() == 1
                    ? build.boolean(true)
                    : build.both(build.lessOrEqual(clause.lo, last), build.less(first, clause.hi));
    for (const LinearForm *atom : clause.otherAtoms)
      if (std::optional<Interval> bounds = intervals.boundsOf(build, *atom))
        may = build.both(may, build.lessOrEqual(bounds->low, zero));
    result.may = build.either(result.may, may);
  }
  return result;
}
