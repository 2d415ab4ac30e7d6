//===- RowTasks.cpp - a parallel loop over chunks of rows -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowTasks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

void heed::buildRowTasks(OpBuilder &builder, Location loc, Value rows, int64_t chunk,
                         function_ref<void(OpBuilder &, Value begin, Value end)> build) {
  Value step = arith::ConstantIndexOp::create(builder, loc, chunk);
  Value tasks = arith::CeilDivUIOp::create(builder, loc, rows, step);
  scf::ForallOp::create(builder, loc, ArrayRef<OpFoldResult>{tasks}, ValueRange{}, std::nullopt,
                        [&](OpBuilder &body, Location, ValueRange args) {
                          Value begin = arith::MulIOp::create(body, loc, args[0], step);
                          Value end = arith::AddIOp::create(body, loc, begin, step);
                          build(body, begin, arith::MinUIOp::create(body, loc, end, rows));
                          scf::InParallelOp::create(body, loc);
                        });
}
