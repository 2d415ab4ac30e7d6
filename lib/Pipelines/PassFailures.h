//===- PassFailures.h - whose mistake a failing pass is ---------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_PIPELINES_PASSFAILURES_H
#define HEED_LIB_PIPELINES_PASSFAILURES_H

#include "heed/Support/SourceManager.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/SourceMgr.h"

namespace heed {

/// While it lives, what passes report is shown on standard error with the line of the program. A
/// failure is the program's mistake where an error with an id (`[E0701]`) was reported, and the
/// compiler's own otherwise, which leaves a reproducer for `heed-opt --run-reproducer`.
class PassFailures {
public:
  PassFailures(const SourceManager &sources, mlir::MLIRContext *context);

  /// Makes `manager` leave a reproducer where it crashes or fails by a mistake of the compiler's.
  void watch(mlir::PassManager &manager);
  bool blamesProgram() const { return programErrors != 0; }
  /// Whether a pass that succeeded was found to have changed the program's meaning (E0902).
  bool blamesPass() const { return passErrors != 0; }
  /// Tells the user that the compiler failed, and where the reproducer is.
  void reportInternal() const;

private:
  mlir::LogicalResult inspect(mlir::Diagnostic &diagnostic);

  llvm::SourceMgr lines;
  mlir::SourceMgrDiagnosticHandler printer;
  mlir::ScopedDiagnosticHandler inspector; ///< sees diagnostics before `printer` does
  int programErrors = 0, passErrors = 0;
  bool finished = false;  ///< what MLIR says after this is about reproducers
  std::string reproducer; ///< its path; empty where none was written
};

} // namespace heed

#endif // HEED_LIB_PIPELINES_PASSFAILURES_H
