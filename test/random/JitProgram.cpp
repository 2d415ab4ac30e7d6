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

#include "mlir/Pass/PassManager.h"
#include "llvm/Support/TargetSelect.h"

#include <fmt/format.h>
#include <mutex>

using namespace heed;
using namespace heed::random_programs;

std::string Setting::print() const {
  return fmt::format("-O{} {} {} cache {}{}", level, isa, fused ? "fused" : "unfused", cacheType,
                     invariant ? " invariant" : "");
}

/// A function of the runtime's C interface.
#define HEED_FUNCTION(NAME) verification::NamedFunction(#NAME, reinterpret_cast<void *>(&NAME))

/// What an artefact's C functions call.
static const verification::NamedFunction kInterface[] = {
    HEED_FUNCTION(heed_call),           HEED_FUNCTION(heed_last_error),
    HEED_FUNCTION(heed_model_open),     HEED_FUNCTION(heed_model_close),
    HEED_FUNCTION(heed_model_function), HEED_FUNCTION(heed_session_new),
    HEED_FUNCTION(heed_session_free),   HEED_FUNCTION(heed_session_step),
    HEED_FUNCTION(heed_session_length), HEED_FUNCTION(heed_session_truncate)};
#undef HEED_FUNCTION

bool random_programs::checkText(Compiler &compiler) {
  return compiler.check(nullptr, [](const std::string &path) -> ErrorOr<std::string> {
    return makeError("random programs use no file, but '" + path + "' was asked for");
  });
}

static heed::Error described(llvm::Error error) {
  return makeError("the JIT failed: " + llvm::toString(std::move(error)));
}

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
  options.instrument = [&](mlir::PassManager &manager) {
    manager.enableVerifier(setting.verifyEach);
  };
  Compiler compiler("program.heed", text, options);
  if (!checkText(compiler))
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

  auto loaded = verification::LoadedObject::load(*object, kInterface);
  if (!loaded)
    return described(loaded.takeError());
  std::unique_ptr<JitProgram> program(new JitProgram);
  program->code = std::move(*loaded);
  auto found = program->code->find("heed_artifact_export");
  if (!found)
    return described(found.takeError());
  program->artifact = static_cast<const heed_artifact *>(*found);
  return program;
}

ErrorOr<std::unique_ptr<heed_model>> JitProgram::open(const WeightsFile *weights,
                                                      int threads) const {
  std::unique_ptr<heed_model> model;
  if (Status status = heed_model::open(*artifact, weights, threads, model); !status.ok())
    return makeError(status.message);
  return model;
}
