//===- TileVisits.cpp - which tiles of keys a mask lets through -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileVisits.h"

#include "MaskProgram.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Reference/Evaluator.h"

#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace heed;
using namespace heed::masks;
using reference::Array;
using reference::Value;

// 16 lanes are 8 rows of 2 heads.
static constexpr int64_t kHeads = 2, kRowTile = 8, kKeyTile = 8;

TileVisits::TileVisits(llvm::ArrayRef<Mask> masks) {
  std::string text;
  for (const Mask &mask : masks)
    text += functionText(mask.name, mask.formula);
  module = compile(context, text, Phase::Fused);
  if (!module)
    return;
  mlir::PassManager manager(&context);
  attn::TileAttentionPassOptions tile;
  tile.lanes = kHeads * kRowTile;
  tile.keyTile = kKeyTile;
  manager.addPass(attn::createTileAttentionPass(tile));
  if (failed(manager.run(*module))) {
    ADD_FAILURE() << "the masks can't be tiled";
    module = {};
  }
}

void TileVisits::note(mlir::Operation *op, unsigned result, const Value &value) {
  if (const Array *array = std::get_if<Array>(&value))
    latest[op->getResult(result).getAsOpaquePointer()] = *array;
  auto fold = llvm::dyn_cast<attn::OnlineAttentionOp>(op);
  if (!fold || result != 0)
    return;
  auto integers = [&](mlir::Value operand) {
    std::vector<int64_t> numbers = latest.at(operand.getAsOpaquePointer()).toIntegers();
    return std::set<int64_t>(numbers.begin(), numbers.end());
  };
  Fold noted{integers(fold.getRows()), integers(fold.getHeads()), {}, !fold.getMask().empty()};
  for (double key : latest.at(fold.getK().getAsOpaquePointer()).toFloats())
    noted.keys.insert(static_cast<int64_t>(key));
  folds.push_back(noted);
}

/// Runs the mask's function and returns [heads, rows].
std::vector<double> TileVisits::run(const Mask &mask, const Case &c) {
  reference::EvaluatorOptions options;
  options.observe = [&](mlir::Operation *op, unsigned result, const Value &value) {
    note(op, result, value);
  };
  reference::RandomWeights none;
  reference::Evaluator evaluator(*module, none, options);
  folds.clear();
  latest.clear();
  mlir::Builder builder(&context);
  mlir::Type f32 = builder.getF32Type(), i32 = builder.getI32Type();
  std::vector<double> numbers(c.keys), zeros(kHeads * c.rows, 0);
  for (int64_t j = 0; j < c.keys; ++j)
    numbers[j] = static_cast<double>(j);
  Value arguments[] = {
      Array::floats(f32, {kHeads, c.rows, 1}, zeros), Array::floats(f32, {1, c.keys, 1}, numbers),
      Array::floats(f32, {1, c.keys, 1}, numbers),    Array::integers(i32, {}, {c.w}),
      Array::integers(i32, {c.rows}, c.ofRow),        Array::integers(i32, {c.keys}, c.ofKey)};
  auto results = evaluator.call(mask.name, arguments);
  if (!results) {
    ADD_FAILURE() << mask.name << ": " << llvm::toString(results.takeError());
    return {};
  }
  return std::get<Array>(results->front()).toFloats();
}

void TileVisits::expectResults(const Mask &mask, const Case &c, const std::vector<double> &found) {
  ASSERT_EQ(found.size(), static_cast<size_t>(kHeads * c.rows));
  for (int64_t h = 0; h < kHeads; ++h)
    for (int64_t i = 0; i < c.rows; ++i) {
      double sum = 0, count = 0;
      for (int64_t j = 0; j < c.keys; ++j)
        if (mask.shows(c, h, i, j)) {
          sum += static_cast<double>(j);
          ++count;
        }
      ASSERT_NEAR(found[h * c.rows + i], count == 0 ? 0 : sum / count, 1e-9)
          << "head " << h << ", row " << i;
    }
}

void TileVisits::expectTiles(const Mask &mask, const Case &c) {
  std::set<std::pair<int64_t, int64_t>> expected, visited;
  for (int64_t i = 0; i < c.rows; ++i)
    for (int64_t j = 0; j < c.keys; ++j)
      if (mask.shows(c, 0, i, j) || mask.shows(c, 1, i, j))
        expected.emplace(i / kRowTile, j / kKeyTile);
  for (const Fold &fold : folds) {
    ASSERT_FALSE(fold.keys.empty());
    auto place = std::pair(*fold.rows.begin() / kRowTile, *fold.keys.begin() / kKeyTile);
    ASSERT_EQ(place.second, *fold.keys.rbegin() / kKeyTile) << "a fold reaches over two tiles";
    EXPECT_TRUE(visited.insert(place).second)
        << "rows " << place.first * kRowTile << " … visit keys " << place.second * kKeyTile
        << " … twice";
    bool hides = false;
    for (int64_t h : fold.heads)
      for (int64_t i : fold.rows)
        for (int64_t j : fold.keys)
          hides |= !mask.shows(c, h, i, j);
    EXPECT_EQ(fold.masked, hides) << "rows " << place.first * kRowTile << " …, keys "
                                  << *fold.keys.begin() << " … " << *fold.keys.rbegin();
  }
  EXPECT_EQ(visited, expected);
}

void TileVisits::check(const Mask &mask, const Case &c) {
  if (!module)
    return;
  SCOPED_TRACE(mask.formula + " of " + std::to_string(c.rows) + " rows, " + std::to_string(c.keys) +
               " keys, w = " + std::to_string(c.w));
  expectResults(mask, c, run(mask, c));
  expectTiles(mask, c);
}
