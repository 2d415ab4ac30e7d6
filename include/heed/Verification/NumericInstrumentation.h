//===- NumericInstrumentation.h - --verify-each-numerically -----*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_NUMERICINSTRUMENTATION_H
#define HEED_VERIFICATION_NUMERICINSTRUMENTATION_H

#include "heed/Verification/Blame.h"

#include "mlir/Pass/PassManager.h"

namespace heed::verification {

/// What --verify-each-numerically is given.
struct NumericVerificationOptions {
  std::string savedInput;  ///< the path of a reproducer's input; "" for inputs by type
  std::string weightsPath; ///< "" for random weights, or those that the saved input names
  NumericChecker::Options checker;
};

/// Evaluates a module after each pass of a pass manager, as long as the evaluator knows its ops.
/// Of the first pass that changes what public functions compute it reports an error. Passes on
/// functions must run one after the other: no threads.
///
/// `found` is set then; it must outlive the pass manager.
void verifyNumerically(mlir::PassManager &manager, const NumericVerificationOptions &options,
                       bool &found);

} // namespace heed::verification

#endif // HEED_VERIFICATION_NUMERICINSTRUMENTATION_H
