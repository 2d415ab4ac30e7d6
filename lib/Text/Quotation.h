//===- Quotation.h - untrusted text inside a message ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_QUOTATION_H
#define HEED_LIB_TEXT_QUOTATION_H

#include <span>
#include <string>
#include <string_view>

namespace heed {

/// `text` in single quotes, safe to print: at most 40 bytes of it, with whatever is not printable
/// ASCII written as \xNN.
std::string quoted(std::string_view text);

/// "a, b, c", for messages that list what may be chosen.
std::string listed(std::span<const std::string_view> names);

} // namespace heed

#endif // HEED_LIB_TEXT_QUOTATION_H
