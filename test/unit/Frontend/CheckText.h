//===- CheckText.h - runs the front end on a text -------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_FRONTEND_CHECKTEXT_H
#define HEED_TEST_UNIT_FRONTEND_CHECKTEXT_H

#include "SyntheticHeader.h"

#include "heed/Frontend/Frontend.h"

#include <fstream>
#include <iterator>
#include <map>

namespace heed::test {

inline std::string readFile(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// What the front end makes of a text: the listing of the program, or the rendered errors.
inline std::string checkText(std::string text, const char *header = nullptr,
                             const std::map<std::string, std::string> &files = {}) {
  SourceManager sources;
  DiagnosticEngine diagnostics(sources);
  uint32_t file = sources.addBuffer("test.heed", std::move(text));
  SyntheticHeader weights(header ? header : "");
  FileLoader loader = [&](const std::string &path) -> ErrorOr<std::string> {
    auto found = files.find(path);
    if (found == files.end())
      return makeError("no such file");
    return found->second;
  };
  auto program = parseAndCheck(sources, file, header ? &weights : nullptr, loader, diagnostics);
  return program ? dumpProgram(*program) : diagnostics.render();
}

} // namespace heed::test

#endif // HEED_TEST_UNIT_FRONTEND_CHECKTEXT_H
