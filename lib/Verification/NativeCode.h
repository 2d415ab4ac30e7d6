//===- NativeCode.h - a program's code in this process ----------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_VERIFICATION_NATIVECODE_H
#define HEED_LIB_VERIFICATION_NATIVECODE_H

#include "heed/Runtime/Artifact.h"
#include "heed/Target/CPU/InstructionSet.h"
#include "heed/Verification/FunctionForm.h"
#include "heed/Verification/LoadedObject.h"

namespace heed::verification {

/// The machine code of a module.
class NativeCode {
public:
  static llvm::Expected<std::unique_ptr<NativeCode>> make(mlir::ModuleOp module,
                                                          const InstructionSet &set,
                                                          llvm::ArrayRef<std::string> functions,
                                                          unsigned level);

  llvm::Expected<heed_entry> entry(llvm::StringRef function);

private:
  NativeCode(const InstructionSet &set, std::unique_ptr<LoadedObject> code);

  const InstructionSet &set;
  std::unique_ptr<LoadedObject> code;
};

/// A function as code. Buffers are encoded as their elements' types say, and decoded again.
class NativeForm : public FunctionForm {
public:
  NativeForm(const ProgramFunction &function, heed_entry entry, const heed_context &context)
      : function(function), entry(entry), context(context) {}

  bool isStep() const override { return function.isStep; }
  llvm::Error call(Call &call) override;

private:
  const ProgramFunction &function;
  heed_entry entry;
  heed_context context;
};

} // namespace heed::verification

#endif // HEED_LIB_VERIFICATION_NATIVECODE_H
