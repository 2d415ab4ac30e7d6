//===- ProcessMemory.cpp - how much memory this process takes -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Benchmark/ProcessMemory.h"

#include <cstdlib>
#include <fstream>
#include <string>

/// The entry `name` of /proc/self/status, which counts in KiB, as bytes.
static int64_t statusEntry(const std::string &name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ':'))
      return std::strtoll(line.c_str() + name.size() + 1, nullptr, 10) << 10;
  return 0;
}

int64_t heed::residentMemory() { return statusEntry("VmRSS"); }

int64_t heed::peakMemory() { return statusEntry("VmHWM"); }

bool heed::resetPeakMemory() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5\n" << std::flush; // proc(5): resets the peak of resident memory
  return file.good();
}
