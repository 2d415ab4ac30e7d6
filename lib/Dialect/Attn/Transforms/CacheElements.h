//===- CacheElements.h - rows as a cache stores them -----------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `attn.cache_append` says what is stored. Everything here is integer and f32
// arithmetic on single elements that every instruction set vectorises, and gives
// the same bits on each.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_CACHEELEMENTS_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_CACHEELEMENTS_H

#include "mlir/IR/Builders.h"

namespace heed::attn {

/// Rows rounded for a cache.
struct StoredRows {
  mlir::Value rows;   ///< of the rows' shape
  mlir::Value scales; ///< of the rows' shape but for a width of 1, for i8 alone
};

/// Builds `rows`, a tensor of f32, as elements of type `element`: f32, f16, bf16 or i8.
StoredRows buildStoredRows(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value rows,
                           mlir::Type element);

/// Builds the f32 that a stored element stands for; `scale` is its row's, null but for i8.
mlir::Value buildWidened(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value stored,
                         mlir::Value scale);

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_CACHEELEMENTS_H
