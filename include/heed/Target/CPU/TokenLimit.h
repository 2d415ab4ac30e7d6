//===- TokenLimit.h - which integers a function may be given --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TARGET_CPU_TOKENLIMIT_H
#define HEED_TARGET_CPU_TOKENLIMIT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace heed {

/// The smallest number of rows that an integer parameter of `function` chooses from: the tables of
/// `attn.embed`, and axes of tensors and memrefs that are indexed by a parameter's elements.
/// Generated code checks nothing, so the runtime must refuse integers outside [0, limit). 0 where
/// no parameter is used as an index.
int64_t findTokenLimit(mlir::func::FuncOp function);

} // namespace heed

#endif // HEED_TARGET_CPU_TOKENLIMIT_H
