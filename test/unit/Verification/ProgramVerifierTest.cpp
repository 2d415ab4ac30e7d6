//===- ProgramVerifierTest.cpp - programs evaluated after every pass ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/ProgramVerifier.h"

#include "SmallPrograms.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace heed;
using namespace heed::verification;

namespace {

/// A verification, and what it reported.
struct Outcome {
  bool agrees = false;
  std::string messages;
  std::optional<Blame> blame;
  std::optional<size_t> step;
  std::vector<PassRecord> passes;
  std::vector<CodeRecord> codes;
};

/// Verifies a program, doing `harm` to what the pass called `guilty` leaves.
Outcome verify(const std::string &text, const std::string &guilty = "",
               std::function<void(mlir::ModuleOp)> harm = nullptr) {
  std::unique_ptr<Compiler> compiler = checked(text);
  reference::RandomWeights weights;
  VerifierOptions options;
  options.sets = {hostSet()};
  options.checker.maxSteps = 1'000'000;
  options.native.seconds = 20;
  options.edit = [&](std::vector<PassStep> &steps) {
    for (PassStep &step : steps)
      if (step.pass == guilty)
        step.run = [&, clean = step.run](mlir::ModuleOp module) {
          if (failed(clean(module)))
            return mlir::failure();
          harm(module);
          return mlir::success();
        };
  };
  Outcome outcome;
  mlir::ScopedDiagnosticHandler handler(
      compiler->ir().getContext(), [&](mlir::Diagnostic &diagnostic) {
        llvm::raw_string_ostream out(outcome.messages);
        out << diagnostic.getLocation() << ": " << diagnostic.str() << '\n';
        return mlir::success();
      });
  ProgramVerifier verifier(weights, std::move(options));
  outcome.agrees = succeeded(verifier.run(compiler->ir()));
  if (verifier.blame()) {
    outcome.blame.emplace(*verifier.blame());
    outcome.blame->place = mlir::UnknownLoc::get(compiler->ir().getContext());
  }
  outcome.step = verifier.blamedStep();
  outcome.passes = verifier.passes();
  outcome.codes = verifier.codes();
  return outcome;
}

std::string readAndRemove(const std::string &path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::remove(path.c_str());
  return text.str();
}

TEST(ProgramVerifier, AgreesWithModels) {
  Outcome outcome = verify(smallModel());
  EXPECT_TRUE(outcome.agrees) << outcome.messages;
  ASSERT_EQ(outcome.codes.size(), 1u);
  EXPECT_TRUE(outcome.codes[0].wasRun);
  EXPECT_LT(outcome.codes[0].worst, 1e-4);
  EXPECT_GT(outcome.codes[0].worst, 0);
  // Everything up to the LLVM dialect is evaluated, some passes of the phase vector together.
  PassRecord::How last = PassRecord::How::Unchanged;
  for (const PassRecord &record : outcome.passes) {
    if (record.phase < Phase::Vector)
      EXPECT_NE(record.how, PassRecord::How::Later) << record.pass;
    if (record.phase < Phase::LLVM && record.how != PassRecord::How::Unchanged)
      last = record.how;
  }
  EXPECT_EQ(last, PassRecord::How::Evaluated);
}

TEST(ProgramVerifier, AgreesWithTwoSizes) {
  Outcome outcome = verify(crossAttention());
  EXPECT_TRUE(outcome.agrees) << outcome.messages;
}

TEST(ProgramVerifier, NamesPassOpAndLine) {
  Outcome outcome = verify(smallModel(), "attn-recognise", [](mlir::ModuleOp module) {
    module.walk([](attn::ScoresOp scores) {
      scores.setScaleAttr(mlir::FloatAttr::get(scores.getScaleAttr().getType(), 1.0));
    });
  });
  ASSERT_FALSE(outcome.agrees);
  ASSERT_TRUE(outcome.blame);
  EXPECT_EQ(outcome.blame->pass, "attn-recognise");
  EXPECT_EQ(outcome.blame->op, "attn.scores");
  EXPECT_NE(outcome.messages.find("program.heed\":26:5"), std::string::npos) << outcome.messages;
  EXPECT_NE(outcome.messages.find("after the pass attn-recognise, 'logits' is off by"),
            std::string::npos)
      << outcome.messages;
  EXPECT_NE(outcome.messages.find("[E0902]"), std::string::npos);

  std::string module = readAndRemove(outcome.blame->reproducer.module);
  EXPECT_NE(module.find("pipeline: \"builtin.module(func.func(attn-recognise"), std::string::npos);
  EXPECT_EQ(module.find("attn.scores"), std::string::npos) << "this is the module before";
  std::string input = readAndRemove(outcome.blame->reproducer.input);
  EXPECT_NE(input.find("\"function\":\"logits\""), std::string::npos) << input;
}

TEST(ProgramVerifier, FindsCodeThatCrashes) {
  Outcome outcome =
      verify(crossAttention(), "reconcile-unrealized-casts", [](mlir::ModuleOp module) {
        module.walk([](mlir::LLVM::LLVMFuncOp function) {
          if (function.getSymName() != "cross_entry")
            return;
          auto builder = mlir::OpBuilder::atBlockBegin(&function.getBody().front());
          mlir::LLVM::Trap::create(builder, function.getLoc());
        });
      });
  ASSERT_FALSE(outcome.agrees);
  ASSERT_TRUE(outcome.blame);
  EXPECT_EQ(outcome.blame->pass, "reconcile-unrealized-casts");
  EXPECT_NE(outcome.messages.find("the code crashed with signal 4"), std::string::npos)
      << outcome.messages;
  readAndRemove(outcome.blame->reproducer.module);
  readAndRemove(outcome.blame->reproducer.input);
}

TEST(ProgramVerifier, ReportsPassesThatFail) {
  Outcome outcome = verify(crossAttention(), "attn-tile-attention", [](mlir::ModuleOp module) {
    module.walk([](mlir::func::FuncOp function) { function.setSymName("lost"); });
  });
  EXPECT_FALSE(outcome.agrees);
  EXPECT_FALSE(outcome.messages.empty());
}

} // namespace
