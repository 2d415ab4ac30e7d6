//===- FunctionEmitter.h - one exported function as IR --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_MLIRGEN_FUNCTIONEMITTER_H
#define HEED_LIB_FRONTEND_MLIRGEN_FUNCTIONEMITTER_H

#include "IndexRange.h"
#include "Locations.h"
#include "ReadPlan.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace heed::mlirgen {

/// What all functions of a module share.
struct ModuleState {
  const program::Program &program;
  Locations locations;
  /// The declaration of each of the program's weights; null for one that nothing reads.
  llvm::SmallVector<attn::WeightOp> weights;
};

/// Emits one function. Statements are emitted in order, each where the builder stands.
class FunctionEmitter {
public:
  FunctionEmitter(mlir::OpBuilder &builder, ModuleState &module, const program::Function &function)
      : builder(builder), module(module), function(function),
        ranges(function, module.program.weights), values(function.values.size()),
        sizes(function.sizes.size()) {}

  /// The function at the builder's insertion point; failure after a diagnostic.
  mlir::LogicalResult emit();

private:
  friend class ScalarEmitter;

  // EmitStatements.cpp
  mlir::LogicalResult emitSizes();
  mlir::LogicalResult emitBody(const std::vector<program::Statement> &body);
  mlir::LogicalResult emitLoop(const program::Loop &loop);
  void setAttributes(mlir::func::FuncOp func);
  mlir::RankedTensorType typeOf(program::ValueId value) const;
  mlir::ArrayAttr symbolicShape(program::ValueId value);
  /// The length of an axis as a value of type index.
  mlir::Value emitExtent(mlir::OpBuilder &builder, mlir::Location loc,
                         const program::Extent &extent);

  // EmitDefinitions.cpp
  mlir::LogicalResult emitDefine(const program::Define &define);
  mlir::LogicalResult emitGeneric(const program::Define &define, const program::Expr &body,
                                  const program::Reduce *reduce);
  mlir::LogicalResult emitSoftmax(const program::Define &define, const program::Softmax &softmax);
  /// The tensor of every read inside `body`; weights are brought in right here.
  llvm::DenseMap<const program::Expr *, mlir::Value> emitReadTensors(const program::Expr &body);
  mlir::Value emitEmpty(mlir::Location loc, llvm::ArrayRef<program::Extent> shape,
                        mlir::Type element);
  /// A linalg op's destination: empty, or filled with what a reduction starts from.
  mlir::Value emitDestination(const program::Define &define, const program::Reduce *reduce);
  llvm::SmallVector<program::Extent> shapeOf(const program::Expr &read) const;

  mlir::OpBuilder &builder;
  ModuleState &module;
  const program::Function &function;
  IndexRanges ranges;
  llvm::SmallVector<mlir::Value> values, sizes; ///< by number; null until defined
  llvm::DenseMap<int32_t, mlir::Value> layers;  ///< a loop's number to its induction variable
  bool failed = false; ///< an expression could not be emitted; a diagnostic says why
};

/// The IR type of a tensor's elements.
mlir::Type elementType(mlir::Builder &builder, program::Element element);

} // namespace heed::mlirgen

#endif // HEED_LIB_FRONTEND_MLIRGEN_FUNCTIONEMITTER_H
