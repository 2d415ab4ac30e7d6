//===- RunningSoftmax.h - joining running softmaxes of parts of the keys ---*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_RUNNINGSOFTMAX_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_RUNNINGSOFTMAX_H

#include "mlir/IR/Builders.h"

namespace heed::attn {

/// What attn.online_attention carries, as tensors: in the `lanes_first` form [L, w], [L] and [L];
/// of several parts of the keys [parts, L, w], [parts, L] and [parts, L].
struct RunningSoftmax {
  mlir::Value acc, max, sum;
};

/// The running softmax of all the keys of `parts`:
///
///   max[l] = max[c] max[c, l]    sum[l] = sum[c] sum[c, l] * exp2(max[c, l] - max[l])
///                                acc[l, v] likewise
///
/// A part that saw nothing has the maximum -inf and doesn't count; where none saw anything, acc
/// and sum are 0.
RunningSoftmax joinParts(mlir::OpBuilder &builder, mlir::Location loc, RunningSoftmax parts);

/// acc / sum, `[L, w]`: of all keys, or of an acc `[w, L]` where not `lanesFirst`. A row that saw
/// nothing has the sum 0 and yields zeros.
mlir::Value weighedValues(mlir::OpBuilder &builder, mlir::Location loc, RunningSoftmax all,
                          bool lanesFirst);

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_RUNNINGSOFTMAX_H
