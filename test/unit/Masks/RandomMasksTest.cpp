//===- RandomMasksTest.cpp - masks that nobody would write visit what they show -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileVisits.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

using namespace heed::masks;

namespace {

/// Where a predicate is asked.
struct Point {
  const Case &c;
  int64_t h, i, j;
};

/// An expression as the program has it, and what it means.
template <typename Result> struct Expression {
  std::string text;
  std::function<Result(const Point &)> value;
};
using Number = Expression<int64_t>;
using Truth = Expression<bool>;

class Generator {
public:
  explicit Generator(uint64_t seed) : random(seed) {}

  Truth truth(int depth) {
    switch (depth == 0 ? 0 : upTo(6)) {
    default:
      return comparison(depth);
    case 1:
    case 2: {
      Truth a = truth(depth - 1), b = truth(depth - 1);
      return {"(" + a.text + " && " + b.text + ")",
              [=](const Point &p) { return a.value(p) && b.value(p); }};
    }
    case 3:
    case 4: {
      Truth a = truth(depth - 1), b = truth(depth - 1);
      return {"(" + a.text + " || " + b.text + ")",
              [=](const Point &p) { return a.value(p) || b.value(p); }};
    }
    case 5: {
      Truth a = truth(depth - 1);
      return {"!(" + a.text + ")", [=](const Point &p) { return !a.value(p); }};
    }
    }
  }

private:
  int64_t upTo(int64_t end) { return std::uniform_int_distribution<int64_t>(0, end - 1)(random); }

  Truth comparison(int depth) {
    Number a = number(depth), b = number(depth);
    auto make = [&](const char *sign, auto holds) -> Truth {
      return {"(" + a.text + " " + sign + " " + b.text + ")",
              [=](const Point &p) { return holds(a.value(p), b.value(p)); }};
    };
    switch (upTo(8)) {
    default:
      return make("<=", std::less_equal<int64_t>());
    case 1:
      return make("<", std::less<int64_t>());
    case 2:
      return make(">", std::greater<int64_t>());
    case 3:
      return make(">=", std::greater_equal<int64_t>());
    case 4:
      return make("==", std::equal_to<int64_t>());
    case 5:
      return make("!=", std::not_equal_to<int64_t>());
    }
  }

  Number number(int depth) {
    if (depth == 0 || upTo(3) == 0)
      return leaf();
    Number a = number(depth - 1), b = number(depth - 1);
    std::string constant = std::to_string(2 + upTo(12));
    int64_t c = std::stoll(constant);
    switch (upTo(8)) {
    case 0:
      return {"min(" + a.text + ", " + b.text + ")",
              [=](const Point &p) { return std::min(a.value(p), b.value(p)); }};
    case 1:
      return {"max(" + a.text + ", " + b.text + ")",
              [=](const Point &p) { return std::max(a.value(p), b.value(p)); }};
    case 2:
      return {"(" + a.text + " / " + constant + ")",
              [=](const Point &p) { return llvm::divideFloorSigned(a.value(p), c); }};
    case 3:
      return {"(" + a.text + " % " + constant + ")",
              [=](const Point &p) { return llvm::mod(a.value(p), c); }};
    case 4:
      return {"(" + constant + " * " + a.text + ")",
              [=](const Point &p) { return c * a.value(p); }};
    case 5: {
      Truth choice = comparison(0);
      return {"(if " + choice.text + " then " + a.text + " else " + b.text + ")",
              [=](const Point &p) { return choice.value(p) ? a.value(p) : b.value(p); }};
    }
    case 6:
      return {"(" + a.text + " + " + b.text + ")",
              [=](const Point &p) { return a.value(p) + b.value(p); }};
    default:
      return {"(" + a.text + " - " + b.text + ")",
              [=](const Point &p) { return a.value(p) - b.value(p); }};
    }
  }

  Number leaf() {
    switch (upTo(11)) {
    case 0:
      return {"h", [](const Point &p) { return p.h; }};
    case 1:
      return {"w", [](const Point &p) { return p.c.w; }};
    case 2:
      return {"of_row[i]", [](const Point &p) { return p.c.ofRow[p.i]; }};
    case 3:
      return {"of_key[j]", [](const Point &p) { return p.c.ofKey[p.j]; }};
    case 4: {
      int64_t c = upTo(25);
      return {std::to_string(c), [=](const Point &) { return c; }};
    }
    case 5:
    case 6:
    case 7:
      return {"i", [](const Point &p) { return p.i; }};
    default:
      return {"j", [](const Point &p) { return p.j; }};
    }
  }

  std::mt19937_64 random;
};

std::vector<int64_t> numbers(int64_t count, int64_t factor) {
  std::vector<int64_t> result(count);
  for (int64_t i = 0; i < count; ++i)
    result[i] = i * factor / 5 % 9 - 1;
  return result;
}

} // namespace

TEST(RandomMasks, VisitWhatTheyShow) {
  Generator generator(20);
  std::vector<Mask> masks;
  while (masks.size() < 150) {
    Truth truth = generator.truth(2);
    // A mask that doesn't read the softmax's own index is refused.
    if (truth.text.find('j') == std::string::npos)
      continue;
    masks.push_back({"f" + std::to_string(masks.size()), truth.text,
                     [value = truth.value](const Case &c, int64_t h, int64_t i, int64_t j) {
                       return value({c, h, i, j});
                     }});
  }
  TileVisits visits(masks);
  for (auto [rows, keys] : {std::pair(1, 30), {25, 25}, {10, 37}})
    for (const Mask &mask : masks)
      visits.check(mask, {rows, keys, 7, numbers(rows, 3), numbers(keys, 2)});
}
