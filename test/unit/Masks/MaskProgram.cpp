//===- MaskProgram.cpp - functions that differ in their masks -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskProgram.h"

#include "heed/Frontend/Frontend.h"
#include "heed/Frontend/MLIRGen.h"

#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace heed;

std::string masks::functionText(const std::string &name, const std::string &mask) {
  return "fn " + name +
         "(q: [heads, n, dk], k: [1, m, dk], v: [1, m, dk], w: int, of_row: int[n], of_key: "
         "int[m]) -> [heads, n, dk] {\n"
         "  S[h, i, j] = sum[c] q[h, i, c] * k[0, j, c]\n"
         "  A[h, i, j] = softmax[j] S[h, i, j] where " +
         mask + "\n  O[h, i, c] = sum[j] A[h, i, j] * v[0, j, c]\n  return O\n}\n";
}

mlir::OwningOpRef<mlir::ModuleOp> masks::compile(mlir::MLIRContext &context,
                                                 const std::string &functions, Phase phase) {
  SourceManager sources;
  DiagnosticEngine diagnostics(sources);
  uint32_t file = sources.addBuffer("masks.heed", "size heads = 2, dk = 1, n, m\n" + functions);
  FileLoader noFiles = [](const std::string &) -> ErrorOr<std::string> {
    return makeError("no such file");
  };
  auto program = parseAndCheck(sources, file, nullptr, noFiles, diagnostics);
  if (!program) {
    ADD_FAILURE() << diagnostics.render();
    return {};
  }
  mlir::OwningOpRef<mlir::ModuleOp> module = emitModule(context, *program, &sources);
  mlir::PassManager manager(&context);
  buildPipeline(manager, Phase::Formula, phase, {});
  if (!module || failed(manager.run(*module))) {
    ADD_FAILURE() << "the program doesn't compile";
    return {};
  }
  return module;
}
