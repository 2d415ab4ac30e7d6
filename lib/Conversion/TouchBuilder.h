//===- TouchBuilder.h - asks memory for what a task reads first --*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_TOUCHBUILDER_H
#define HEED_CONVERSION_TOUCHBUILDER_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/IRMapping.h"

namespace heed {

/// Builds the body of a heed_touch from that of a task: of its ops those alone that compute where
/// the announced bytes are.
class TouchBuilder {
public:
  /// `offset`: how many bytes were asked for before, i64.
  explicit TouchBuilder(mlir::Value offset) : offset(offset) {}

  /// How many bytes a prefetch announces that convert-weights-to-llvm made of an attn.announce.
  static std::optional<int64_t> bytesOf(mlir::LLVM::Prefetch prefetch);
  /// Whether something is announced in `block`.
  static bool isAnnounced(mlir::Block &block);

  void map(mlir::ValueRange from, mlir::ValueRange to) { mapping.map(from, to); }

  /// Builds what is left of `block`, and gives the number of bytes that it announces, i64: null
  /// where that needs more than numbers that are known beforehand.
  mlir::Value build(mlir::OpBuilder &builder, mlir::Block &block);

private:
  mlir::Value prefetch(mlir::OpBuilder &builder, mlir::LLVM::Prefetch first, int64_t bytes);

  mlir::Value offset;
  mlir::IRMapping mapping;
};

} // namespace heed

#endif // HEED_CONVERSION_TOUCHBUILDER_H
