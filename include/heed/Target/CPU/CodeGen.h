//===- CodeGen.h - from the LLVM dialect to machine code ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TARGET_CPU_CODEGEN_H
#define HEED_TARGET_CPU_CODEGEN_H

#include "heed/Support/ErrorOr.h"
#include "heed/Target/CPU/InstructionSet.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

#include <memory>
#include <string>

namespace heed {

struct CodeGenOptions {
  unsigned level = 2;          ///< 0 … 3, as of -O
  bool invariant = false;      ///< a sum is rounded alike wherever the code for it stands
  bool verifyEachPass = false; ///< for hunting mistakes of the optimiser's
};

/// What machine code can be written as.
enum class CodeFormat { LLVM, Assembly, Object };

/// An empty module for the machine that artefacts run on, x86-64 Linux.
std::unique_ptr<llvm::Module> makeTargetModule(llvm::LLVMContext &context, llvm::StringRef name);

/// The symbol of `entry` in the variant for `set`: "logits_entry.avx2".
std::string variantSymbol(llvm::StringRef entry, const InstructionSet &set);

/// Translates `module`, which is in the LLVM dialect, and optimises it for `set`. The functions
/// named in `entries` get their variantSymbol and can be linked to from the same artefact; all
/// others become internal. Each thread may run its own, with its own `context`.
ErrorOr<std::unique_ptr<llvm::Module>>
compileVariant(mlir::ModuleOp module, llvm::LLVMContext &context, const InstructionSet &set,
               llvm::ArrayRef<std::string> entries, const CodeGenOptions &options = {});

/// Moves all of `from` into `into`; their contexts may differ.
ErrorOr<void> appendModule(llvm::Module &into, std::unique_ptr<llvm::Module> from);

/// `module` as text, assembly or an ELF object's bytes. Its functions keep the instruction sets
/// that they were compiled for.
ErrorOr<std::string> emitCode(llvm::Module &module, CodeFormat format,
                              const CodeGenOptions &options = {});

} // namespace heed

#endif // HEED_TARGET_CPU_CODEGEN_H
