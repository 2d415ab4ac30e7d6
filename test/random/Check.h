//===- Check.h - holds a random program against the oracle -*- C++ -*------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_RANDOM_CHECK_H
#define HEED_TEST_RANDOM_CHECK_H

#include "RandomProgram.h"

#include <string>

namespace heed::random_programs {

/// What checking found.
struct Verdict {
  std::string failure;   ///< how results and oracle differ, in which setting; "" where all is well
  double worstRatio = 0; ///< of the fused program's error to the unfused one's, where it counts
  double worstError = 0; ///< of an f32 program, relative L2

  bool ok() const { return failure.empty(); }
};

/// Compiles the program in several ways drawn from `seed`, for which it runs them on random
/// arguments: fused and not, for each instruction set of this machine, at several levels, with one
/// thread and two, texts whole and in pieces.
Verdict check(const RandomProgram &program, uint64_t seed);

} // namespace heed::random_programs

#endif // HEED_TEST_RANDOM_CHECK_H
