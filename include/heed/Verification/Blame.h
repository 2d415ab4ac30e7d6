//===- Blame.h - which pass changed a program's meaning ---------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_BLAME_H
#define HEED_VERIFICATION_BLAME_H

#include "heed/Verification/NumericChecker.h"

namespace heed::verification {

/// What can repeat a difference.
struct Reproducer {
  std::string module; ///< the IR before the pass, with the pass to run: for --run-reproducer
  std::string input;  ///< for --verify-each-numerically
  /// Whether the module can be evaluated by itself: entries don't say what their buffers are.
  bool isEvaluable = true;
};

/// A pass whose result computes something else.
struct Blame {
  std::string pass;     ///< its flag
  std::string pipeline; ///< with anchors and options, such as "builtin.module(cse)"
  Difference difference;
  std::string op;        ///< the name of the first op that differs
  mlir::Location place;  ///< of that op
  Reproducer reproducer; ///< paths; empty where they could not be written
};

/// Finds the op, and writes the reproducer into the folder for temporary files. `weightsPath` is ""
/// where weights are random.
Blame blamePass(llvm::StringRef pass, llvm::StringRef pipeline, mlir::ModuleOp before,
                mlir::ModuleOp after, NumericChecker &checker, const Difference &difference,
                llvm::StringRef weightsPath);

/// How far off, where, and for what: "'logits' is off by 0.3 (allowed: 1e-06) for n = 17, …".
std::string describe(const NumericChecker &checker, const Difference &difference);

/// Reports it at the op's place, with E0902.
void report(const NumericChecker &checker, const Blame &blame);

} // namespace heed::verification

#endif // HEED_VERIFICATION_BLAME_H
