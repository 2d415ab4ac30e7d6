//===- Quotation.cpp - untrusted text inside a message --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Quotation.h"

#include <fmt/format.h>

namespace heed {

std::string quoted(std::string_view text) {
  constexpr size_t Limit = 40;
  std::string result = "'";
  for (char c : text.substr(0, Limit)) {
    if (c >= 0x20 && c < 0x7F)
      result += c;
    else
      result += fmt::format("\\x{:02x}", uint8_t(c));
  }
  return result + (text.size() > Limit ? "...'" : "'");
}

std::string listed(std::span<const std::string_view> names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

} // namespace heed
