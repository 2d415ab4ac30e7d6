//===- Cost.cpp - what an `assert` compares -------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Support/Cost.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <compare>

using namespace heed;

static constexpr std::array<std::string_view, 6> kSpellings = {"==", "!=", "<", "<=", ">", ">="};

/// A whole number as an integer, so that no digit is lost when it meets another.
static Cost normalised(const Cost &cost) {
  const double *number = std::get_if<double>(&cost);
  if (number && std::trunc(*number) == *number && std::abs(*number) < 0x1p63)
    return static_cast<int64_t>(*number);
  return cost;
}

static double asNumber(const Cost &cost) {
  return std::visit([](auto value) { return static_cast<double>(value); }, cost);
}

static std::partial_ordering compare(const Cost &lhs, const Cost &rhs) {
  Cost left = normalised(lhs), right = normalised(rhs);
  const int64_t *a = std::get_if<int64_t>(&left), *b = std::get_if<int64_t>(&right);
  if (a && b)
    return *a <=> *b;
  return asNumber(left) <=> asNumber(right);
}

/// "1,572,864"; with a point where the number isn't whole.
static std::string describe(const Cost &cost) {
  Cost whole = normalised(cost);
  const int64_t *integer = std::get_if<int64_t>(&whole);
  if (!integer)
    return fmt::format("{}", std::get<double>(whole));
  std::string text = std::to_string(*integer);
  size_t firstDigit = *integer < 0 ? 1 : 0;
  for (size_t at = text.size(); at > firstDigit + 3;)
    text.insert(at -= 3, ",");
  return text;
}

std::string_view heed::spelling(Relation relation) { return kSpellings[size_t(relation)]; }

std::optional<Relation> heed::parseRelation(std::string_view text) {
  for (size_t i = 0; i < kSpellings.size(); ++i)
    if (kSpellings[i] == text)
      return static_cast<Relation>(i);
  return std::nullopt;
}

bool heed::holds(const Cost &lhs, Relation relation, const Cost &rhs) {
  std::partial_ordering order = compare(lhs, rhs);
  switch (relation) {
  case Relation::Equal:
    return order == 0;
  case Relation::NotEqual:
    return order != 0;
  case Relation::Less:
    return order < 0;
  case Relation::LessEqual:
    return order <= 0;
  case Relation::Greater:
    return order > 0;
  case Relation::GreaterEqual:
    break;
  }
  return order >= 0;
}

std::string heed::describeFailure(std::string_view condition, const Cost &lhs, const Cost &rhs) {
  return fmt::format("`{}` doesn't hold: the left side is {}, the right side {}", condition,
                     describe(lhs), describe(rhs));
}
