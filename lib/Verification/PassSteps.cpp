//===- PassSteps.cpp - pipelines, one pass at a time ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/PassSteps.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace heed;
using namespace heed::verification;

/// Calls `each` with the parts of `text` between commas that stand in no brackets.
static void splitAtCommas(StringRef text, llvm::function_ref<void(StringRef)> each) {
  int depth = 0;
  size_t begin = 0;
  for (size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && StringRef("({").contains(text[at]))
      ++depth;
    else if (at < text.size() && StringRef(")}").contains(text[at]))
      --depth;
    else if (at == text.size() || (text[at] == ',' && depth == 0)) {
      if (at != begin)
        each(text.slice(begin, at));
      begin = at + 1;
    }
  }
}

/// The text inside of `anchor(…)`, or nothing where `text` is a pass. Options stand in braces and
/// may have brackets inside.
static std::optional<StringRef> inside(StringRef text) {
  size_t open = text.find_first_of("({");
  if (open == StringRef::npos || text[open] == '{')
    return std::nullopt;
  return text.substr(open + 1).drop_back();
}

/// Appends the passes of `text`, which stands inside of `before … after`.
static void flatten(StringRef text, const std::string &before, const std::string &after,
                    Phase phase, std::vector<PassStep> &steps) {
  splitAtCommas(text, [&](StringRef part) {
    if (std::optional<StringRef> nested = inside(part)) {
      StringRef anchor = part.take_front(part.find('('));
      return flatten(*nested, before + anchor.str() + "(", ")" + after, phase, steps);
    }
    PassStep step{
        phase, part.take_front(part.find('{')).trim().str(), before + part.str() + after, {}};
    step.run = [pipeline = "builtin.module(" + step.pipeline + ")"](ModuleOp module) {
      return runPipeline(module, pipeline);
    };
    steps.push_back(std::move(step));
  });
}

FailureOr<std::vector<PassStep>> verification::passSteps(MLIRContext *context, Phase from, Phase to,
                                                         const PipelineOptions &options) {
  std::vector<PassStep> steps;
  for (Phase phase = from; phase < to;) {
    Phase next = static_cast<Phase>(static_cast<int>(phase) + 1);
    PassManager manager(context, ModuleOp::getOperationName());
    buildPipeline(manager, phase, next, options);
    std::string text;
    llvm::raw_string_ostream out(text);
    for (Pass &pass : manager.getPasses()) {
      pass.printAsTextualPipeline(out);
      out << ',';
    }
    flatten(text, "", "", next, steps);
    phase = next;
  }
  return steps;
}

std::string verification::pipelineText(ArrayRef<PassStep> steps) {
  auto texts = llvm::map_range(steps, [](const PassStep &step) { return step.pipeline; });
  return "builtin.module(" + llvm::join(texts, ",") + ")";
}

StringRef verification::phaseName(Phase phase) {
  static constexpr StringRef kNames[] = {"formula", "attn", "fused", "tiled", "vector", "llvm"};
  return kNames[static_cast<int>(phase)];
}

LogicalResult verification::runPipeline(ModuleOp module, StringRef pipeline) {
  auto manager = parsePassPipeline(pipeline);
  if (failed(manager))
    return failure();
  PassManager runner(module.getContext(), ModuleOp::getOperationName());
  static_cast<OpPassManager &>(runner) = std::move(*manager);
  return runner.run(module);
}
