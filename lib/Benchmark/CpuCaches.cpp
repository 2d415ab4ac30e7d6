//===- CpuCaches.cpp - how large this processor's caches are --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuCaches.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <string_view>

using namespace heed::bench;

static std::string firstLine(const std::string &path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Takes a number off the front of `text`; 0 where there is none.
static int64_t takeNumber(std::string_view &text) {
  int64_t value = 0;
  auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(rest - text.data());
  return failure == std::errc() ? value : 0;
}

/// "1024K" as bytes.
static int64_t parseSize(std::string_view text) {
  int64_t value = takeNumber(text);
  return text == "K" ? value << 10 : text == "M" ? value << 20 : value;
}

/// How many processors "0-3,8" names.
static int64_t countListed(std::string_view text) {
  int64_t count = 0;
  while (!text.empty()) {
    int64_t first = takeNumber(text), last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      last = takeNumber(text);
    }
    count += std::max<int64_t>(0, last - first + 1);
    if (!text.starts_with(','))
      break;
    text.remove_prefix(1);
  }
  return std::max<int64_t>(1, count);
}

CpuCaches heed::bench::cpuCaches() {
  CpuCaches caches;
  for (int index = 0;; ++index) {
    std::string folder = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", index);
    std::string level = firstLine(folder + "level");
    if (level.empty())
      return caches;
    int64_t size = parseSize(firstLine(folder + "size"));
    if (level == "2" && firstLine(folder + "type") != "Instruction") {
      caches.l2 = size;
    } else if (level == "3") {
      caches.l3 = size;
      caches.l3Sharers = countListed(firstLine(folder + "shared_cpu_list"));
    }
  }
}
