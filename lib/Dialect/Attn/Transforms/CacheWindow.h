//===- CacheWindow.h - how far back an attention reads ---------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_CACHEWINDOW_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_CACHEWINDOW_H

#include "RowAnalysis.h"

namespace heed::attn {

/// How many rows the attention around `reader`, the keys of an `attn.scores` or the values of an
/// `attn.weigh`, sees at most from a row: `W` where its masks imply `i - j < W`. Nothing where
/// they bound it by no constant, or where the scores are read by something else than masked
/// softmaxes.
std::optional<int64_t> windowOf(const RowAnalysis &rows, mlir::OpOperand &reader);

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_CACHEWINDOW_H
