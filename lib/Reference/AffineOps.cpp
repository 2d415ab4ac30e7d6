//===- AffineOps.cpp - what affine ops mean -------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexedAccess.h"
#include "Machine.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"

using namespace mlir;
using namespace heed::reference;

/// The values of all results of `map`.
static FailureOr<SmallVector<int64_t>> evaluateMap(Step &step, AffineMap map) {
  FailureOr<SmallVector<int64_t>> operands = step.integers(0, step.instruction.operands.size());
  if (failed(operands))
    return failure();
  ArrayRef<int64_t> dims = ArrayRef(*operands).take_front(map.getNumDims());
  ArrayRef<int64_t> symbols = ArrayRef(*operands).drop_front(map.getNumDims());
  SmallVector<int64_t> results;
  for (AffineExpr expr : map.getResults()) {
    std::optional<int64_t> result = evaluate(expr, dims, symbols);
    if (!result)
      return step.fail("its map divides by a number below 1, or passes 64 bits");
    results.push_back(*result);
  }
  return results;
}

static LogicalResult apply(Step &step) {
  FailureOr<SmallVector<int64_t>> results =
      evaluateMap(step, step.op<affine::AffineApplyOp>().getAffineMap());
  if (failed(results))
    return failure();
  step.set(results->front());
  return success();
}

static LogicalResult minimum(Step &step) {
  FailureOr<SmallVector<int64_t>> results =
      evaluateMap(step, step.op<affine::AffineMinOp>().getAffineMap());
  if (failed(results))
    return failure();
  step.set(*llvm::min_element(*results));
  return success();
}

static LogicalResult maximum(Step &step) {
  FailureOr<SmallVector<int64_t>> results =
      evaluateMap(step, step.op<affine::AffineMaxOp>().getAffineMap());
  if (failed(results))
    return failure();
  step.set(*llvm::max_element(*results));
  return success();
}

void heed::reference::addAffineOps(OpTable &table) {
  table["affine.apply"] = {apply};
  table["affine.min"] = {minimum};
  table["affine.max"] = {maximum};
}
