//===- MetaValue.h - one value of a weights file's metadata ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// GGUF's thirteen value types, folded into the widest of each kind, because no
// reader cares whether a length was written in 16 or in 32 bits.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_WEIGHTS_METAVALUE_H
#define HEED_WEIGHTS_METAVALUE_H

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace heed {

/// One metadata value. Unsigned scalars are uint64_t, signed ones int64_t; arrays of either are
/// int64_t. Strings are bytes: nothing promises that they are UTF-8.
using MetaValue = std::variant<bool, int64_t, uint64_t, double, std::string, std::vector<int64_t>,
                               std::vector<double>, std::vector<std::string>, std::vector<bool>>;

/// `value` as an integer: from either integer kind, where it fits; nothing otherwise.
std::optional<int64_t> metaInteger(const MetaValue &value);

/// `value` as a real number: from a floating-point or integer value; nothing otherwise.
std::optional<double> metaNumber(const MetaValue &value);

/// What `value` is, for error messages: "a string", "an array of integers".
const char *metaKind(const MetaValue &value);

} // namespace heed

#endif // HEED_WEIGHTS_METAVALUE_H
