//===- PassStepsTest.cpp - pipelines, one pass at a time ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/PassSteps.h"

#include "SmallPrograms.h"

#include <gtest/gtest.h>

using namespace heed;
using namespace heed::verification;

static std::string textOf(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module->print(out);
  return text;
}

TEST(PassSteps, GiveWhatThePipelineGives) {
  std::unique_ptr<Compiler> compiler = checked(smallModel());
  mlir::MLIRContext *context = compiler->ir().getContext();
  PipelineOptions options;
  options.nativeLanes = 8;
  auto steps = passSteps(context, Phase::Formula, Phase::LLVM, options);
  ASSERT_TRUE(succeeded(steps));
  auto byStep = mlir::cast<mlir::ModuleOp>(compiler->ir()->clone());
  auto atOnce = mlir::cast<mlir::ModuleOp>(compiler->ir()->clone());
  for (const PassStep &step : *steps)
    ASSERT_TRUE(succeeded(step.run(byStep))) << step.pipeline;
  mlir::PassManager manager(context, mlir::ModuleOp::getOperationName());
  buildPipeline(manager, Phase::Formula, Phase::LLVM, options);
  ASSERT_TRUE(succeeded(manager.run(atOnce)));
  EXPECT_EQ(textOf(byStep), textOf(atOnce));
  byStep->erase();
  atOnce->erase();
}

TEST(PassSteps, AreSinglePassesInOrder) {
  std::unique_ptr<Compiler> compiler = checked(crossAttention());
  auto steps = passSteps(compiler->ir().getContext(), Phase::Formula, Phase::LLVM, {});
  ASSERT_TRUE(succeeded(steps));
  Phase last = Phase::Attn;
  for (const PassStep &step : *steps) {
    EXPECT_GE(step.phase, last) << step.pass;
    last = step.phase;
    EXPECT_EQ(step.pass.find_first_of("(){},"), std::string::npos) << step.pass;
    EXPECT_NE(step.pipeline.find(step.pass), std::string::npos);
  }
  EXPECT_EQ(last, Phase::LLVM);
  EXPECT_EQ(pipelineText({}), "builtin.module()");
}
