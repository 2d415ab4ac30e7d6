//===- ParserTest.cpp - text to tree --------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Frontend/Parser.h"
#include "heed/Frontend/Frontend.h"

#include <gtest/gtest.h>

using namespace heed;

namespace {

std::string tree(std::string text) {
  SourceManager sources;
  DiagnosticEngine diagnostics(sources);
  uint32_t file = sources.addBuffer("test.heed", std::move(text));
  ast::File parsed = parse(sources, file, diagnostics);
  return diagnostics.hasErrors() ? diagnostics.render() : dumpAst(parsed);
}

std::string formula(const std::string &text) {
  std::string shown = tree("const x = " + text);
  return shown.substr(0, shown.size() - 1).substr(std::string("const x = ").size());
}

} // namespace

TEST(Parser, BindsAsFormulasDo) {
  EXPECT_EQ(formula("a + b * c ** d ** -e"), "(a + (b * (c ** (d ** (-e)))))");
  EXPECT_EQ(formula("-a ** 2"), "(-(a ** 2))");
  EXPECT_EQ(formula("a - b - c / d % e"), "((a - b) - ((c / d) % e))");
  EXPECT_EQ(formula("a < b && c || !d == e"), "(((a < b) && c) || ((!d) == e))");
  EXPECT_EQ(formula("if a > 1 then b else if c then d else e"),
            "(if (a > 1) then b else (if c then d else e))");
}

TEST(Parser, AReductionReachesToTheEndOfItsProduct) {
  EXPECT_EQ(formula("y + sum[c] a[c] * b[c] / 2 + z"), "((y + (sum[c] ((a[c] * b[c]) / 2))) + z)");
  EXPECT_EQ(formula("2 * softmax[j] s[i, j] where j <= i && j > 0"),
            "(2 * (softmax[j] s[i, j] where ((j <= i) && (j > 0))))");
  EXPECT_EQ(formula("softmax[j] s[i, j] where j <= i with z[i] + 1 - 2 * y"),
            "(softmax[j] s[i, j] where (j <= i) with ((z[i] + 1) - (2 * y)))");
  EXPECT_EQ(formula("softmax[j] s[i, j] with z[i]"), "(softmax[j] s[i, j] with z[i])");
  EXPECT_EQ(formula("max(a, b) ** 2 + max[j < 8] a[j]"), "((max(a, b) ** 2) + (max[j < 8] a[j]))");
}

TEST(Parser, ReadsDeclarations) {
  EXPECT_EQ(tree("use std\n"
                 "size d = 1_024, n <= 4096; size m\n"
                 "const eps = 1e-5, base = meta(\"b\") else 1.5\n"
                 "weight a, b : [d, 2 * d] = \"x.{a,b}\" else c\n"
                 "per layer l { weight w : [d] = \"b.{l}\" else \"y\" }\n"
                 "fn f(x: int[n], eps) -> [n, d] { X[i, k < d] += x[i]; return w[l][i, k] }\n"),
            "use std\n"
            "size d = 1024\n"
            "size n <= 4096\n"
            "size m\n"
            "const eps = 1e-05\n"
            "const base = (meta(\"b\") else 1.5)\n"
            "weight a, b : [d, (2 * d)] = \"x.{a,b}\" else c\n"
            "per layer l\n"
            "  weight w : [d] = \"b.{l}\" else \"y\"\n"
            "fn f(x: int[n], eps: float) -> float[n, d]\n"
            "  X[i, k < d] += x[i]\n"
            "  return w[l][i, k]\n");
}

TEST(Parser, GoesOnAfterAMistake) {
  std::string shown =
      tree("size d 128\nsize n\nfn f(E: [n]) -> [n] {\n  X[i] E\n  Y = (1\n  return E\n}\n"
           "weight : [d]\n");
  EXPECT_NE(shown.find("test.heed:1:8: error"), std::string::npos) << shown;
  EXPECT_NE(shown.find("test.heed:4:8: error"), std::string::npos) << shown;
  EXPECT_NE(shown.find("test.heed:6:3: error"), std::string::npos) << shown;
  EXPECT_NE(shown.find("test.heed:8:8: error"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("test.heed:7"), std::string::npos) << shown;
}

TEST(Parser, KeepsTheCommentAboveAFunction) {
  SourceManager sources;
  DiagnosticEngine diagnostics(sources);
  uint32_t file =
      sources.addBuffer("t.heed", "// not this\n\n// one\n//   two\nfn f(x) { return x }\n");
  ast::File parsed = parse(sources, file, diagnostics);
  EXPECT_EQ(std::get<ast::Function>(parsed.declarations.at(0)).comment, "one\n  two");
}

TEST(Parser, BoundsWhatItReads) {
  for (std::string text : {std::string(100000, '('), std::string(100000, '['),
                           std::string(100000, '{'), "const x = " + std::string(100000, '-') + "1",
                           std::string(100000, '"'), "fn f() " + std::string(100000, '{')}) {
    SourceManager sources;
    DiagnosticEngine diagnostics(sources);
    parse(sources, sources.addBuffer("t.heed", text), diagnostics);
    EXPECT_TRUE(diagnostics.hasErrors());
  }
  std::string chain = "const x = 1";
  for (int i = 0; i < 50000; ++i)
    chain += i % 2 ? " + 1" : " ** 1";
  EXPECT_NE(tree(chain).find("E0203"), std::string::npos);
  std::string nest = "fn f(x) {";
  for (int i = 0; i < 5000; ++i)
    nest += " if x {} else";
  EXPECT_NE(tree(nest).find("E0203"), std::string::npos);
}

TEST(Parser, ReadsUnitsInAssertionsOnly) {
  EXPECT_EQ(tree("assert params(W) + 1K <= 6.3 M; assert 24KiB != 1_5.5e1 K\nsize K\n"),
            "assert ((params(W) + 1000) <= 6300000)\n"
            "assert (24576 != 155000)\n"
            "size K\n");
  for (const char *text : {"const k = 3 K", "assert 3 MB < 4", "assert 3", "assert (3 < 4)",
                           "assert 3 < 4 < 5", "assert 9999999999999 GiB > 0", "assert 1 =\n= 2"})
    EXPECT_NE(tree(text).find("error:"), std::string::npos) << text;
}
