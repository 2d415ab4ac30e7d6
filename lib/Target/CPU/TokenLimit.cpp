//===- TokenLimit.cpp - which integers a function may be given ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/TokenLimit.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

/// True where `value` holds a function's argument, whole or in part.
static bool isArgument(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<bufferization::ToTensorOp, bufferization::ToBufferOp, tensor::CastOp,
             tensor::ExtractSliceOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op) &&
        !isa<ViewLikeOpInterface>(op))
      return false;
    value = op->getOperand(0);
  }
  return isa<func::FuncOp>(cast<BlockArgument>(value).getOwner()->getParentOp());
}

/// True where `index` is an element of an argument.
static bool isArgumentElement(Value index) {
  while (Operation *op = index.getDefiningOp()) {
    if (auto extract = dyn_cast<tensor::ExtractOp>(op))
      return isArgument(extract.getTensor());
    if (auto load = dyn_cast<memref::LoadOp>(op))
      return isArgument(load.getMemRef());
    if (!isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp, arith::ExtUIOp>(op))
      return false;
    index = op->getOperand(0);
  }
  auto argument = cast<BlockArgument>(index);
  auto generic = dyn_cast<linalg::GenericOp>(argument.getOwner()->getParentOp());
  return generic && isArgument(generic->getOperand(argument.getArgNumber()));
}

int64_t heed::findTokenLimit(func::FuncOp function) {
  int64_t limit = 0;
  auto lower = [&](int64_t rows) {
    if (!ShapedType::isDynamic(rows))
      limit = limit == 0 ? rows : std::min(limit, rows);
  };
  auto indexed = [&](Value source, ValueRange indices) {
    auto type = cast<ShapedType>(source.getType());
    for (auto [axis, index] : llvm::enumerate(indices))
      if (isArgumentElement(index))
        lower(type.getDimSize(axis));
  };
  function.walk([&](Operation *op) {
    if (auto embed = dyn_cast<attn::EmbedOp>(op)) {
      if (isArgument(embed.getIds()))
        lower(cast<attn::WeightType>(embed.getTable().getType()).getShape().front());
    } else if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
      indexed(extract.getTensor(), extract.getIndices());
    } else if (auto load = dyn_cast<memref::LoadOp>(op)) {
      indexed(load.getMemRef(), load.getIndices());
    }
  });
  return limit;
}
