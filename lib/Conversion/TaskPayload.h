//===- TaskPayload.h - what a task's or a team's function uses --*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_TASKPAYLOAD_H
#define HEED_CONVERSION_TASKPAYLOAD_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace heed {

/// The values that an outlined function uses, as fields of one LLVM struct.
class TaskPayload {
public:
  TaskPayload(mlir::MLIRContext *context, llvm::ArrayRef<mlir::Value> values);

  mlir::LLVM::LLVMStructType getType() const { return type; }
  llvm::ArrayRef<mlir::Value> getValues() const { return values; }

  void store(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value address) const;
  mlir::Value load(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value address,
                   size_t field) const;

private:
  mlir::Value place(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value address,
                    size_t field) const;

  mlir::LLVMTypeConverter types;
  llvm::SmallVector<mlir::Value> values;
  mlir::LLVM::LLVMStructType type;
};

} // namespace heed

#endif // HEED_CONVERSION_TASKPAYLOAD_H
