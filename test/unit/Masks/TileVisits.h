//===- TileVisits.h - which tiles of keys a mask lets through -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Masks are tiled and evaluated, and each fold of a tile is noted: its rows, its
// keys, and whether it had the mask. The predicate itself, asked for every row and
// key, says what should have happened: a tile is visited where it has something
// visible and only there, once, and has the mask where something in it is hidden
// and only there.
//
// Queries are zero, so that a row's result is the mean of the values that it sees.
// Key j holds the number j, so that a fold's keys say which they are.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_MASKS_TILEVISITS_H
#define HEED_TEST_UNIT_MASKS_TILEVISITS_H

#include "heed/Reference/Value.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace heed::masks {

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

/// Compiles masks, runs them, and compares what was visited and computed with what they show.
class TileVisits {
public:
  explicit TileVisits(llvm::ArrayRef<Mask> masks);

  /// Fails the test where the mask does something else than it says.
  void check(const Mask &mask, const Case &c);

private:
  /// One fold of a tile of keys.
  struct Fold {
    std::set<int64_t> rows, heads, keys;
    bool masked;
  };

  std::vector<double> run(const Mask &mask, const Case &c);
  void note(mlir::Operation *op, unsigned result, const reference::Value &value);
  void expectResults(const Mask &mask, const Case &c, const std::vector<double> &found);
  void expectTiles(const Mask &mask, const Case &c);

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// The latest array that each value was.
  std::map<const void *, reference::Array> latest;
  std::vector<Fold> folds;
};

} // namespace heed::masks

#endif // HEED_TEST_UNIT_MASKS_TILEVISITS_H
