//===- NativeCheck.h - whether code computes what the formulas say -*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_NATIVECHECK_H
#define HEED_VERIFICATION_NATIVECHECK_H

#include "heed/Target/CPU/InstructionSet.h"
#include "heed/Verification/NumericChecker.h"

namespace heed::verification {

/// All weights of a program as its code reads them: heed_context::weights.
class WeightTable {
public:
  /// Packs the weights of a module that still declares them, after layouts were chosen.
  static llvm::Expected<WeightTable> make(mlir::ModuleOp module, reference::WeightSource &source);

  const void *const *addresses() const { return bases.data(); }

private:
  struct Free {
    void operator()(void *memory) const;
  };
  std::vector<std::unique_ptr<void, Free>> memory;
  std::vector<const void *> bases;
};

/// How code is made and run.
struct NativeOptions {
  unsigned level = 2;    ///< 0 … 3, as of -O
  int threads = 2;       ///< of the pool
  unsigned seconds = 60; ///< before code is taken to run forever
};

/// Makes code for `set` of `module`, which is in the LLVM dialect, and runs it on all inputs of
/// `checker`, whose rounding must have been measured, in a process of its own: code that crashes or
/// doesn't end is a difference too. This machine must have the instruction set. Unknown where no
/// code can be made.
Verdict checkNatively(mlir::ModuleOp module, const InstructionSet &set, NumericChecker &checker,
                      const WeightTable &weights, const NativeOptions &options = {});

/// Whether this machine has what `set` needs.
bool machineHas(const InstructionSet &set);

} // namespace heed::verification

#endif // HEED_VERIFICATION_NATIVECHECK_H
