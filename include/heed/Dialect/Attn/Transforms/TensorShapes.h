//===- TensorShapes.h - extents and layouts of tensors in a pass -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_TENSORSHAPES_H
#define HEED_DIALECT_ATTN_TRANSFORMS_TENSORSHAPES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/Value.h"

namespace heed::attn {

/// The size of `tensor`'s axis: a constant where the type has it, else the value
/// that the tensor was made with (seen through fills, destinations, transposes and
/// attn ops), and only where that isn't known a new `tensor.dim`. Passes that
/// compare sizes rely on one run-time size staying one value.
mlir::OpFoldResult extentOf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor,
                            int64_t axis);

/// An uninitialised f32 tensor of these sizes.
mlir::Value emptyTensor(mlir::OpBuilder &builder, mlir::Location loc,
                        llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// An f32 tensor of these sizes, all `value`.
mlir::Value filledTensor(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Value value);

/// An f32 constant.
mlir::Value floatConstant(mlir::OpBuilder &builder, mlir::Location loc, double value);

/// `tensor` with axis `order[i]` as its i-th axis; `tensor` itself where that changes nothing.
mlir::Value arrangeAxes(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor,
                        llvm::ArrayRef<int64_t> order);

/// `tensor`, of f32, with each number rounded to bf16.
mlir::Value roundToBf16(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor);

/// Whether `tensor`, the queries `q` or the keys or values of one attention, has axes that tiles
/// can be made of. Tiles keep a row's width and a group's heads in registers and scratch memory of
/// fixed sizes; rows and batch are left for run time. Heads whose number isn't known are a batch.
bool hasStaticTiles(mlir::RankedTensorType q, mlir::RankedTensorType tensor);

/// `factor * tensor`; `tensor` itself where the factor is 1.
mlir::Value scaleTensor(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor,
                        double factor);

} // namespace heed::attn

#endif // HEED_DIALECT_ATTN_TRANSFORMS_TENSORSHAPES_H
