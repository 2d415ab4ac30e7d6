//===- runtime.cpp - uses an installed Heed's runtime ---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include <heed/Runtime/Cpu.h>
#include <heed/Runtime/Pool.h>
#include <heed/Weights/WeightsFile.h>

#include <atomic>
#include <cstdio>

int main() {
  auto pool = heed::Pool::create(2);
  if (!pool)
    return 1;
  std::atomic<int64_t> sum{0};
  (*pool)->parallelFor(10, [&](int64_t index) { sum += index; });
  auto file = heed::WeightsFile::open("/no/such/file.gguf");
  std::printf("%d, %s\n", static_cast<int>(sum), file ? "opened" : "refused");
  return sum == 45 && !file ? 0 : 1;
}
