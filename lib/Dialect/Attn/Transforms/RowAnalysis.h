//===- RowAnalysis.h - which axes run over a call's rows -------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROWANALYSIS_H
#define HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROWANALYSIS_H

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <optional>
#include <string>

namespace heed::attn {

/// What an axis runs over.
enum class Rows {
  None,  ///< features, heads, …: anything of a size known when compiling
  Query, ///< the rows of this call
  Key    ///< the rows of the whole context, as an attention reads them
};

/// Why no cache can be derived, and the place that prevents it.
struct Refusal {
  mlir::Location place;
  std::string message; ///< ends in the diagnostic's id
};

/// For every tensor axis of a function `int[n] -> [n, …]`, what it runs over; and, where some row
/// reads rows after it or reads rows outside attention's keys and values, the refusals.
/// The answers hold until the function is changed.
class RowAnalysis {
public:
  /// Whether the function maps `int[n]` to `[n, …]`.
  static bool appliesTo(mlir::func::FuncOp func);

  /// Analyses a function that `appliesTo` accepts and in which every use of a `tensor.empty` or
  /// of a fill of one has an op of its own: a shared one would tie axes that nothing else ties.
  explicit RowAnalysis(mlir::func::FuncOp func);

  llvm::ArrayRef<Refusal> getRefusals() const { return refusals; }

  /// What axis `axis` of `tensor` runs over.
  Rows ofAxis(mlir::Value tensor, int64_t axis) const;
  /// What loop `dim` of `op` runs over.
  Rows ofLoop(mlir::linalg::LinalgOp op, unsigned dim) const;

private:
  using Node = unsigned;

  Node makeNode(Rows rows = Rows::None);
  Node find(Node node) const;
  /// The node of a dynamic axis.
  Node axisNode(mlir::Value tensor, int64_t axis);
  Node loopNode(mlir::Operation *op, unsigned dim);
  /// States at `op` that two axes run over the same rows.
  void unite(Node a, Node b, mlir::Operation *op);
  void uniteAxes(mlir::Value a, mlir::Value b, mlir::Operation *op);
  void refuse(mlir::Operation *op, const llvm::Twine &found);

  void visit(mlir::Operation *op);
  void visitLinalg(mlir::linalg::LinalgOp op);
  void visitExtract(mlir::tensor::ExtractOp op);
  void visitSlice(mlir::tensor::ExtractSliceOp op);
  void visitRowCount(mlir::tensor::DimOp op);
  void visitLoop(mlir::scf::ForOp op);
  void visitReturn(mlir::func::ReturnOp op);
  void visitReshape(mlir::Operation *op, mlir::Value collapsed, mlir::Value expanded,
                    llvm::ArrayRef<mlir::ReassociationIndices> groups);
  void visitConcat(mlir::tensor::ConcatOp op);
  void visitProject(ProjectOp op);
  void visitScores(ScoresOp op);
  void visitSoftmax(SoftmaxOp op);
  void visitWeigh(WeighOp op);

  llvm::SmallVector<Node> parents;
  llvm::SmallVector<Rows> kinds;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, Node> axes;
  llvm::DenseMap<std::pair<mlir::Operation *, unsigned>, Node> loops;
  Node queryNode;
  llvm::SmallVector<Refusal> refusals;
};

/// If `index` counts along a dynamic axis, in a linalg op's body or a mask's predicate, calls the
/// matching function with the op and the loop or axis; returns whether it did.
bool matchRowIndex(mlir::Value index,
                   llvm::function_ref<void(mlir::linalg::LinalgOp, unsigned)> inBody,
                   llvm::function_ref<void(MaskOp, unsigned)> inMask);

/// Whether `use` addresses a dynamic axis, so that it wants the row's place among the tensor's own
/// rows; every other use wants the row's number in the context.
bool addressesRow(mlir::OpOperand &use);

} // namespace heed::attn

#endif // HEED_LIB_DIALECT_ATTN_TRANSFORMS_ROWANALYSIS_H
