//===- ProgramVerifier.cpp - evaluates a program after every pass ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/ProgramVerifier.h"

#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace heed;
using namespace heed::verification;

/// Rows that a call brings to a cache that keeps a window: few, so that short texts go around it.
static constexpr int64_t kChunk = 16;

/// A program on its way to the code of one instruction set.
struct ProgramVerifier::Variant {
  const InstructionSet &set;
  OwningOpRef<ModuleOp> module;
  std::vector<PassStep> steps;
  std::optional<WeightTable> weights; ///< once layouts are chosen
  /// The module after each step since the last that was evaluated, itself first.
  std::vector<std::pair<size_t, OwningOpRef<ModuleOp>>> unseen;
};

ProgramVerifier::ProgramVerifier(reference::WeightSource &weights, VerifierOptions options)
    : options(std::move(options)), numbers(weights, this->options.checker) {}

static LogicalResult fail(ModuleOp module, const llvm::Twine &message) {
  return module.emitError(message + " [E0901]");
}

LogicalResult ProgramVerifier::run(ModuleOp formula) {
  if (auto failed = numbers.begin(formula))
    return fail(formula, "nothing can be verified: " + llvm::toString(std::move(failed)));
  if (auto failed = numbers.measureRounding())
    return fail(formula,
                "the formulas can't be evaluated in f32: " + llvm::toString(std::move(failed)));
  std::vector<std::string> checkedPipelines;
  for (const InstructionSet *set : options.sets)
    if (failed(runVariant(formula, *set, checkedPipelines)))
      return failure();
  return success();
}

/// Passes up to the first that differs were the same for the instruction set before, and have been
/// checked then: `checkedPipelines` are the passes of the first.
LogicalResult ProgramVerifier::runVariant(ModuleOp formula, const InstructionSet &set,
                                          std::vector<std::string> &checkedPipelines) {
  PipelineOptions pipeline;
  pipeline.nativeLanes = set.vectorBits / 32;
  pipeline.chunk = kChunk;
  auto steps = passSteps(formula.getContext(), Phase::Formula, Phase::LLVM, pipeline);
  if (failed(steps))
    return fail(formula, "the passes can't be listed");
  if (options.edit)
    options.edit(*steps);
  Variant variant{set, cast<ModuleOp>(formula->clone()), std::move(*steps), std::nullopt, {}};
  bool isFirst = checkedPipelines.empty(), isShared = !isFirst;
  for (auto [number, step] : llvm::enumerate(variant.steps)) {
    if (isFirst)
      checkedPipelines.push_back(step.pipeline);
    isShared =
        isShared && number < checkedPipelines.size() && checkedPipelines[number] == step.pipeline;
    if (failed(runStep(variant, number, isShared)))
      return failure();
    // The weights' declarations go with the first pass of the phase llvm.
    bool isLast = number + 1 == variant.steps.size();
    if (step.phase != Phase::Vector || (!isLast && variant.steps[number + 1].phase == step.phase))
      continue;
    auto table = WeightTable::make(*variant.module, numbers.weightSource());
    if (!table)
      return fail(*variant.module, llvm::toString(table.takeError()));
    variant.weights = std::move(*table);
  }
  return checkCode(variant);
}

LogicalResult ProgramVerifier::runStep(Variant &variant, size_t number, bool isChecked) {
  const PassStep &step = variant.steps[number];
  OwningOpRef<ModuleOp> before = cast<ModuleOp>(variant.module->clone());
  OperationFingerPrint print(*variant.module);
  if (failed(step.run(*variant.module)))
    return fail(*before, "the pass " + step.pass + " failed");
  if (isChecked)
    return success();
  if (print != OperationFingerPrint(*variant.module))
    return checkStep(variant, number, *before);
  records.push_back({step.phase, step.pass, &variant.set, PassRecord::How::Unchanged});
  if (!variant.unseen.empty())
    variant.unseen.emplace_back(number, cast<ModuleOp>(variant.module->clone()));
  return success();
}

LogicalResult ProgramVerifier::checkStep(Variant &variant, size_t number, ModuleOp before) {
  const PassStep &step = variant.steps[number];
  Verdict verdict = numbers.check(*variant.module);
  switch (verdict.kind) {
  case Verdict::Kind::Agrees:
    records.push_back(
        {step.phase, step.pass, &variant.set, PassRecord::How::Evaluated, verdict.worst});
    variant.unseen.clear();
    return success();
  case Verdict::Kind::Unknown:
    if (variant.unseen.empty())
      variant.unseen.emplace_back(number - 1, cast<ModuleOp>(before->clone()));
    variant.unseen.emplace_back(number, cast<ModuleOp>(variant.module->clone()));
    records.push_back({step.phase, step.pass, &variant.set, PassRecord::How::Later});
    return success();
  case Verdict::Kind::Differs:
    // A difference may have come in while the evaluator knew nothing.
    if (variant.unseen.empty())
      return blamePassOf(variant, number, before, *variant.module, verdict.difference);
    variant.unseen.emplace_back(number, cast<ModuleOp>(variant.module->clone()));
    return bisect(variant, verdict);
  }
  return failure();
}

LogicalResult ProgramVerifier::blamePassOf(Variant &variant, size_t step, ModuleOp before,
                                           ModuleOp after, const Difference &difference) {
  const PassStep &guilty = variant.steps[step];
  guiltyStep = step;
  blamed = blamePass(guilty.pass, pipelineText(guilty), before, after, numbers, difference,
                     options.weightsPath);
  report(numbers, *blamed);
  return failure();
}

LogicalResult ProgramVerifier::checkCode(Variant &variant) {
  if (!machineHas(variant.set)) {
    codeRecords.push_back({&variant.set, /*wasRun=*/false});
    return success();
  }
  Verdict verdict =
      checkNatively(*variant.module, variant.set, numbers, *variant.weights, options.native);
  if (verdict.kind == Verdict::Kind::Unknown)
    return fail(*variant.module,
                "no code for " + llvm::Twine(variant.set.name) + ": " + verdict.reason);
  if (verdict.kind == Verdict::Kind::Differs)
    return bisect(variant, verdict);
  codeRecords.push_back({&variant.set, /*wasRun=*/true, verdict.worst});
  return success();
}

/// Finds the pass among those that weren't evaluated: what one of them left is compiled on by
/// passes of the registry and run. The first that gives wrong code is the one; what it was given is
/// right and what all later ones left is wrong, so halves are enough.
LogicalResult ProgramVerifier::bisect(Variant &variant, const Verdict &verdict) {
  Difference last = verdict.difference;
  auto isWrong = [&](size_t number) {
    auto &[step, module] = variant.unseen[number];
    OwningOpRef<ModuleOp> onward = cast<ModuleOp>(module->clone());
    ArrayRef<PassStep> rest = ArrayRef<PassStep>(variant.steps).drop_front(step + 1);
    if (failed(runPipeline(*onward, pipelineText(rest))))
      return true;
    Verdict code = checkNatively(*onward, variant.set, numbers, *variant.weights, options.native);
    if (code.kind == Verdict::Kind::Differs)
      last = code.difference;
    return code.kind != Verdict::Kind::Agrees;
  };
  if (!variant.weights && !variant.unseen.empty()) {
    auto table = WeightTable::make(*variant.unseen.front().second, numbers.weightSource());
    if (table)
      variant.weights = std::move(*table);
    else
      llvm::consumeError(table.takeError()); // layouts aren't chosen yet
  }
  // Where what was evaluated already becomes wrong code, passes can't be told apart.
  if (!variant.weights || variant.unseen.empty() || isWrong(0))
    return blameAllAfter(variant, verdict.difference);
  size_t right = 0, wrong = variant.unseen.size() - 1;
  while (wrong - right > 1) {
    size_t middle = right + (wrong - right) / 2;
    (isWrong(middle) ? wrong : right) = middle;
  }
  return blamePassOf(variant, variant.unseen[wrong].first, *variant.unseen[right].second,
                     *variant.unseen[wrong].second, last);
}

LogicalResult ProgramVerifier::blameAllAfter(Variant &variant, const Difference &difference) {
  ArrayRef<PassStep> suspects;
  ModuleOp before = *variant.module;
  if (!variant.unseen.empty()) {
    suspects = ArrayRef<PassStep>(variant.steps).drop_front(variant.unseen.front().first + 1);
    before = *variant.unseen.front().second;
  }
  std::string names =
      suspects.empty() ? "of LLVM" : "of LLVM or one from " + suspects.front().pass + " on";
  blamed = blamePass(names, pipelineText(suspects), before, *variant.module, numbers, difference,
                     options.weightsPath);
  report(numbers, *blamed);
  return failure();
}
