//===- FunctionForm.h - drives a function in any form -----------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_FUNCTIONFORM_H
#define HEED_VERIFICATION_FUNCTIONFORM_H

#include "heed/Reference/Evaluator.h"
#include "heed/Verification/Inputs.h"

namespace heed::verification {

/// One call of a function.
struct Call {
  llvm::SmallVector<int64_t> sizes;          ///< run-time sizes
  int64_t past = 0, first = 0, capacity = 0; ///< of a step
  std::vector<reference::Value> params;
  std::vector<reference::Array> &caches; ///< read and written
  std::vector<reference::Array> results; ///< in the shapes asked for, to be written
};

/// A function as it is after some pass, or as code.
class FunctionForm {
public:
  virtual ~FunctionForm();
  /// Whether calls can continue a text.
  virtual bool isStep() const = 0;
  virtual llvm::Error call(Call &call) = 0;
};

/// The form that `module` holds of `function`, to be evaluated by `evaluator`, which is the
/// module's; null where the module has no such function any more.
std::unique_ptr<FunctionForm> findForm(mlir::ModuleOp module, const ProgramFunction &function,
                                       reference::Evaluator &evaluator);

/// Gives `input` to a function in the parts of `split` and returns the rows that it asks for, of
/// each result. A function that isn't a step must be given one part.
llvm::Expected<std::vector<reference::Array>>
run(FunctionForm &form, const ProgramFunction &function, const Input &input, const Split &split);

} // namespace heed::verification

#endif // HEED_VERIFICATION_FUNCTIONFORM_H
