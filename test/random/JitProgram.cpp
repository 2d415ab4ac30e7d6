//===- JitProgram.cpp - a program compiled into this process --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JitProgram.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Pipelines/Compiler.h"
#include "heed/Runtime/Heed.h"
#include "heed/Runtime/Memory.h"

#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/TargetSelect.h"

#include <fmt/format.h>
#include <mutex>

using namespace heed;
using namespace heed::random_programs;

std::string Setting::print() const {
  return fmt::format("-O{} {} {} cache {}{}", level, isa, fused ? "fused" : "unfused", cacheType,
                     invariant ? " invariant" : "");
}

/// The runtime's functions: they are hidden in this executable, so a JIT can't find them by name.
static llvm::orc::SymbolMap runtimeSymbols(llvm::orc::LLJIT &jit) {
  llvm::orc::SymbolMap symbols;
  auto add = [&](const char *name, auto *function) {
    symbols[jit.mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(function),
                                          llvm::JITSymbolFlags::Exported};
  };
#define HEED_SYMBOL(NAME) add(#NAME, &NAME)
  HEED_SYMBOL(heed_parallel_for);
  HEED_SYMBOL(heed_alloc);
  HEED_SYMBOL(heed_free);
  HEED_SYMBOL(_mlir_memref_to_llvm_alloc);
  HEED_SYMBOL(_mlir_memref_to_llvm_free);
  HEED_SYMBOL(memrefCopy);
  HEED_SYMBOL(heed_call);
  HEED_SYMBOL(heed_last_error);
  HEED_SYMBOL(heed_model_open);
  HEED_SYMBOL(heed_model_close);
  HEED_SYMBOL(heed_model_function);
  HEED_SYMBOL(heed_session_new);
  HEED_SYMBOL(heed_session_free);
  HEED_SYMBOL(heed_session_step);
  HEED_SYMBOL(heed_session_length);
  HEED_SYMBOL(heed_session_truncate);
#undef HEED_SYMBOL
  return symbols;
}

static heed::Error described(llvm::Error error) {
  return makeError("the JIT failed: " + llvm::toString(std::move(error)));
}

JitProgram::JitProgram() = default;
JitProgram::~JitProgram() = default;

ErrorOr<std::unique_ptr<JitProgram>> JitProgram::compile(const std::string &text,
                                                         const Setting &setting) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  CompilerOptions options;
  auto sets = parseInstructionSets(setting.isa);
  if (!sets)
    return sets.error();
  options.sets = std::move(*sets);
  options.level = setting.level;
  options.fuseAttention = setting.fused;
  options.cacheType = setting.cacheType;
  options.invariant = setting.invariant;
  Compiler compiler("program.heed", text, options);
  auto noFile = [](const std::string &path) -> ErrorOr<std::string> {
    return makeError("random programs use no file, but '" + path + "' was asked for");
  };
  if (!compiler.check(nullptr, noFile))
    return makeError("the program was refused");
  if (!compiler.runTo(Phase::Fused))
    return makeError("the program was refused");
  bool hasSteps = false;
  compiler.ir().walk([&](attn::SoftmaxOp) { hasSteps = true; });
  if (setting.fused && hasSteps)
    return makeError("its attention isn't fused");
  auto object = compiler.code(CodeFormat::Object, ArtifactUse::Library);
  if (!object)
    return makeError("the program was refused: " + object.message());

  auto built = llvm::orc::LLJITBuilder().create();
  if (!built)
    return described(built.takeError());
  std::unique_ptr<JitProgram> program(new JitProgram);
  program->jit = std::move(*built);
  llvm::orc::LLJIT &jit = *program->jit;
  llvm::orc::JITDylib &code = jit.getMainJITDylib();
  if (auto error = code.define(llvm::orc::absoluteSymbols(runtimeSymbols(jit))))
    return described(std::move(error));
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      jit.getDataLayout().getGlobalPrefix());
  if (!process)
    return described(process.takeError());
  code.addGenerator(std::move(*process));
  if (auto error = jit.addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(*object, "program")))
    return described(std::move(error));
  auto found = jit.lookup("heed_artifact_export");
  if (!found)
    return described(found.takeError());
  program->artifact = found->toPtr<const heed_artifact *>();
  return program;
}

ErrorOr<std::unique_ptr<heed_model>> JitProgram::open(const WeightsFile *weights,
                                                      int threads) const {
  std::unique_ptr<heed_model> model;
  if (Status status = heed_model::open(*artifact, weights, threads, model); !status.ok())
    return makeError(status.message);
  return model;
}
