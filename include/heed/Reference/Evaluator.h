//===- Evaluator.h - computes what a phase's IR means, in f64 -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The oracle: it walks the ops of a function, one after the other, and does what
// each of them is documented to do. It is slow and obvious, knows no pass, and
// checks every index, so that what a pass broke shows as a difference or as an
// error that names an op.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_REFERENCE_EVALUATOR_H
#define HEED_REFERENCE_EVALUATOR_H

#include "heed/Reference/Value.h"
#include "heed/Reference/WeightSource.h"

#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <memory>

namespace heed::reference {

enum class Precision {
  /// Floats of every type are f64. Only conversions to f16 and bf16, and ops that look at bits,
  /// see a narrower type.
  Exact,
  /// The result of each operation is rounded to its type: the error that the program has if it is
  /// run as it stands.
  AsTyped,
};

struct EvaluatorOptions {
  Precision precision = Precision::Exact;
  /// Ops and elements that may be computed before evaluation is given up.
  uint64_t maxSteps = uint64_t{1} << 34;
  /// Called with each result of each op in a function or in its loops, not in the per-element
  /// regions of linalg and attn ops.
  std::function<void(mlir::Operation *, unsigned resultNumber, const Value &)> observe = nullptr;
};

/// Evaluates functions of one module, which must be verified and must not change meanwhile.
///
/// Errors are those of the program that is evaluated: an op that isn't known, an access outside of
/// a tensor, memref or table, a use of an element that nothing wrote, a division of integers by
/// zero, more steps than allowed. The text begins with the op's location and name.
class Evaluator {
public:
  Evaluator(mlir::ModuleOp module, WeightSource &weights, EvaluatorOptions options = {});
  ~Evaluator();
  Evaluator(const Evaluator &) = delete;
  Evaluator &operator=(const Evaluator &) = delete;

  /// Calls a function and returns its results. Shapes of arguments are checked; memrefs are
  /// written in place. A result but a step's caches, or an argument with `heed.arg = "result"`,
  /// that has an element that nothing wrote is an error.
  llvm::Expected<llvm::SmallVector<Value>> call(llvm::StringRef function,
                                                llvm::ArrayRef<Value> arguments);

  /// Calls the entry that `convert-entry-points` made of `function`, as the runtime does. `numbers`
  /// are the run-time sizes and, for a step, past, first and the caches' capacity; `buffers` are
  /// the parameters, caches and results, row-major, written in place.
  llvm::Error callEntry(llvm::StringRef function, llvm::ArrayRef<int64_t> numbers,
                        llvm::ArrayRef<Array> buffers);

  /// The op that the latest error was about; null before any.
  mlir::Operation *failedOp() const;
  /// Whether the latest error says that this evaluator doesn't know the op, or a form of it, and
  /// nothing of what the program computes.
  bool failedByIgnorance() const;
  /// Steps of all calls so far.
  uint64_t steps() const;

private:
  class Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace heed::reference

#endif // HEED_REFERENCE_EVALUATOR_H
