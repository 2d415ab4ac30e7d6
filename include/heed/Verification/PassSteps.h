//===- PassSteps.h - pipelines, one pass at a time --------------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_PASSSTEPS_H
#define HEED_VERIFICATION_PASSSTEPS_H

#include "heed/Pipelines/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <string>
#include <vector>

namespace heed::verification {

/// One pass of a phase, with what it runs on.
struct PassStep {
  Phase phase;          ///< the phase that the pass leads to
  std::string pass;     ///< its flag: "attn-fuse-attention"
  std::string pipeline; ///< with anchors and options: "func.func(attn-fuse-attention)"
  /// Runs it. From the registry, unless a test puts something else in its place.
  std::function<mlir::LogicalResult(mlir::ModuleOp)> run;
};

/// The passes of the phases after `from` up to `to`, in order, as the pipelines have them. Every
/// pass must be registered (heed/Pipelines/RegisterPasses.h).
llvm::FailureOr<std::vector<PassStep>> passSteps(mlir::MLIRContext *context, Phase from, Phase to,
                                                 const PipelineOptions &options);

/// "builtin.module(…)" with these passes.
std::string pipelineText(llvm::ArrayRef<PassStep> steps);

/// The name of a phase, as --emit spells it.
llvm::StringRef phaseName(Phase phase);

/// Runs passes from the registry, such as pipelineText gives.
mlir::LogicalResult runPipeline(mlir::ModuleOp module, llvm::StringRef pipeline);

} // namespace heed::verification

#endif // HEED_VERIFICATION_PASSSTEPS_H
