//===- MLIRGen.h - a checked program as MLIR ------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The only part of the front end that knows MLIR. What it makes is the phase
// "formula": one upstream op for each formula, weights as `attn` values, and
// attention written out (contractions, `attn.mask`, `attn.softmax`) for later
// passes to recognise. lib/Frontend/MLIRGen/README.md lists its conventions.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_FRONTEND_MLIRGEN_H
#define HEED_FRONTEND_MLIRGEN_H

#include "heed/Frontend/Program.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace heed {

class SourceManager;

/// Emits a checked program as a verified module, and loads the dialects that it needs into
/// `context`. Locations are lines and columns of `sources`, or unknown where it is null; a location
/// that names a value (NameLoc) gives the SSA name that a person expects.
/// Null, after diagnostics to the context's handler, where the program breaks what Program.h
/// promises.
mlir::OwningOpRef<mlir::ModuleOp> emitModule(mlir::MLIRContext &context,
                                             const program::Program &program,
                                             const SourceManager *sources);

} // namespace heed

#endif // HEED_FRONTEND_MLIRGEN_H
