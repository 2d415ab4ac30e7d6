//===- MatrixView.cpp - a contiguous memref as a matrix -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace heed::attn;

FailureOr<Value> heed::attn::asMatrix(OpBuilder &builder, Operation *op, Value memref,
                                      int64_t trailing) {
  auto type = cast<MemRefType>(memref.getType());
  int64_t leading = type.getRank() - trailing;
  if (leading == 1 && trailing == 1)
    return memref;
  if (leading == 0) { // one row: a vector of features
    SmallVector<ReassociationIndices> all(1);
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      all[0].push_back(axis);
    if (type.getRank() > 1)
      memref = memref::CollapseShapeOp::create(builder, op->getLoc(), memref, all);
    auto flat = cast<MemRefType>(memref.getType());
    if (!flat.hasStaticShape())
      return op->emitOpError("needs features of static sizes, found ") << type, failure();
    return Value(memref::ExpandShapeOp::create(builder, op->getLoc(),
                                               ArrayRef<int64_t>{1, flat.getDimSize(0)}, memref,
                                               SmallVector<ReassociationIndices>{{0, 1}}));
  }
  SmallVector<ReassociationIndices> axes(2);
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    axes[axis < leading ? 0 : 1].push_back(axis);
  if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, axes))
    return op->emitOpError("needs rows that are contiguous, found ") << type, failure();
  return Value(memref::CollapseShapeOp::create(builder, op->getLoc(), memref, axes));
}
