//===- Workers.h - checks many programs in processes of their own -*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_RANDOM_WORKERS_H
#define HEED_TEST_RANDOM_WORKERS_H

#include "Check.h"

#include <functional>
#include <vector>

namespace heed::random_programs {

/// One program that failed.
struct Failure {
  uint64_t seed;
  std::string what;
};

/// What a run over many seeds found.
struct Summary {
  uint64_t checked = 0;
  double worstRatio = 0, worstError = 0;
  std::vector<Failure> failures;
};

/// The program that `seed` stands for.
RandomProgram programOf(uint64_t seed);

/// Checks in a process of its own, so that a crash or a hang (of three minutes) is a verdict.
Verdict checkApart(const RandomProgram &program, uint64_t seed, Ways ways);

/// Checks the programs of seeds first … first+count-1, `jobs` at a time. After a crash the next
/// seed goes on. Calls `progress` after each program.
Summary checkAll(uint64_t first, uint64_t count, int jobs, Ways ways,
                 const std::function<void(const Summary &)> &progress);

/// The simplest program that fails as `program` does, as far as one simplification at a time leads.
RandomProgram shrink(const RandomProgram &program, uint64_t seed, Ways ways);

} // namespace heed::random_programs

#endif // HEED_TEST_RANDOM_WORKERS_H
