//===- Cost.h - what an `assert` compares ---------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Assertions on parameters are decided by the front end, those on the cache by a
// pass that knows the cache; both compare and complain in the same way.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_SUPPORT_COST_H
#define HEED_SUPPORT_COST_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace heed {

/// A count, or a number that needn't be whole.
using Cost = std::variant<int64_t, double>;

enum class Relation : uint8_t { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual };

/// "<=" for LessEqual.
std::string_view spelling(Relation relation);
std::optional<Relation> parseRelation(std::string_view spelling);

/// Compares exactly where both costs are whole.
bool holds(const Cost &lhs, Relation relation, const Cost &rhs);

/// "`params(Wq) == 1` doesn't hold: the left side is 1,572,864, the right side 1"
std::string describeFailure(std::string_view condition, const Cost &lhs, const Cost &rhs);

} // namespace heed

#endif // HEED_SUPPORT_COST_H
