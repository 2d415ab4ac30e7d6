//===- heed-random-programs.cpp - random programs against the oracle ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workers.h"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <unistd.h>

using namespace heed::random_programs;

static constexpr char kHelp[] =
    R"(usage: heed-random-programs [--first=SEED] [--count=N] [--jobs=N] [--one-way] [--print]

Draws attention programs, compiles each in several ways and compares them with the f64 oracle.
A failure is made smaller before it is shown. Exits with 1 where there is one.

  --first=SEED  the first program's number (1)
  --count=N     how many (100)
  --jobs=N      how many at a time (2)
  --one-way     compile each in one way instead of several, nearly all at -O0 and four of
                five without verifying the IR between passes: twenty times as fast
  --print       show the programs instead of checking them

examples:
  heed-random-programs --count=1000
  heed-random-programs --first=4711 --count=1          check one again
  heed-random-programs --first=4711 --count=1 --print  look at it
)";

static bool readNumber(const char *argument, const char *flag, uint64_t &number) {
  size_t length = std::strlen(flag);
  if (std::strncmp(argument, flag, length) != 0)
    return false;
  const char *end = argument + std::strlen(argument);
  auto [stop, problem] = std::from_chars(argument + length, end, number);
  return problem == std::errc() && stop == end;
}

static void show(const Failure &failure, Ways ways) {
  RandomProgram small = shrink(programOf(failure.seed), failure.seed, ways);
  Verdict verdict = checkApart(small, failure.seed, ways);
  std::printf("program %llu: %s\nmade smaller: %s\n%s",
              static_cast<unsigned long long>(failure.seed), failure.what.c_str(),
              verdict.failure.c_str(), small.print().c_str());
  for (const auto &[name, value] : small.sizes)
    std::printf("// %s = %lld\n", name.c_str(), static_cast<long long>(value));
  std::printf("\n");
}

int main(int argc, char **argv) {
  uint64_t first = 1, count = 100, jobs = 2;
  bool print = false;
  Ways ways = Ways::Several;
  for (int i = 1; i < argc; ++i) {
    if (readNumber(argv[i], "--first=", first) || readNumber(argv[i], "--count=", count) ||
        readNumber(argv[i], "--jobs=", jobs))
      continue;
    if (std::string_view(argv[i]) == "--print") {
      print = true;
      continue;
    }
    if (std::string_view(argv[i]) == "--one-way") {
      ways = Ways::One;
      continue;
    }
    bool asked = std::string_view(argv[i]) == "--help";
    std::fputs(kHelp, asked ? stdout : stderr);
    return asked ? 0 : 1;
  }
  if (print) {
    for (uint64_t seed = first; seed < first + count; ++seed)
      std::printf("// program %llu\n%s\n", static_cast<unsigned long long>(seed),
                  programOf(seed).print().c_str());
    return 0;
  }
  bool isTerminal = isatty(STDERR_FILENO);
  Summary summary = checkAll(
      first, count, static_cast<int>(jobs > 0 ? jobs : 1), ways, [&](const Summary &soFar) {
        if (isTerminal)
          std::fprintf(stderr, "\r%llu checked, %zu failed",
                       static_cast<unsigned long long>(soFar.checked), soFar.failures.size());
      });
  if (isTerminal)
    std::fputc('\n', stderr);
  constexpr size_t kMostShown = 10;
  for (size_t f = 0; f < summary.failures.size() && f < kMostShown; ++f)
    show(summary.failures[f], ways);
  for (size_t f = kMostShown; f < summary.failures.size(); ++f)
    std::printf("program %llu: %s\n", static_cast<unsigned long long>(summary.failures[f].seed),
                summary.failures[f].what.c_str());
  std::printf("%llu programs checked, %zu failed; largest error %.3g; largest ratio to the unfused "
              "program's %.3g\n",
              static_cast<unsigned long long>(summary.checked), summary.failures.size(),
              summary.worstError, summary.worstRatio);
  return summary.failures.empty() ? 0 : 1;
}
