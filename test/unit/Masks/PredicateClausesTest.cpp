//===- PredicateClausesTest.cpp - what a predicate implies ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PredicateClauses.h"

#include "MaskProgram.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <gtest/gtest.h>

using namespace heed;
using namespace heed::attn;

namespace {

class PredicateClausesTest : public testing::Test {
protected:
  /// Asks `question` about a mask, in which w is the number `w` or unknown.
  template <typename Question> auto ask(const std::string &mask, Question question) {
    auto module = masks::compile(context, masks::functionText("f", mask), Phase::Attn);
    using Answer = decltype(question(std::declval<PredicateClauses &>()));
    std::optional<Answer> answer;
    if (module)
      module->walk([&](MaskOp op) {
        mlir::Region &region = op.getPredicate();
        PredicateClauses clauses(region, region.getArgument(1), region.getArgument(2));
        answer = question(clauses);
      });
    EXPECT_TRUE(answer) << "no mask is left of " << mask;
    return answer.value_or(Answer());
  }
  bool isCausal(const std::string &mask) { return ask(mask, impliesKeyUpToRow); }
  std::optional<int64_t> rows(const std::string &mask, std::optional<int64_t> w = {}) {
    return ask(mask, [&](const PredicateClauses &clauses) {
      return rowsBack(clauses, [&](mlir::Value value) {
        return value.getDefiningOp<mlir::tensor::ExtractOp>() ? w : std::nullopt;
      });
    });
  }

  mlir::MLIRContext context;
};

} // namespace

TEST_F(PredicateClausesTest, Causality) {
  for (const char *mask :
       {"j <= i", "i >= j", "j < i", "i - j >= 0", "!(j > i)", "i == j", "2 * j <= 2 * i + 1",
        "j <= i || j == 0", "j < i || i == j", "j <= i && (i - j < 5 || w % 6 == 5)",
        "j <= i && of_row[i] == of_key[j]", "i / 4 == j / 4 && !(i < j)", "j + 3 <= i",
        "(if j > i then i < 0 else h == 1)", "j <= i && i != j",
        "(i == j) == (j < i - 1) && j <= i"})
    EXPECT_TRUE(isCausal(mask)) << mask;
  for (const char *mask :
       {"j <= i + 1", "j <= i || j < 3", "i / 4 >= j / 4", "i / 4 == j / 4", "i - j < 5", "j < w",
        "j <= i + w", "j != i", "of_row[i] == of_key[j]", "j <= w - i", "j <= 2 * i",
        "(i - j) % 4 == 0", "j <= i || h == 1", "!(j <= i)"})
    EXPECT_FALSE(isCausal(mask)) << mask;
}

TEST_F(PredicateClausesTest, RowsBack) {
  EXPECT_EQ(rows("j <= i && i - j < 512"), 512);
  EXPECT_EQ(rows("i - j <= 7"), 8);
  EXPECT_EQ(rows("j > i - 9"), 9);
  EXPECT_EQ(rows("2 * i - 2 * j < 9"), 5);
  EXPECT_EQ(rows("i == j"), 1);
  EXPECT_EQ(rows("j > i"), 0);
  EXPECT_EQ(rows("i - j < 4 || (j <= i && i - j < 20)"), 20);
  EXPECT_EQ(rows("(i - j) % 2 == 0 && i - j < 4"), 4);
  // Sinks are seen from everywhere, and nothing else bounds these.
  for (const char *mask : {"j <= i && (i - j < 5 || j < 4)", "j <= i", "i - j < w",
                           "of_row[i] == of_key[j]", "i / 4 == j / 4"})
    EXPECT_EQ(rows(mask), std::nullopt) << mask;
}

// Of a number that is known for the question, as the layer's is.
TEST_F(PredicateClausesTest, RowsBackOfALayer) {
  const char *mask = "j <= i && (i - j < 512 || w % 6 == 5)";
  EXPECT_EQ(rows(mask), std::nullopt);
  EXPECT_EQ(rows(mask, 4), 512);
  EXPECT_EQ(rows(mask, 11), std::nullopt);
  EXPECT_EQ(rows("i - j < 8 * w + 1", 3), 25);
  EXPECT_EQ(rows("i - j < 8 || w / 2 > 3", 7), 8);
}
