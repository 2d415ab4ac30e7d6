//===- StepFunction.h - turning a function into a step ---------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_STEPFUNCTION_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_STEPFUNCTION_H

#include "RowAnalysis.h"

namespace heed::attn {

/// Gives each use of a `tensor.empty`, and of a fill of one, an op of its own, as RowAnalysis
/// needs.
void separateDestinations(mlir::func::FuncOp func);

/// How caches are kept, as the options of `attn-derive-cache` say.
struct CacheStorage {
  mlir::Type element;   ///< f32, f16, bf16 or i8
  int64_t chunk = 512;  ///< the most rows that one call brings to a ring
  int64_t keyTile = 64; ///< a ring holds a whole number of these
};

/// One cache: the values that attentions read through it, all of one SSA value.
struct CachedRows {
  llvm::SmallVector<mlir::OpOperand *> readers;
  std::string name; ///< the value's name in the program, made unique
  int64_t layers;   ///< how often the value is computed in a call
  /// How many rows every reader sees at most, its own among them; nothing where no constant bounds
  /// it or where all rows are kept anyway.
  std::optional<int64_t> window;
  int64_t capacity; ///< rows of a ring, dynamic where all rows are kept
};

/// Turns a function that RowAnalysis doesn't refuse into one that continues a context:
/// `(tokens) -> result` becomes `(tokens, past, first, caches…) -> (rows of the result from first,
/// caches…)`. `attn-derive-cache` describes it.
class StepFunction {
public:
  /// `rows` is the analysis of `func` as it stands.
  StepFunction(mlir::func::FuncOp func, const RowAnalysis &rows, const CacheStorage &storage)
      : func(func), rows(rows), storage(storage) {}

  /// What would be cached, or why it cannot be. Changes nothing.
  std::optional<Refusal> collectCaches();
  /// Rewrites the function; `collectCaches` has found nothing to refuse.
  void rewrite();

  size_t getCacheCount() const { return caches.size(); }
  size_t getRingCount() const {
    return llvm::count_if(caches, [](const CachedRows &cache) { return cache.window.has_value(); });
  }

private:
  void chooseCapacity(CachedRows &cache) const;
  void addArguments();
  void renumberRows();
  void shiftRow(mlir::Value index);
  void readTablesAtRows(mlir::linalg::LinalgOp op);
  void resizeRows(mlir::Operation *op);
  void addCache(const CachedRows &cache, mlir::ValueRange arguments);
  void narrowResult();

  mlir::func::FuncOp func;
  const RowAnalysis &rows;
  CacheStorage storage;
  llvm::SmallVector<CachedRows> caches;
  // The new arguments and the sizes made of them: rows before this call, the first row asked for,
  // rows of this call, rows asked for, rows after this call.
  mlir::Value past, first, count, asked, length;
};

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_STEPFUNCTION_H
