//===- VisitedTilesTest.cpp - which tiles of keys a mask lets through -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Masks of every kind are tiled and evaluated, and each fold of a tile is noted:
// its rows, its keys, and whether it had the mask. The predicate itself, asked for
// every row and key, says what should have happened: a tile is visited where it has
// something visible and only there, once, and has the mask where something in it
// is hidden and only there.
//
// Queries are zero, so that a row's result is the mean of the values that it sees.
// Key j holds the number j, so that a fold's keys say which they are.
//
//===----------------------------------------------------------------------===//

#include "MaskProgram.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Reference/Evaluator.h"

#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace heed;
using reference::Array;
using reference::Value;

namespace {

constexpr int64_t kHeads = 2, kRowTile = 8, kKeyTile = 8; // 16 lanes are 8 rows of 2 heads

/// What a mask can see, and what it is given.
struct Case {
  int64_t rows, keys;
  int64_t w = 0;                ///< a number that the caller gives
  std::vector<int64_t> ofRow{}; ///< a number for each row
  std::vector<int64_t> ofKey{}; ///< and for each key
};

struct Mask {
  std::string name, formula;
  std::function<bool(const Case &, int64_t h, int64_t i, int64_t j)> shows;
};

/// p is the row's place among the keys: the texts end together.
#define HEED_P (c.keys - c.rows + i)
const Mask kMasks[] = {
    {"everything", "0 <= j", [](const Case &, int64_t, int64_t, int64_t) { return true; }},
    {"never", "j > i && j < i", [](const Case &, int64_t, int64_t, int64_t) { return false; }},
    {"beyond", "j >= m", [](const Case &, int64_t, int64_t, int64_t) { return false; }},
    {"causal", "j <= i + m - n",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j <= HEED_P; }},
    {"window", "j <= i + m - n && i + m - n - j < 13",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j <= HEED_P && HEED_P - j < 13; }},
    {"window_of", "j <= i + m - n && i + m - n - j < w",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j <= HEED_P && HEED_P - j < c.w; }},
    {"sinks", "j <= i + m - n && (i + m - n - j < w || j < 3)",
     [](const Case &c, int64_t, int64_t i, int64_t j) {
       return j <= HEED_P && (HEED_P - j < c.w || j < 3);
     }},
    {"prefix", "j < w || j <= i + m - n",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j < c.w || j <= HEED_P; }},
    {"three_ranges", "j < 3 || (j >= 33 && j < 36) || i == j",
     [](const Case &, int64_t, int64_t i, int64_t j) {
       return j < 3 || (j >= 33 && j < 36) || i == j;
     }},
    {"many_ranges", "j == 2 || j == 19 || j == 37 || j == 55 || j == 73 || j == i",
     [](const Case &, int64_t, int64_t i, int64_t j) {
       return (j < 74 && j % 18 == 1 && j > 1) || j == 2 || j == i;
     }},
    {"documents", "of_row[i] == of_key[j]",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return c.ofRow[i] == c.ofKey[j]; }},
    {"causal_documents", "of_row[i] == of_key[j] && j <= i + m - n",
     [](const Case &c, int64_t, int64_t i, int64_t j) {
       return c.ofRow[i] == c.ofKey[j] && j <= HEED_P;
     }},
    {"other_documents", "of_row[i] != of_key[j]",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return c.ofRow[i] != c.ofKey[j]; }},
    {"reach_of_keys", "j <= i && i - j < of_key[j]",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j <= i && i - j < c.ofKey[j]; }},
    {"lengths_of_rows", "j < of_row[i]",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j < c.ofRow[i]; }},
    {"dilated", "j <= i + m - n && (i + m - n - j) % 4 == 0",
     [](const Case &c, int64_t, int64_t i, int64_t j) {
       return j <= HEED_P && (HEED_P - j) % 4 == 0;
     }},
    {"striped", "(j / 16) % 2 == 0",
     [](const Case &, int64_t, int64_t, int64_t j) { return j / 16 % 2 == 0; }},
    {"blocks", "i / 12 == j / 12",
     [](const Case &, int64_t, int64_t i, int64_t j) { return i / 12 == j / 12; }},
    {"causal_blocks", "i / 12 >= j / 12",
     [](const Case &, int64_t, int64_t i, int64_t j) { return i / 12 >= j / 12; }},
    {"causal_in_blocks", "i / 12 == j / 12 && j <= i",
     [](const Case &, int64_t, int64_t i, int64_t j) { return i / 12 == j / 12 && j <= i; }},
    {"padded", "j < w", [](const Case &c, int64_t, int64_t, int64_t j) { return j < c.w; }},
    {"both_padded", "j < w && i < w && j <= i + m - n",
     [](const Case &c, int64_t, int64_t i, int64_t j) {
       return j < c.w && i < c.w && j <= HEED_P;
     }},
    {"by_head", "j <= i && (i - j) % (h + 1) == 0",
     [](const Case &, int64_t h, int64_t i, int64_t j) {
       return j <= i && (i - j) % (h + 1) == 0;
     }},
    {"window_by_head", "j <= i && i - j < 4 + 20 * h",
     [](const Case &, int64_t h, int64_t i, int64_t j) { return j <= i && i - j < 4 + 20 * h; }},
    {"negations", "!(j < 5) && !(j > i || i - j > w)",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j >= 5 && j <= i && i - j <= c.w; }},
    {"not_itself", "j != i", [](const Case &, int64_t, int64_t i, int64_t j) { return j != i; }},
    {"scaled", "2 * j <= 3 * i + 1",
     [](const Case &, int64_t, int64_t i, int64_t j) { return 2 * j <= 3 * i + 1; }},
    {"clamped", "j <= min(i, w) && j >= max(i - 20, 2)",
     [](const Case &c, int64_t, int64_t i, int64_t j) {
       return j <= std::min(i, c.w) && j >= std::max<int64_t>(i - 20, 2);
     }},
    {"chosen", "j <= (if i < w then i else 3)",
     [](const Case &c, int64_t, int64_t i, int64_t j) { return j <= (i < c.w ? i : 3); }},
    {"late_rows", "i >= w && j <= i", // the first rows see nothing
     [](const Case &c, int64_t, int64_t i, int64_t j) { return i >= c.w && j <= i; }},
};
#undef HEED_P

/// One fold of a tile of keys.
struct Fold {
  std::set<int64_t> rows, heads, keys;
  bool masked;
};

class VisitedTiles : public testing::Test {
protected:
  void SetUp() override {
    std::string text;
    for (const Mask &mask : kMasks)
      text += masks::functionText(mask.name, mask.formula);
    module = masks::compile(context, text, Phase::Fused);
    ASSERT_TRUE(module);
    mlir::PassManager manager(&context);
    attn::TileAttentionPassOptions tile;
    tile.lanes = kHeads * kRowTile;
    tile.keyTile = kKeyTile;
    manager.addPass(attn::createTileAttentionPass(tile));
    ASSERT_TRUE(succeeded(manager.run(*module)));
  }

  void note(mlir::Operation *op, unsigned result, const Value &value) {
    if (const Array *array = std::get_if<Array>(&value))
      latest[op->getResult(result)] = *array;
    auto fold = llvm::dyn_cast<attn::OnlineAttentionOp>(op);
    if (!fold || result != 0)
      return;
    auto integers = [&](mlir::Value operand) {
      std::vector<int64_t> numbers = latest.at(operand).toIntegers();
      return std::set<int64_t>(numbers.begin(), numbers.end());
    };
    Fold noted{integers(fold.getRows()), integers(fold.getHeads()), {}, !fold.getMask().empty()};
    for (double key : latest.at(fold.getK()).toFloats())
      noted.keys.insert(static_cast<int64_t>(key));
    folds.push_back(noted);
  }

  /// Runs the mask's function and returns [heads, rows].
  std::vector<double> run(const Mask &mask, const Case &c) {
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

  void expectResults(const Mask &mask, const Case &c, const std::vector<double> &found) {
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

  void expectTiles(const Mask &mask, const Case &c) {
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

  void check(const Mask &mask, const Case &c) {
    SCOPED_TRACE(mask.name + " of " + std::to_string(c.rows) + " rows, " + std::to_string(c.keys) +
                 " keys, w = " + std::to_string(c.w));
    expectResults(mask, c, run(mask, c));
    expectTiles(mask, c);
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::map<mlir::Value, Array, decltype([](mlir::Value a, mlir::Value b) {
             return a.getAsOpaquePointer() < b.getAsOpaquePointer();
           })>
      latest;
  std::vector<Fold> folds;
};

/// Numbers 0, 0, …, 1, 1, …: documents of `length` rows, the last of them incomplete.
std::vector<int64_t> packed(int64_t count, int64_t length) {
  std::vector<int64_t> numbers(count);
  for (int64_t i = 0; i < count; ++i)
    numbers[i] = i / length;
  return numbers;
}

/// Numbers in no order.
std::vector<int64_t> scattered(int64_t count, int64_t seed) {
  std::vector<int64_t> numbers(count);
  for (int64_t i = 0; i < count; ++i)
    numbers[i] = (i * i + seed * i) % 11 - 2;
  return numbers;
}

} // namespace

TEST_F(VisitedTiles, Texts) {
  for (int64_t n : {1, 7, 8, 9, 16, 40, 91, 130})
    for (int64_t w : {0, 1, 21, 200})
      for (const Mask &mask : kMasks)
        check(mask, {n, n, w, packed(n, 13), packed(n, 13)});
}

TEST_F(VisitedTiles, TextsThatContinue) {
  for (auto [rows, keys] : {std::pair(1, 2), {1, 64}, {1, 83}, {9, 47}, {20, 24}})
    for (const Mask &mask : kMasks)
      check(mask, {rows, keys, 18, scattered(rows, 1), scattered(keys, 3)});
}

TEST_F(VisitedTiles, MoreRowsThanKeys) {
  for (auto [rows, keys] : {std::pair(2, 1), {33, 8}, {41, 23}})
    for (const Mask &mask : kMasks)
      check(mask, {rows, keys, 6, scattered(rows, 5), scattered(keys, 2)});
}

// Rows and heads that see nothing, and nothing at all to see.
TEST_F(VisitedTiles, NothingVisible) {
  for (const Mask &mask : kMasks) {
    check(mask, {17, 17, -5, std::vector<int64_t>(17, 1), std::vector<int64_t>(17, 2)});
    check(mask, {3, 0, 4, {1, 1, 1}, {}});
    check(mask, {0, 3, 4, {}, {1, 1, 1}});
  }
}
