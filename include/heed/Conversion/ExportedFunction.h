//===- ExportedFunction.h - what an exported function's arguments are -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `heed-export-functions` leaves functions whose arguments carry `heed.arg`.
// Both the code that unpacks a call and the description that the runtime packs
// calls by are made from them; reading them in one place keeps the two equal.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_EXPORTEDFUNCTION_H
#define HEED_CONVERSION_EXPORTEDFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>

namespace heed {

/// What an argument is for. The order is the order of the arguments.
enum class ArgumentRole { Param, Past, First, Cache, Result };

/// In ExportedArgument::dims: the tokens that a cache has room for.
inline constexpr int64_t kDimCapacity = -1000;
/// In ExportedArgument::dims: the rows of this call that are asked for, n - first.
inline constexpr int64_t kDimNewRows = -2000;
/// In ExportedArgument::dims: run-time size number `size`.
constexpr int64_t runtimeDim(int64_t size) { return -1 - size; }

struct ExportedArgument {
  ArgumentRole role;
  std::string name; ///< the program's name for it, or one made from role and number
  mlir::Type type;  ///< a shaped type; index or i64 for past and first
  /// One for each axis: a size, runtimeDim(s), kDimCapacity or kDimNewRows. From the argument's
  /// `heed.dims`, else from its role.
  llvm::SmallVector<int64_t> dims;
};

struct ExportedFunction {
  bool isStep = false; ///< heed.kind = "step"
  llvm::SmallVector<std::string> sizes;
  llvm::SmallVector<int64_t> bounds; ///< one for each size; 0: unbounded
  llvm::SmallVector<ExportedArgument> arguments;
};

/// True where an argument of `function` carries `heed.arg`.
bool isExported(mlir::func::FuncOp function);

/// Reads the attributes of a function for which isExported holds; emits an error where they
/// contradict each other or the types.
llvm::FailureOr<ExportedFunction> readExportedFunction(mlir::func::FuncOp function);

} // namespace heed

#endif // HEED_CONVERSION_EXPORTEDFUNCTION_H
