//===- SmallModule.h - IR that a test writes, evaluated -*- C++ -*---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_REFERENCE_SMALLMODULE_H
#define HEED_TEST_UNIT_REFERENCE_SMALLMODULE_H

#include "heed/Reference/Evaluator.h"

#include <string>
#include <vector>

namespace heed::reference {

using Values = std::vector<Value>;
using Floats = std::vector<double>;
using Integers = std::vector<int64_t>;

/// A module parsed from text.
class SmallModule {
public:
  explicit SmallModule(const std::string &text);
  /// The module of a function @f with these arguments, results and body.
  static SmallModule function(const std::string &signature, const std::string &body) {
    return SmallModule("func.func @f" + signature + " {\n" + body + "\n}");
  }

  /// Calls `name` and returns its results; nothing after an error, which the test has reported.
  Values call(const Values &arguments, const std::string &name = "f",
              EvaluatorOptions options = {});
  /// Calls `name`, which must fail, and returns the error's text.
  std::string error(const Values &arguments, const std::string &name = "f",
                    EvaluatorOptions options = {});

  /// Calls the entry of `name` and returns the error's text, empty without one.
  std::string callEntry(const std::string &name, const Integers &numbers,
                        const std::vector<Array> &buffers);

  // Arguments of bf16, f32, i16, i32 and index.
  Array bf16(std::vector<int64_t> shape, const Floats &values);
  Array f32(std::vector<int64_t> shape, const Floats &values);
  Array i16(std::vector<int64_t> shape, const Integers &values);
  Array i32(std::vector<int64_t> shape, const Integers &values);
  Array index(std::vector<int64_t> shape, const Integers &values);
  Array unwrittenF32(std::vector<int64_t> shape);

  RandomWeights weights;

private:
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// The floats or integers of result `number`, row-major; a scalar is one.
Floats floats(const Values &results, size_t number = 0);
Integers integers(const Values &results, size_t number = 0);

} // namespace heed::reference

#endif // HEED_TEST_UNIT_REFERENCE_SMALLMODULE_H
