//===- LaneFunction.h - a piece of a kernel, compiled to be called --*- C++ -*- -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_CONVERSION_LANEFUNCTION_H
#define HEED_TEST_UNIT_CONVERSION_LANEFUNCTION_H

#include "heed/Target/CPU/InstructionSet.h"
#include "heed/Verification/LoadedObject.h"

#include "mlir/IR/Builders.h"

namespace heed {

/// A function of one number, built for a vector of 16 and compiled for an instruction set.
class LaneFunction {
public:
  using Build = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::Value x)>;
  LaneFunction(const InstructionSet &set, Build build);

  /// Whether the code could be made; the test has reported what couldn't.
  bool ok() const { return code != nullptr && run; }
  /// values[i] becomes the function of it; their number is a multiple of 16.
  void apply(std::vector<float> &values) const {
    run(values.data(), static_cast<int64_t>(values.size()));
  }

private:
  void compile(const InstructionSet &set, Build build);

  std::unique_ptr<verification::LoadedObject> code;
  void (*run)(float *values, int64_t count) = nullptr;
};

/// The best of each vector length that this machine has.
std::vector<const InstructionSet *> setsOfThisMachine();

/// The distance of `found` from `exact`, in units of a float's last place there.
double ulps(float found, double exact);

} // namespace heed

#endif // HEED_TEST_UNIT_CONVERSION_LANEFUNCTION_H
