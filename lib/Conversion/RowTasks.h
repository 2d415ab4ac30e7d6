//===- RowTasks.h - a parallel loop over chunks of rows -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_ROWTASKS_H
#define HEED_CONVERSION_ROWTASKS_H

#include "mlir/IR/Builders.h"

namespace heed {

/// Divides rows 0 … rows-1 into tasks of `chunk` rows; `build` makes the code for rows `begin` …
/// `end`-1 of one. heed-merge-tasks knows loops of this form.
void buildRowTasks(
    mlir::OpBuilder &builder, mlir::Location loc, mlir::Value rows, int64_t chunk,
    llvm::function_ref<void(mlir::OpBuilder &, mlir::Value begin, mlir::Value end)> build);

} // namespace heed

#endif // HEED_CONVERSION_ROWTASKS_H
