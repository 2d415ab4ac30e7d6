//===- MetaValue.cpp - reading a metadata value as a number ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/MetaValue.h"

#include <limits>

namespace heed {

std::optional<int64_t> metaInteger(const MetaValue &value) {
  if (const int64_t *integer = std::get_if<int64_t>(&value))
    return *integer;
  if (const uint64_t *integer = std::get_if<uint64_t>(&value))
    if (*integer <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return static_cast<int64_t>(*integer);
  return std::nullopt;
}

std::optional<double> metaNumber(const MetaValue &value) {
  if (const double *number = std::get_if<double>(&value))
    return *number;
  if (const int64_t *integer = std::get_if<int64_t>(&value))
    return static_cast<double>(*integer);
  if (const uint64_t *integer = std::get_if<uint64_t>(&value))
    return static_cast<double>(*integer);
  return std::nullopt;
}

const char *metaKind(const MetaValue &value) {
  static constexpr const char *kinds[] = {"a boolean",
                                          "an integer",
                                          "an unsigned integer",
                                          "a floating-point number",
                                          "a string",
                                          "an array of integers",
                                          "an array of floating-point numbers",
                                          "an array of strings",
                                          "an array of booleans"};
  static_assert(std::size(kinds) == std::variant_size_v<MetaValue>);
  return kinds[value.index()];
}

} // namespace heed
