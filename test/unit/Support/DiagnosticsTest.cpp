//===- DiagnosticsTest.cpp - the registry and the rendering ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Support/Diagnostics.h"

#include <gtest/gtest.h>

#include <set>

using namespace heed;

TEST(Diagnostics, EveryKindIsWellFormedAndInOrder) {
  std::set<std::string_view> names;
  std::string_view last = "E0000";
  for (const DiagnosticInfo &info : allDiagnostics()) {
    EXPECT_EQ(info.code.size(), 5u) << info.code;
    EXPECT_LT(last, info.code);
    last = info.code;
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.summary.empty());
    EXPECT_NE(info.summary.back(), '.') << info.code;
    EXPECT_FALSE(info.explanation.empty());
    EXPECT_EQ(&diagnosticInfo(info.id), &info);
  }
}

TEST(Diagnostics, FindsAKindByCodeOrName) {
  EXPECT_EQ(lookupDiagnostic("E0303")->id, DiagId::E0303);
  EXPECT_EQ(lookupDiagnostic("e0303")->id, DiagId::E0303);
  EXPECT_EQ(lookupDiagnostic("index-range-clash")->id, DiagId::E0303);
  EXPECT_FALSE(lookupDiagnostic("E9999"));
  EXPECT_FALSE(lookupDiagnostic(""));
}

TEST(Diagnostics, RendersTheSourceWithCarets) {
  SourceManager sources;
  uint32_t file = sources.addBuffer("a.heed", "size d = 4\n\tX = Scorse\n");
  DiagnosticEngine engine(sources);
  engine.report(DiagId::E0302, {file, 16, 22}, "unknown name `Scorse`");
  engine.note({file, 5, 6}, "declared here");
  EXPECT_EQ(engine.render(), "a.heed:2:6: error: unknown name `Scorse` [E0302]\n"
                             "  \tX = Scorse\n"
                             "  \t    ^~~~~~\n"
                             "a.heed:1:6: note: declared here\n"
                             "  size d = 4\n"
                             "       ^\n");
  EXPECT_NE(engine.render(/*colour=*/true).find("\x1b["), std::string::npos);
}

TEST(Diagnostics, ShowsTwentyErrorsAndCountsTheOthers) {
  SourceManager sources;
  uint32_t file = sources.addBuffer("a.heed", "x");
  DiagnosticEngine engine(sources);
  for (int i = 0; i < 25; ++i) {
    engine.report(DiagId::E0302, {file, 0, 1}, "unknown name `x`");
    engine.note({file, 0, 1}, "a note");
  }
  EXPECT_EQ(engine.errorCount(), 25u);
  EXPECT_EQ(engine.diagnostics().size(), 20u);
  EXPECT_EQ(engine.diagnostics().back().notes.size(), 1u);
  EXPECT_NE(engine.render().find("5 more errors are not shown"), std::string::npos);
}

TEST(Diagnostics, KeepsControlCharactersAndLongLinesOffTheTerminal) {
  SourceManager sources;
  std::string text = std::string(5000, 'a') + "\x1b[31m!" + std::string(5000, 'b');
  uint32_t file = sources.addBuffer("a.heed", text);
  DiagnosticEngine engine(sources);
  engine.report(DiagId::E0101, {file, 5000, 9000}, "unexpected byte 0x1b");
  std::string shown = engine.render();
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_LT(shown.size(), 600u);
}
