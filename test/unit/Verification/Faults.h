//===- Faults.h - mistakes that a pass could make ---------------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_VERIFICATION_FAULTS_H
#define HEED_TEST_UNIT_VERIFICATION_FAULTS_H

#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <string>
#include <vector>

namespace heed::verification {

/// One change to a module that leaves it legal and, but for code that doesn't matter, makes it
/// compute something else.
struct Fault {
  std::string what; ///< such as "arith.addf becomes arith.subf"
  std::function<void()> plant;
};

/// All faults that can be planted into `module`, in the order of its ops: another comparison,
/// operation or constant, exchanged operands, a mask left out, a scale doubled, a loop's first
/// round skipped.
std::vector<Fault> possibleFaults(mlir::ModuleOp module);

} // namespace heed::verification

#endif // HEED_TEST_UNIT_VERIFICATION_FAULTS_H
