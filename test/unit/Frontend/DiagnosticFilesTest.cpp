//===- DiagnosticFilesTest.cpp - every kind of error has a program --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// test/Frontend/diagnostics/<code>.heed begins with the errors that it must give,
// and gives no others:
//
//   // expect: E0303 at 8:38
//   // header: token_embd.weight Q4_1 32x64; meta llama.block_count = 3
//   // pad: 4194305        (blanks are added up to this many bytes)
//
//===----------------------------------------------------------------------===//

#include "CheckText.h"

#include <gtest/gtest.h>

using namespace heed;

namespace {

std::string pathOf(std::string_view code) {
  return std::string(HEED_TEST_SOURCE_DIR) + "/Frontend/diagnostics/" + std::string(code) + ".heed";
}

/// What stands after `// key:` in each line that begins so.
std::vector<std::string> directives(const std::string &text, const std::string &key) {
  std::vector<std::string> values;
  std::istringstream lines(text);
  std::string start = "// " + key + ": ";
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(start))
      values.push_back(line.substr(start.size()));
  return values;
}

class DiagnosticFiles : public testing::TestWithParam<std::string> {};

TEST_P(DiagnosticFiles, GivesWhatItExpects) {
  std::string text = test::readFile(pathOf(GetParam()));
  ASSERT_FALSE(text.empty()) << GetParam() << " has no test " << pathOf(GetParam());
  std::vector<std::string> expected = directives(text, "expect");
  std::vector<std::string> header = directives(text, "header");
  std::vector<std::string> pad = directives(text, "pad");
  if (!pad.empty())
    text.resize(static_cast<size_t>(std::atoll(pad[0].c_str())), ' ');

  SourceManager sources;
  DiagnosticEngine diagnostics(sources);
  uint32_t file = sources.addBuffer(GetParam() + ".heed", text);
  test::SyntheticHeader weights(header.empty() ? "" : header[0]);
  auto program =
      parseAndCheck(sources, file, header.empty() ? nullptr : &weights, nullptr, diagnostics);
  EXPECT_FALSE(program);

  std::vector<std::string> found;
  bool provoked = false;
  for (const Diagnostic &diagnostic : diagnostics.diagnostics()) {
    std::string code(diagnosticInfo(diagnostic.id).code);
    LineColumn at = sources.lineColumn(diagnostic.range.file, diagnostic.range.begin);
    found.push_back(code + " at " + std::to_string(at.line) + ":" + std::to_string(at.column));
    provoked |= code == GetParam();
  }
  EXPECT_EQ(found, expected) << diagnostics.render();
  EXPECT_TRUE(provoked) << "the file must provoke its own error";
}

std::vector<std::string> allCodes() {
  std::vector<std::string> codes;
  // E07xx come from compiling and have lit tests; E09xx are mistakes of the compiler.
  for (const DiagnosticInfo &info : allDiagnostics())
    if (!info.code.starts_with("E07") && !info.code.starts_with("E09"))
      codes.emplace_back(info.code);
  return codes;
}

INSTANTIATE_TEST_SUITE_P(All, DiagnosticFiles, testing::ValuesIn(allCodes()),
                         [](const auto &info) { return info.param; });

} // namespace
