//===- JitProgram.cpp - a program compiled into this process --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JitProgram.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Pipelines/Compiler.h"

#include "mlir/Pass/PassManager.h"

#include <fmt/format.h>

using namespace heed;
using namespace heed::random_programs;

std::string Setting::print() const {
  return fmt::format("-O{} {} {} cache {}{}", level, isa, fused ? "fused" : "unfused", cacheType,
                     invariant ? " invariant" : "");
}

bool random_programs::checkText(Compiler &compiler) {
  return compiler.check(nullptr, [](const std::string &path) -> ErrorOr<std::string> {
    return makeError("random programs use no file, but '" + path + "' was asked for");
  });
}

ErrorOr<std::unique_ptr<JitProgram>> JitProgram::compile(const std::string &text,
                                                         const Setting &setting) {
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

  auto loaded = verification::LoadedProgram::load(*object);
  if (!loaded)
    return loaded.error();
  std::unique_ptr<JitProgram> program(new JitProgram);
  program->code = std::move(*loaded);
  return program;
}

ErrorOr<std::unique_ptr<heed_model>> JitProgram::open(const WeightsFile *weights,
                                                      int threads) const {
  std::unique_ptr<heed_model> model;
  if (Status status = heed_model::open(code->artifact(), weights, threads, model); !status.ok())
    return makeError(status.message);
  return model;
}
