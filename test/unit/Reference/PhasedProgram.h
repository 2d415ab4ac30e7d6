//===- PhasedProgram.h - a program, evaluated in each phase -*- C++ -*-----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_REFERENCE_PHASEDPROGRAM_H
#define HEED_TEST_UNIT_REFERENCE_PHASEDPROGRAM_H

#include "heed/Pipelines/Pipelines.h"
#include "heed/Reference/Evaluator.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <map>
#include <string>
#include <vector>

namespace heed::reference {

/// A program compiled to every phase up to vector, whose weights are random.
class PhasedProgram {
public:
  /// `header` describes a weights file as SyntheticHeader reads it; null without one. `chunk` and
  /// `attentionType` are the pipelines' options.
  explicit PhasedProgram(const std::string &text, const char *header = nullptr, int64_t chunk = 512,
                         const char *attentionType = "f32");

  /// False where a step before failed, which the test has reported.
  bool ok() const { return phases.size() == 5; }

  /// The first result of the plain function `name` of one parameter [n, …], row-major.
  std::vector<double> call(Phase phase, const std::string &name, const Array &parameter,
                           Precision precision = Precision::Exact);

  /// The result of the step `name` for each of the tokens, which are fed in pieces of `piece`
  /// where the phase has caches.
  std::vector<double> feed(Phase phase, const std::string &name, const std::vector<int64_t> &tokens,
                           size_t piece, Precision precision = Precision::Exact);

  /// The evaluator's steps in the latest `feed`: what it costs, on any machine.
  uint64_t stepsFed() const { return steps; }

  Array floats(std::vector<int64_t> shape, uint64_t seed);

private:
  mlir::func::FuncOp function(Phase phase, const std::string &name);
  /// An array for argument `number` of the tiled function, each dynamic size being `size`.
  Array bufferFor(const std::string &name, unsigned number, int64_t size);

  std::unique_ptr<mlir::MLIRContext> context;
  std::map<Phase, mlir::OwningOpRef<mlir::ModuleOp>> phases;
  RandomWeights weights;
  uint64_t steps = 0;
};

/// The text of examples/`name`.
std::string exampleText(const std::string &name);
/// `text` with the one occurrence of `from` replaced.
std::string replaced(std::string text, const std::string &from, const std::string &to);

} // namespace heed::reference

#endif // HEED_TEST_UNIT_REFERENCE_PHASEDPROGRAM_H
