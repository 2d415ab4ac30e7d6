//===- RandomBlocks.h - random numbers in every storage type -*- C++ -*----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_REFERENCE_RANDOMBLOCKS_H
#define HEED_LIB_REFERENCE_RANDOMBLOCKS_H

#include "heed/Weights/StorageType.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace heed::reference {

/// Random numbers that are the same on every machine (splitmix64).
class RandomNumbers {
public:
  RandomNumbers(uint64_t seed, std::string_view name);

  uint64_t next();
  /// Evenly between 0 and 1.
  double fraction() { return static_cast<double>(next() >> 11) * 0x1p-53; }

private:
  uint64_t state;
};

/// `elements` random numbers stored as `storage`, with about `deviation` as their standard
/// deviation and 0 as their mean; floating-point ones lie evenly around `mean`. Elements are a
/// multiple of the type's block.
std::vector<std::byte> randomBlocks(StorageType storage, int64_t elements, double deviation,
                                    double mean, RandomNumbers &random);

} // namespace heed::reference

#endif // HEED_LIB_REFERENCE_RANDOMBLOCKS_H
