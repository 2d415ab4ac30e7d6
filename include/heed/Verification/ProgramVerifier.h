//===- ProgramVerifier.h - evaluates a program after every pass -*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_PROGRAMVERIFIER_H
#define HEED_VERIFICATION_PROGRAMVERIFIER_H

#include "heed/Verification/Blame.h"
#include "heed/Verification/NativeCheck.h"
#include "heed/Verification/PassSteps.h"

namespace heed::verification {

struct VerifierOptions {
  /// Each is compiled for, and run where this machine can; best first, not empty.
  std::vector<const InstructionSet *> sets;
  NumericChecker::Options checker;
  NativeOptions native;
  std::string weightsPath; ///< for reproducers; "" where weights are random
  /// Changes the passes before they are run: tests put a wrong one among them.
  std::function<void(std::vector<PassStep> &)> edit;
};

/// What became of one pass.
struct PassRecord {
  Phase phase;
  std::string pass;
  const InstructionSet *set;
  enum class How {
    Evaluated, ///< the IR was, and agrees
    Unchanged, ///< the pass did nothing, so there was nothing to see
    Later      ///< the evaluator doesn't know the IR: the code that it becomes was run
  } how;
  double worst = 0; ///< error of what was evaluated
};

/// Code that was run.
struct CodeRecord {
  const InstructionSet *set;
  bool wasRun;      ///< false where this machine lacks the instruction set
  double worst = 0; ///< error
};

/// Takes a program through all passes and evaluates it after each.
class ProgramVerifier {
public:
  ProgramVerifier(reference::WeightSource &weights, VerifierOptions options);

  /// Verifies a module of the phase formula. Success: every pass keeps what it computes, and so
  /// does the code. Reports what is wrong: a pass that failed, or that is blamed.
  mlir::LogicalResult run(mlir::ModuleOp formula);

  const std::vector<PassRecord> &passes() const { return records; }
  const std::vector<CodeRecord> &codes() const { return codeRecords; }
  const std::optional<Blame> &blame() const { return blamed; }
  /// The number of the pass that is blamed, where it is one: passes may be there several times.
  std::optional<size_t> blamedStep() const { return guiltyStep; }
  const NumericChecker &checker() const { return numbers; }

private:
  struct Variant;

  mlir::LogicalResult runVariant(mlir::ModuleOp formula, const InstructionSet &set,
                                 std::vector<std::string> &checkedPipelines);
  /// Runs a step; `isChecked` where its result has been seen already.
  mlir::LogicalResult runStep(Variant &variant, size_t step, bool isChecked);
  mlir::LogicalResult checkStep(Variant &variant, size_t step, mlir::ModuleOp before);
  mlir::LogicalResult checkCode(Variant &variant);
  mlir::LogicalResult bisect(Variant &variant, const Verdict &verdict);
  mlir::LogicalResult blameAllAfter(Variant &variant, const Difference &difference);
  mlir::LogicalResult blamePassOf(Variant &variant, size_t step, mlir::ModuleOp before,
                                  mlir::ModuleOp after, const Difference &difference);

  VerifierOptions options;
  NumericChecker numbers;
  std::vector<PassRecord> records;
  std::vector<CodeRecord> codeRecords;
  std::optional<Blame> blamed;
  std::optional<size_t> guiltyStep;
};

} // namespace heed::verification

#endif // HEED_VERIFICATION_PROGRAMVERIFIER_H
