//===- InputsTest.cpp - what functions are tried on -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/Inputs.h"

#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

using namespace heed;
using namespace heed::verification;
using reference::Array;

namespace {

class Inputs : public testing::Test {
protected:
  Inputs() {
    function.name = "f";
    function.sizes = {"n", "m"};
    function.bounds = {20, 0};
    function.tokenLimit = 100;
    function.params = {{"tokens", mlir::IntegerType::get(&context, 32), {runtimeDim(0)}},
                       {"E", mlir::Float32Type::get(&context), {runtimeDim(1), 3}}};
    function.results = {{"out", mlir::Float32Type::get(&context), {runtimeDim(0), 3}}};
  }

  mlir::MLIRContext context;
  ProgramFunction function;
};

TEST_F(Inputs, KeepToWhatTheFunctionTakes) {
  bool sawFirst = false, sawLast = false, sawOtherSizes = false;
  for (const Input &input : makeInputs(function)) {
    ASSERT_EQ(input.sizes.size(), 2u);
    EXPECT_LE(input.sizes[0], 20);
    sawOtherSizes |= input.sizes[0] != input.sizes[1];
    const Array &tokens = std::get<Array>(input.params[0]), &E = std::get<Array>(input.params[1]);
    EXPECT_EQ(tokens.shape, (llvm::SmallVector<int64_t>{input.sizes[0]}));
    EXPECT_EQ(E.shape, (llvm::SmallVector<int64_t>{input.sizes[1], 3}));
    for (int64_t token : tokens.toIntegers()) {
      EXPECT_TRUE(token >= 0 && token < 100) << token;
      sawFirst |= token == 0;
      sawLast |= token == 99;
    }
    // Code is given the same numbers, as f32.
    for (double element : E.toFloats())
      EXPECT_EQ(static_cast<float>(element), element);
  }
  EXPECT_TRUE(sawFirst && sawLast && sawOtherSizes);
}

TEST_F(Inputs, AreSplitCompletely) {
  bool sawRowByRow = false, sawSkipped = false;
  for (const Input &input : makeInputs(function)) {
    ASSERT_FALSE(input.splits.empty());
    EXPECT_EQ(input.splits.front().size(), 1u);
    for (const Split &split : input.splits) {
      int64_t total = 0;
      for (const Piece &piece : split) {
        total += piece.rows;
        sawSkipped |= piece.skipped > 0;
      }
      EXPECT_EQ(total, input.rows());
      sawRowByRow |= split.size() > 2 && int64_t(split.size()) == total;
    }
  }
  EXPECT_TRUE(sawRowByRow && sawSkipped);
}

TEST_F(Inputs, AskForRows) {
  Array whole = Array::floats(mlir::Float32Type::get(&context), {3, 2}, {0, 1, 2, 3, 4, 5});
  Array asked = askedRows(whole, {{1, 0}, {2, 1}});
  EXPECT_EQ(asked.shape, (llvm::SmallVector<int64_t>{2, 2}));
  EXPECT_EQ(asked.toFloats(), (std::vector<double>{0, 1, 4, 5}));
}

TEST_F(Inputs, AreReadAsTheyWereWritten) {
  auto find = [&](llvm::StringRef name) { return name == "f" ? &function : nullptr; };
  Input input = makeInputs(function)[1];
  Split split = input.splits.back();
  auto saved = readInput(writeInput(function, input, &split, "w.gguf"), find);
  ASSERT_TRUE(bool(saved)) << llvm::toString(saved.takeError());
  EXPECT_EQ(saved->function, "f");
  EXPECT_EQ(saved->weights, "w.gguf");
  EXPECT_EQ(saved->input.sizes, input.sizes);
  ASSERT_EQ(saved->input.splits.size(), 1u);
  ASSERT_EQ(saved->input.splits[0].size(), split.size());
  for (size_t piece = 0; piece != split.size(); ++piece) {
    EXPECT_EQ(saved->input.splits[0][piece].rows, split[piece].rows);
    EXPECT_EQ(saved->input.splits[0][piece].skipped, split[piece].skipped);
  }
  EXPECT_EQ(std::get<Array>(saved->input.params[0]).toIntegers(),
            std::get<Array>(input.params[0]).toIntegers());
  EXPECT_EQ(std::get<Array>(saved->input.params[1]).toFloats(),
            std::get<Array>(input.params[1]).toFloats());
}

TEST_F(Inputs, RefuseWhatDoesNotFit) {
  auto find = [&](llvm::StringRef name) { return name == "f" ? &function : nullptr; };
  for (const char *text :
       {"", "{}", "[1]", R"({"function": "g", "sizes": [], "pieces": [], "params": []})",
        R"({"function": "f", "sizes": [1], "pieces": [], "params": []})",
        R"({"function": "f", "sizes": [1, 0], "pieces": [], "params": [[], []]})",
        R"({"function": "f", "sizes": [-1, 0], "pieces": [], "params": [[], []]})",
        R"({"function": "f", "sizes": [1, 0], "pieces": [], "params": [[0.5], []]})",
        R"({"function": "f", "sizes": [9223372036854775807, 9], "pieces": [], "params": [[], []]})",
        R"({"function": "f", "sizes": [1, 0], "pieces": [{"rows": 2}], "params": [[1], []]})"}) {
    auto saved = readInput(text, find);
    EXPECT_FALSE(bool(saved)) << text;
    if (!saved)
      EXPECT_FALSE(llvm::toString(saved.takeError()).empty());
  }
}

} // namespace
