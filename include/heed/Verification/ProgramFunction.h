//===- ProgramFunction.h - a function as its caller knows it ----*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On its way to code a function is given a past and caches, then memory instead
// of tensors, then the runtime's call. What it is asked for and what it answers
// stay the same: parameters and results, whose axes are numbers or run-time
// sizes. Every form of it can be driven by them.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_PROGRAMFUNCTION_H
#define HEED_VERIFICATION_PROGRAMFUNCTION_H

#include "heed/Conversion/ExportedFunction.h"

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace heed::verification {

/// A parameter or a result.
struct ProgramTensor {
  std::string name;
  mlir::Type element;
  llvm::SmallVector<int64_t> dims; ///< >= 0: a size; runtimeDim(s): run-time size number s
};

/// A cache that passes gave to a function. `dims` has kDimCapacity where its room is chosen by the
/// caller.
struct CacheTensor {
  mlir::Type element;
  llvm::SmallVector<int64_t> dims;
};

struct ProgramFunction {
  std::string name;
  std::vector<std::string> sizes;
  std::vector<int64_t> bounds; ///< one for each size; 0: unbounded
  int64_t tokenLimit = 0;      ///< integers lie in [0, tokenLimit); 0: nothing says so
  std::vector<ProgramTensor> params, results;
  bool isStep = false;             ///< it continues a text, and has caches for that
  int64_t chunk = 0;               ///< the most rows of one call of a step; 0: unbounded
  std::vector<CacheTensor> caches; ///< as they were seen last

  /// The shape of a parameter or a result where the run-time sizes are `sizes`.
  static llvm::SmallVector<int64_t> shape(const ProgramTensor &tensor,
                                          llvm::ArrayRef<int64_t> sizes);

  /// Takes over what passes have added since: the function's kind, its chunk and its caches.
  void update(mlir::func::FuncOp function);
};

/// Reads a function of any phase before convert-entry-points. Fails where an axis is neither a
/// number nor known to be a run-time size, or where something is no tensor, memref or number.
llvm::Expected<ProgramFunction> readProgramFunction(mlir::func::FuncOp function);

/// The public functions with a body: those that are exported, or will be.
std::vector<mlir::func::FuncOp> publicFunctions(mlir::ModuleOp module);

/// What argument `number` of a function is for: `heed.arg`, and a parameter where nothing says.
ArgumentRole roleOf(mlir::func::FuncOp function, unsigned number);

} // namespace heed::verification

#endif // HEED_VERIFICATION_PROGRAMFUNCTION_H
