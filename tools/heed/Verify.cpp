//===- Verify.cpp - heed verify: evaluates a program after every pass -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "VerifyReport.h"
#include "WeightsHeader.h"

#include "heed/Pipelines/Compiler.h"
#include "heed/Pipelines/RegisterPasses.h"
#include "heed/Verification/FileWeights.h"
#include "heed/Verification/ProgramVerifier.h"

#include "llvm/Support/CommandLine.h"

#include <cstdio>

using namespace heed;
namespace cl = llvm::cl;

static const char kOverview[] =
    "evaluates a program in f64 after every pass, on random and on adversarial inputs, and runs\n"
    "its code: which pass changes what it computes, if any\n\n"
    "examples:\n"
    "  heed verify examples/single_head.heed\n"
    "  heed verify examples/llama.heed -m model.gguf\n"
    "  heed verify examples/starter.heed --steps 500 --mcpu avx2\n"
    "  heed verify examples/starter.heed --json\n";

namespace {
struct Flags {
  cl::OptionCategory category{"heed verify"};
  cl::opt<std::string> program{cl::Positional, cl::Required, cl::desc("PROGRAM.heed"),
                               cl::cat(category)};
  cl::opt<std::string> weights{"weights", cl::value_desc("FILE"), cl::cat(category),
                               cl::desc("weights file (GGUF or safetensors); random weights "
                                        "without")};
  cl::alias weightsShort{"m", cl::aliasopt(weights), cl::desc("the same as --weights"),
                         cl::cat(category)};
  cl::opt<std::string> cpu{"mcpu", cl::value_desc("SETS"), cl::cat(category),
                           cl::desc("instruction sets, with commas between; all of this machine's "
                                    "without")};
  cl::opt<unsigned> level{"O", cl::Prefix, cl::init(2), cl::cat(category),
                          cl::desc("how hard to optimise the code, 0 to 3")};
  cl::opt<unsigned> steps{"steps", cl::init(20), cl::value_desc("MILLIONS"), cl::cat(category),
                          cl::desc("numbers to compute for each function after each pass; inputs "
                                   "that need more are left out (20)")};
  cl::opt<bool> json{"json", cl::cat(category), cl::desc("print the result as JSON")};
};
} // namespace

/// The instruction sets of the flag, or all that this machine has.
static ErrorOr<std::vector<const InstructionSet *>> chosenSets(const std::string &flag) {
  if (!flag.empty())
    return parseInstructionSets(flag);
  std::vector<const InstructionSet *> sets;
  for (const InstructionSet &set : allInstructionSets())
    if (verification::machineHas(set))
      sets.push_back(&set);
  if (sets.empty())
    return hostInstructionSet().error();
  return sets;
}

int heed::verifyCommand(int argc, char **argv) {
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  std::vector<const char *> arguments(argv, argv + argc);
  arguments[0] = "heed verify";
  cl::ParseCommandLineOptions(argc, arguments.data(), kOverview);
  if (flags.level > 3)
    return fail("-O takes 0 to 3, found " + std::to_string(flags.level));
  auto sets = chosenSets(flags.cpu);
  if (!sets)
    return fail(sets.message());
  ErrorOr<std::string> text = readTextFile(flags.program);
  if (!text)
    return fail(text.message());
  auto header = WeightsHeader::openIfNamed(flags.weights);
  if (!header)
    return fail(header.message());
  auto weights = verification::openWeights(flags.weights);
  if (!weights)
    return fail(llvm::toString(weights.takeError()));

  registerPasses();
  CompilerOptions compilerOptions;
  compilerOptions.sets = *sets;
  Compiler compiler(flags.program, std::move(*text), compilerOptions);
  if (!compiler.check(header->get(), readTextFile))
    return kBadInput;
  verification::VerifierOptions options;
  options.sets = *sets;
  options.checker.maxSteps = uint64_t{flags.steps} * 1'000'000;
  options.native.level = flags.level;
  options.weightsPath = flags.weights;
  verification::ProgramVerifier verifier(**weights, std::move(options));
  bool agrees = compiler.runShown([&] { return mlir::succeeded(verifier.run(compiler.ir())); });
  std::string report = flags.json ? jsonReport(verifier, agrees) : textReport(verifier, agrees);
  std::fwrite(report.data(), 1, report.size(), stdout);
  return agrees ? kDone : kInternalError;
}
