//===- fuzz-program.cpp - any text as a program ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SyntheticHeader.h"

#include "heed/Frontend/Frontend.h"

#include <cstddef>
#include <cstdint>

using namespace heed;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const test::SyntheticHeader weights(test::kLlamaHeader);
  SourceManager sources;
  DiagnosticEngine diagnostics(sources);
  uint32_t file =
      sources.addBuffer("fuzz.heed", std::string(reinterpret_cast<const char *>(data), size));
  if (auto program = parseAndCheck(sources, file, &weights, nullptr, diagnostics)) {
    if (dumpProgram(*program).empty() || diagnostics.hasErrors())
      __builtin_trap();
  } else if (diagnostics.render().empty()) {
    __builtin_trap(); // a refusal says why
  }
  return 0;
}
