//===- PassFailuresTest.cpp - whose mistake a failing pass is -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PassFailures.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <sstream>

using namespace heed;

namespace {

/// Does what the test wants to a module.
class AnyPass : public mlir::PassWrapper<AnyPass, mlir::OperationPass<mlir::ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AnyPass)

  using Work = std::function<mlir::LogicalResult(mlir::ModuleOp)>;
  explicit AnyPass(Work work) : work(std::move(work)) {}
  llvm::StringRef getArgument() const override { return "any"; }
  void runOnOperation() override {
    if (failed(work(getOperation())))
      signalPassFailure();
  }

private:
  Work work;
};

struct Outcome {
  bool blamesProgram;
  std::string errors;     ///< what was printed
  std::string reproducer; ///< the text of the file that was named
};

Outcome run(AnyPass::Work work) {
  SourceManager sources;
  sources.addBuffer("model.heed", "size n\nfn f(x: [n]) -> [n] { return x }\n");
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false); // as the compiler does
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(mlir::FileLineColLoc::get(&context, "model.heed", 2, 1));
  Outcome outcome;
  testing::internal::CaptureStderr();
  {
    PassFailures failures(sources, &context);
    mlir::PassManager manager(&context);
    manager.addPass(std::make_unique<AnyPass>(std::move(work)));
    failures.watch(manager);
    EXPECT_TRUE(failed(manager.run(*module)));
    outcome.blamesProgram = failures.blamesProgram();
    if (!outcome.blamesProgram)
      failures.reportInternal();
  }
  outcome.errors = testing::internal::GetCapturedStderr();
  const std::string before = "--run-reproducer ";
  if (size_t at = outcome.errors.find(before); at != std::string::npos) {
    at += before.size();
    std::string path = outcome.errors.substr(at, outcome.errors.find('`', at) - at);
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    outcome.reproducer = text.str();
    std::remove(path.c_str());
  }
  return outcome;
}

TEST(PassFailures, MistakesOfTheProgramAreShownInItOnce) {
  Outcome outcome = run([](mlir::ModuleOp module) {
    return mlir::failure(failed(module.emitError("found no mask [E0701]")));
  });
  EXPECT_TRUE(outcome.blamesProgram);
  EXPECT_EQ(outcome.errors, "model.heed:2:1: error: found no mask [E0701]\n"
                            "fn f(x: [n]) -> [n] { return x }\n"
                            "^\n");
}

TEST(PassFailures, SilentFailuresLeaveAReproducer) {
  Outcome outcome = run([](mlir::ModuleOp) { return mlir::failure(); });
  EXPECT_FALSE(outcome.blamesProgram);
  EXPECT_EQ(outcome.errors.find("error: the compiler failed, and not by a mistake"), 0u)
      << outcome.errors;
  EXPECT_NE(outcome.errors.find("[E0901]"), std::string::npos);
  EXPECT_NE(outcome.reproducer.find("pipeline: \"builtin.module(any)\""), std::string::npos)
      << outcome.reproducer;
}

TEST(PassFailures, ErrorsWithoutAnIdAreTheCompilers) {
  Outcome outcome = run([](mlir::ModuleOp module) {
    return mlir::failure(failed(module.emitError("is in tensor form")));
  });
  EXPECT_FALSE(outcome.blamesProgram);
  EXPECT_NE(outcome.errors.find("model.heed:2:1: error: is in tensor form"), std::string::npos);
  EXPECT_FALSE(outcome.reproducer.empty());
}

TEST(PassFailures, CrashesLeaveAReproducer) {
  Outcome outcome = run([](mlir::ModuleOp) -> mlir::LogicalResult { __builtin_trap(); });
  EXPECT_FALSE(outcome.blamesProgram);
  EXPECT_FALSE(outcome.reproducer.empty()) << outcome.errors;
}

} // namespace
