//===- Oracle.h - a program's results in f64 -*- C++ -*--------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_RANDOM_ORACLE_H
#define HEED_TEST_RANDOM_ORACLE_H

#include "heed/Pipelines/Compiler.h"
#include "heed/Reference/Evaluator.h"
#include "heed/Reference/WeightSource.h"
#include "heed/Weights/WeightsFile.h"

#include <memory>
#include <string>
#include <vector>

namespace heed::random_programs {

/// An argument of the program's function, row-major: either floats or integers.
struct Argument {
  bool isInteger = false;
  std::vector<int64_t> shape;
  std::vector<float> floats;
  std::vector<int32_t> integers;

  size_t count() const { return isInteger ? integers.size() : floats.size(); }
  const void *data() const {
    return isInteger ? static_cast<const void *>(integers.data()) : floats.data();
  }
};

/// A program's formulas, evaluated as they stand, or as the passes up to `Phase::Attn` leave them:
/// with the scores scaled after their sums, where the formula scales each product.
class Oracle {
public:
  /// Of the program's text, with random weights.
  static ErrorOr<std::unique_ptr<Oracle>> create(const std::string &text);

  /// A file with the weights that `evaluate` uses; null where the program has none.
  const WeightsFile *weights() const { return file.get(); }

  /// The function's result, row-major. `phase` is Formula or Attn.
  ErrorOr<std::vector<double>> evaluate(const std::vector<Argument> &arguments,
                                        reference::Precision precision,
                                        Phase phase = Phase::Formula);

private:
  explicit Oracle(const std::string &text);
  ErrorOr<void> writeWeights();
  ErrorOr<mlir::ModuleOp> irOf(Phase phase);

  std::string text;
  Compiler compiler;
  std::unique_ptr<Compiler> found; ///< null, or what has reached Phase::Attn
  reference::RandomWeights source;
  std::unique_ptr<WeightsFile> file;
};

} // namespace heed::random_programs

#endif // HEED_TEST_RANDOM_ORACLE_H
