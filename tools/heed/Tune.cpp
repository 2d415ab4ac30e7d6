//===- Tune.cpp - heed tune -----------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "WeightsHeader.h"

#include "heed/Dialect/Attn/Transforms/ProductKind.h"
#include "heed/Pipelines/Compiler.h"
#include "heed/Pipelines/RegisterPasses.h"
#include "heed/Runtime/Pool.h"
#include "heed/Tuning/ProductTuning.h"
#include "heed/Tuning/TileFile.h"
#include "heed/Verification/NativeCheck.h"

#include "llvm/Support/CommandLine.h"

#include <cstdio>
#include <fmt/format.h>

using namespace heed;
namespace cl = llvm::cl;

static const char kOverview[] =
    "measures how this machine's products of many rows are best cut into tiles, for each kind of\n"
    "product that a program has, and keeps the best for generate, embed and bench. Without it the\n"
    "compiler's cost model chooses. Results don't change, only time does.\n\n"
    "examples:\n"
    "  heed tune examples/llama.heed -m model.gguf\n"
    "  heed tune examples/bert.heed -m all-MiniLM-L6-v2 --rows 128 -t 2\n"
    "  heed tune examples/llama.heed -m model.gguf --candidates 5 --dry-run\n";

namespace {
struct Flags {
  cl::OptionCategory category{"heed tune"};
  cl::opt<std::string> program{cl::Positional, cl::Required, cl::desc("PROGRAM.heed"),
                               cl::cat(category)};
  cl::opt<std::string> weights{"weights", cl::value_desc("FILE"), cl::cat(category),
                               cl::desc("weights file (GGUF or safetensors): sizes and storage are "
                                        "its")};
  cl::alias weightsShort{"m", cl::aliasopt(weights), cl::desc("the same as --weights"),
                         cl::cat(category)};
  cl::opt<std::string> cpu{"mcpu", cl::init("host"), cl::value_desc("SET"), cl::cat(category),
                           cl::desc("the instruction set to measure (host)")};
  cl::opt<bool> precise{"precise", cl::cat(category), cl::desc("keep activations in f32")};
  cl::opt<int> threads{"t", cl::init(0), cl::value_desc("N"), cl::cat(category),
                       cl::desc("1 to 1024 threads; 0: one for each processor (0)")};
  cl::opt<int> rows{"rows", cl::init(512), cl::value_desc("N"), cl::cat(category),
                    cl::desc("rows of a product: tokens of a prompt, of a batch (512)")};
  cl::opt<int> candidates{"candidates", cl::init(20), cl::value_desc("N"), cl::cat(category),
                          cl::desc("tiles that are measured of each kind, 1 to 20 (20)")};
  cl::opt<int> rounds{"r", cl::init(15), cl::value_desc("N"), cl::cat(category),
                      cl::desc("how often each is timed (15)")};
  cl::opt<bool> all{"all", cl::cat(category), cl::desc("show the time of every tile")};
  cl::opt<bool> dryRun{"dry-run", cl::cat(category), cl::desc("keep nothing, only show")};
};

ErrorOr<tuning::TuningOptions> tuningOptions(const Flags &flags) {
  tuning::TuningOptions options;
  auto sets = parseInstructionSets(flags.cpu);
  if (!sets)
    return sets.error();
  if (sets->size() != 1)
    return makeError("--mcpu names " + std::to_string(sets->size()) +
                     " instruction sets, and one was expected");
  options.set = sets->front();
  if (!verification::machineHas(*options.set))
    return makeError(
        fmt::format("--mcpu is {}, which this machine hasn't: tiles are measured where "
                    "they are used",
                    options.set->name));
  for (auto [flag, value, least, most] :
       {std::tuple("-t", int(flags.threads), 0, Pool::kMaxThreads),
        {"--rows", int(flags.rows), 1, 1 << 16},
        {"--candidates", int(flags.candidates), 1, 20},
        {"-r", int(flags.rounds), 3, 1000}})
    if (value < least || value > most)
      return makeError(
          fmt::format("{} is {}, and {} to {} was expected", flag, value, least, most));
  options.precise = flags.precise;
  options.threads = flags.threads;
  options.rows = flags.rows;
  options.candidates = flags.candidates;
  options.rounds = flags.rounds;
  return options;
}

/// The kinds of products of the program that the flags name.
ErrorOr<std::vector<tuning::Product>>
productsOf(const Flags &flags, const tuning::TuningOptions &options, ExitCode &code) {
  ErrorOr<std::string> text = readTextFile(flags.program);
  if (!text)
    return text.error();
  auto header = WeightsHeader::openIfNamed(flags.weights);
  if (!header)
    return header.error();
  CompilerOptions compilerOptions;
  compilerOptions.sets = {options.set};
  compilerOptions.precise = options.precise;
  Compiler compiler(flags.program, std::move(*text), compilerOptions);
  if (!compiler.check(header->get(), readTextFile) || !compiler.runTo(Phase::Tiled)) {
    code = compiler.failedInternally() ? kInternalError : kBadInput;
    return makeError("");
  }
  return tuning::productsOf(compiler.ir());
}
} // namespace

int heed::tuneCommand(int argc, char **argv) {
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  std::vector<const char *> arguments(argv, argv + argc);
  arguments[0] = "heed tune";
  cl::ParseCommandLineOptions(argc, arguments.data(), kOverview);
  auto options = tuningOptions(flags);
  if (!options)
    return fail(options.message());
  registerPasses();
  ExitCode code = kBadInput;
  auto products = productsOf(flags, *options, code);
  if (!products)
    return fail(products.message(), code);
  auto file = tuning::TileFile::ofHost(*options->set);
  if (!file)
    return fail(file.message());
  std::printf("%-28s %10s %10s %8s %8s\n", "product", "model", "best", "gain", "ms");
  for (const tuning::Product &product : *products) {
    auto tuned = tuning::tune(product, *options);
    if (!tuned)
      return fail(tuned.message(), kInternalError);
    std::printf("%-28s %10s %10s %8.3f %8.3f\n", product.kind.c_str(),
                attn::printTile(tuned->model).c_str(), attn::printTile(tuned->best).c_str(),
                tuned->gain, tuned->milliseconds);
    if (flags.all)
      for (const auto &[tile, milliseconds] : tuned->all)
        std::printf("%-28s %21s %17.3f\n", "", attn::printTile(tile).c_str(), milliseconds);
    std::fflush(stdout);
    file->set(product.kind, tuned->best, tuned->gain);
  }
  if (flags.dryRun)
    return kDone;
  if (auto written = file->write(); !written)
    return fail(written.message());
  std::printf("kept in %s\n", file->path().c_str());
  return kDone;
}
