//===- PrintableName.cpp - names from untrusted files, safe to print ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PrintableName.h"

#include <fmt/format.h>

namespace heed {

std::string printableName(std::string_view name) {
  constexpr size_t longest = 80;
  std::string text = "'";
  for (unsigned char byte : name.substr(0, longest)) {
    if (byte < 0x20 || byte > 0x7e)
      text += fmt::format("\\x{:02x}", byte);
    else
      text += static_cast<char>(byte);
  }
  text += name.size() > longest ? "…'" : "'";
  return text;
}

bool isTensorName(std::string_view name) {
  if (name.empty() || name.size() > 1024)
    return false;
  for (unsigned char byte : name)
    if (byte < 0x20 || byte == 0x7f)
      return false;
  return true;
}

} // namespace heed
