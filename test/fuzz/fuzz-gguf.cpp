//===- fuzz-gguf.cpp - any bytes as a GGUF file ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightsUse.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto file = heed::WeightsFile::fromBytes(std::as_bytes(std::span(data, size)), "fuzz");
  if (file)
    heed::useWeights(**file);
  else if (file.message().empty())
    std::abort();
  return 0;
}
