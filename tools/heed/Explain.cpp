//===- Explain.cpp - heed explain: an error, by its id -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include "heed/Support/Diagnostics.h"

#include <cstdio>
#include <fmt/format.h>

using namespace heed;

int heed::explainCommand(int argc, char **argv) {
  std::string_view id = argc == 2 ? argv[1] : "";
  if (id == "--help" || id == "-h") {
    std::puts("heed explain - explains an error by its id or name\n\n"
              "usage: heed explain ID\n"
              "       heed explain --all     lists every id with a line for each\n\n"
              "example:\n"
              "  heed explain E0301");
    return kDone;
  }
  if (id == "--all") {
    for (const DiagnosticInfo &info : allDiagnostics())
      fmt::print("{}  {}\n       {}\n", info.code, info.name, info.summary);
    return kDone;
  }
  if (id.empty())
    return fail(
        "explain takes the id of one error, such as E0301; `heed explain --all` lists them");
  std::optional<DiagnosticInfo> info = lookupDiagnostic(id);
  if (!info)
    return fail(fmt::format("no error has the id '{}'; `heed explain --all` lists them", id));
  fmt::print("{} ({}): {}\n\n{}\n", info->code, info->name, info->summary, info->explanation);
  return kDone;
}
