//===- PlantedFaultsTest.cpp - every wrong pass is found and named --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For each pass of the pipelines in turn, a fault is planted into what the pass
// left. The verifier must find it and blame that pass. A fault may lie in code
// that doesn't matter, so a few are tried; of those that are found, none may be
// blamed on another pass.
//
//===----------------------------------------------------------------------===//

#include "Faults.h"
#include "SmallPrograms.h"

#include "heed/Verification/ProgramVerifier.h"

#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

#include <cstdio>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::verification;

namespace {

/// A kernel has code for many heights and widths of tiles, of which a small program runs a few.
constexpr size_t kTries = 24;

/// What a verification with one fault gave.
struct Outcome {
  bool isPlanted = false, isFound = false, isBlamedRightly = false;
  std::string what, blamed;
};

/// Several passes as one step.
PassStep merge(llvm::ArrayRef<PassStep> steps) {
  auto texts = llvm::map_range(steps, [](const PassStep &step) { return step.pipeline; });
  return {steps.back().phase, "merged", llvm::join(texts, ","),
          [pipeline = pipelineText(steps)](mlir::ModuleOp module) {
            return runPipeline(module, pipeline);
          }};
}

/// Verifies the compiler's program with fault number `which` in what pass `guilty` leaves.
Outcome verifyWith(Compiler &compiler, size_t guilty, size_t which) {
  Outcome outcome;
  size_t place = 0;
  reference::RandomWeights weights;
  VerifierOptions options;
  options.sets = {hostSet()};
  options.checker.maxSteps = 500'000;
  options.native.level = 1;
  options.native.seconds = 20;
  options.edit = [&](std::vector<PassStep> &steps) {
    // Passes in front of it are right, as other tests show: those of a phase with tensors are run
    // as one, and so are those of the phase vector. Those of the last phase, which can't be
    // evaluated, stay apart, so that it has to be found among them.
    std::vector<PassStep> all = std::move(steps);
    steps.clear();
    auto phaseAt = [&](size_t step) { return all[step].phase; };
    for (size_t next = 0; next != all.size();) {
      size_t end = next + 1;
      while (end < guilty && phaseAt(next) < Phase::LLVM &&
             (phaseAt(end) == Phase::Vector) == (phaseAt(next) == Phase::Vector) &&
             phaseAt(end) < Phase::LLVM)
        ++end;
      if (next == guilty)
        place = steps.size();
      llvm::ArrayRef<PassStep> group(&all[next], end - next);
      steps.push_back(group.size() == 1 ? group.front() : merge(group));
      next = end;
    }
    steps[place].run = [&, clean = steps[place].run](mlir::ModuleOp module) {
      if (failed(clean(module)))
        return mlir::failure();
      std::vector<Fault> faults = possibleFaults(module);
      if (!faults.empty()) {
        Fault &fault = faults[(guilty * 31 + which * 997) % faults.size()]; // all over the module
        outcome.isPlanted = true;
        outcome.what = fault.what;
        fault.plant();
      }
      return mlir::verify(module);
    };
  };
  // Nobody reads the reports here.
  mlir::ScopedDiagnosticHandler quiet(compiler.ir().getContext(),
                                      [](mlir::Diagnostic &) { return mlir::success(); });
  ProgramVerifier verifier(weights, std::move(options));
  outcome.isFound = failed(verifier.run(compiler.ir()));
  outcome.isBlamedRightly = verifier.blamedStep() == place;
  if (const std::optional<Blame> &blame = verifier.blame()) {
    outcome.blamed = blame->pass;
    std::remove(blame->reproducer.module.c_str());
    std::remove(blame->reproducer.input.c_str());
  }
  return outcome;
}

class PlantedFaults : public testing::TestWithParam<Phase> {};

TEST_P(PlantedFaults, AreBlamedOnTheirPass) {
  // Code has branches for one row, for some and for many; to reach them all, inputs must be cheap.
  std::unique_ptr<Compiler> compiler =
      checked(GetParam() < Phase::Vector ? smallModel() : oneHead());
  PipelineOptions pipeline;
  pipeline.nativeLanes = hostSet()->vectorBits / 32;
  auto steps = passSteps(compiler->ir().getContext(), Phase::Formula, Phase::LLVM, pipeline);
  ASSERT_TRUE(succeeded(steps));
  int planted = 0, found = 0;
  for (size_t guilty = 0; guilty != steps->size(); ++guilty) {
    if ((*steps)[guilty].phase != GetParam())
      continue;
    SCOPED_TRACE((*steps)[guilty].pass + ", pass number " + std::to_string(guilty));
    bool isFound = false;
    for (size_t which = 0; which != kTries && !isFound; ++which) {
      Outcome outcome = verifyWith(*compiler, guilty, which);
      ASSERT_TRUE(outcome.isPlanted) << "nothing to plant";
      ++planted;
      isFound = outcome.isFound;
      found += isFound;
      if (isFound)
        EXPECT_TRUE(outcome.isBlamedRightly) << outcome.what << ", blamed on " << outcome.blamed;
    }
    EXPECT_TRUE(isFound) << "no fault was found";
  }
  std::printf("%d of %d planted faults mattered\n", found, planted);
}

INSTANTIATE_TEST_SUITE_P(Phases, PlantedFaults,
                         testing::Values(Phase::Attn, Phase::Fused, Phase::Tiled, Phase::Vector,
                                         Phase::LLVM),
                         [](const auto &info) { return phaseName(info.param).str(); });

} // namespace
