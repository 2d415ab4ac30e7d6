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

/// In how many ways a program is compiled, which is what takes the time.
enum class Ways {
  Several, ///< fused and not, for one or both instruction sets of this machine, at several levels
  One      ///< one of them, most often at -O0
};

/// Compiles the program in ways drawn from `seed`, and runs each on the same random arguments, with
/// one thread and two, texts whole and in pieces.
Verdict check(const RandomProgram &program, uint64_t seed, Ways ways);

} // namespace heed::random_programs

#endif // HEED_TEST_RANDOM_CHECK_H
