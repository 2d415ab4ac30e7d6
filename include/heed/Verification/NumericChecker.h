//===- NumericChecker.h - whether a module still means the same -*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_NUMERICCHECKER_H
#define HEED_VERIFICATION_NUMERICCHECKER_H

#include "heed/Reference/WeightSource.h"
#include "heed/Verification/FunctionForm.h"

#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <optional>

namespace heed::verification {

/// How far results may be from those of the program as it was written: relative, in the L2 norm.
struct ErrorBudget {
  /// Of IR that is evaluated in f64. Rewrites reorder sums, and exponentials multiply the errors of
  /// large scores: 1e-12 and less is seen.
  static constexpr double kRewrites = 1e-10;
  /// Of the entries of the vector phase, still in f64: kernels come with a polynomial for exp2
  /// whose relative error is 5e-9.
  static constexpr double kKernels = 1e-7;
  /// Of code, as a multiple of the error that the unfused formulas have if every operation is
  /// rounded to f32.
  static constexpr double kCodeFactor = 4;
  /// Of code where that error is smaller than what f32 can tell at all.
  static constexpr double kCode = 5e-6;
};

/// Where a module differs from the program.
struct Difference {
  std::string function;
  size_t input = 0;            ///< of the function's
  std::optional<size_t> split; ///< of the input's, where the function is a step
  unsigned result = 0;
  double error = 0, allowed = 0; ///< infinite where only one is a number
  std::string failure;           ///< what stopped the evaluation, in place of an error
  mlir::Operation *failedOp = nullptr;
};

struct Verdict {
  enum class Kind { Agrees, Differs, Unknown };
  Kind kind = Kind::Agrees;
  double worst = 0; ///< the largest error of all inputs
  Difference difference;
  std::string reason; ///< why it is unknown
};

/// Compares a module after each pass with the same module before the first.
class NumericChecker {
public:
  struct Options {
    /// Ops and elements to compute for each function and check, about. More inputs than fit are
    /// left out, but for the first.
    uint64_t maxSteps = 20'000'000;
  };
  NumericChecker(reference::WeightSource &weights, Options options);
  ~NumericChecker();

  /// Takes `module` as the truth: a copy is evaluated on the inputs. Fails where no function can
  /// be; functions that can't are in `skippedFunctions`.
  llvm::Error begin(mlir::ModuleOp module);
  /// The same for one input of one function, as a file of a reproducer says it.
  llvm::Error begin(mlir::ModuleOp module, llvm::StringRef savedInput);

  /// Evaluates `module`, or nothing but `only` where that is given.
  Verdict check(mlir::ModuleOp module, llvm::StringRef only = "");

  struct Case {
    Input input;
    std::vector<reference::Array> expected; ///< results for the whole text
    double roundingError = 0; ///< of the formulas in f32, of the result that has the largest
  };
  struct Function {
    ProgramFunction program;
    std::vector<Case> cases;
    size_t leftOut = 0; ///< inputs that are too slow
  };
  const std::vector<Function> &functions() const { return known; }
  const std::vector<std::string> &skippedFunctions() const { return skipped; }
  reference::WeightSource &weightSource() const { return weights; }

  /// Compares the results of `form` for all inputs, up to the first that differs by more than what
  /// `allowed` says of it. `before`, where given, is told of each input and split before it is run.
  Verdict compare(FunctionForm &form, const Function &function,
                  llvm::function_ref<double(const Case &)> allowed,
                  llvm::function_ref<void(size_t input, size_t split)> before = nullptr) const;

  /// The function, and the way that a text was given to it, that a difference was found with.
  const Function &functionOf(const Difference &difference) const;
  Split splitOf(const Difference &difference) const;

  /// Evaluates the formulas as f32 would: sets the cases' `roundingError`.
  llvm::Error measureRounding();

private:
  llvm::Error addFunction(mlir::func::FuncOp function, std::vector<Input> inputs);

  reference::WeightSource &weights;
  Options options;
  mlir::OwningOpRef<mlir::ModuleOp> original;
  std::vector<Function> known;
  std::vector<std::string> skipped;
};

/// |actual - expected| / |expected| in the L2 norm; infinite where shapes differ, or where one has
/// a number and the other has none.
double relativeError(const reference::Array &actual, const reference::Array &expected);

/// The op at which `after` begins to differ from `before` on the difference's input: the first that
/// gives a value of a name that `before` has too, and not what it has there. Null where all such
/// values are the same.
mlir::Operation *findDifferingOp(mlir::ModuleOp before, mlir::ModuleOp after,
                                 NumericChecker &checker, const Difference &difference);

} // namespace heed::verification

#endif // HEED_VERIFICATION_NUMERICCHECKER_H
