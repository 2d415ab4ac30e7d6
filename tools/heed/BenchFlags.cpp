//===- BenchFlags.cpp - what heed bench is asked for ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BenchFlags.h"
#include "CompileFlags.h"

#include "heed/Runtime/Pool.h"

#include "llvm/Support/CommandLine.h"

#include <algorithm>
#include <fmt/format.h>

using namespace heed;
namespace cl = llvm::cl;

static const char kOverview[] =
    "times a program on random input, and beside it what this machine can do: prompts and new\n"
    "tokens of a model that continues texts, calls of any other function\n\n"
    "examples:\n"
    "  heed bench examples/llama.heed -m model.gguf\n"
    "  heed bench examples/llama.heed -m model.gguf -p 512 -n 128 -d 0,2048 -r 5 -t 2 --json\n"
    "  heed bench benchmarks/attention.heed --function causal_12x64 --size n=2048 "
    "--flops 2*12*64*n*n\n"
    "  heed bench examples/bert.heed -m all-MiniLM-L6-v2 --size n=128\n";

namespace {
struct Flags {
  cl::OptionCategory category{"heed bench"};
  cl::opt<std::string> program{cl::Positional, cl::Required, cl::desc("PROGRAM.heed"),
                               cl::cat(category)};
  cl::opt<std::string> weights{"weights", cl::value_desc("FILE"), cl::cat(category),
                               cl::desc("weights file (GGUF or safetensors)")};
  cl::alias weightsShort{"m", cl::aliasopt(weights), cl::desc("the same as --weights"),
                         cl::cat(category)};
  cl::list<std::string> prompts{"p", cl::CommaSeparated, cl::value_desc("N,..."), cl::cat(category),
                                cl::desc("tokens of a prompt; 0: none (512)")};
  cl::list<std::string> generated{"n", cl::CommaSeparated, cl::value_desc("N,..."),
                                  cl::cat(category), cl::desc("new tokens; 0: none (128)")};
  cl::list<std::string> depths{"d", cl::CommaSeparated, cl::value_desc("N,..."), cl::cat(category),
                               cl::desc("tokens of text before, for every test (0)")};
  cl::opt<int64_t> batch{"b", cl::init(512), cl::value_desc("N"), cl::cat(category),
                         cl::desc("tokens of a prompt that are read at once (512)")};
  cl::opt<int64_t> repetitions{"r", cl::init(5), cl::value_desc("N"), cl::cat(category),
                               cl::desc("repetitions of a test, after one that warms up (5)")};
  cl::opt<int> threads{"t", cl::init(0), cl::value_desc("N"), cl::cat(category),
                       cl::desc("1 to 1024 threads; 0: one for each processor (0)")};
  cl::opt<BenchFormat> format{"o", cl::init(BenchFormat::Markdown), cl::cat(category),
                              cl::desc("how to write results:"),
                              cl::values(clEnumValN(BenchFormat::Markdown, "md", "tables"),
                                         clEnumValN(BenchFormat::Json, "json", "JSON"),
                                         clEnumValN(BenchFormat::Csv, "csv", "a line a test"))};
  cl::opt<bool> json{"json", cl::cat(category), cl::desc("the same as -o json")};
  cl::opt<std::string> function{"function", cl::value_desc("NAME"), cl::cat(category),
                                cl::desc("the function to run, if not the first that continues "
                                         "texts, or the first")};
  cl::alias functionShort{"fn", cl::aliasopt(function), cl::desc("the same as --function"),
                          cl::cat(category)};
  cl::list<std::string> sizes{"size", cl::CommaSeparated, cl::value_desc("NAME=N,..."),
                              cl::cat(category), cl::desc("run-time sizes of a function's call")};
  cl::list<std::string> fills{"fill", cl::CommaSeparated, cl::value_desc("NAME=N,..."),
                              cl::cat(category),
                              cl::desc("integer parameters that hold one number throughout; "
                                       "others are random")};
  cl::list<std::string> runs{"runs", cl::CommaSeparated, cl::value_desc("NAME=N,..."),
                             cl::cat(category),
                             cl::desc("integer parameters that count 0, 1, …, N elements each, as "
                                      "the documents of a packed text do")};
  cl::opt<std::string> operations{"flops", cl::value_desc("PRODUCT"), cl::cat(category),
                                  cl::desc("multiplications and additions of a call, as numbers "
                                           "and sizes joined by *: then GFLOP/s are shown")};
  cl::opt<uint64_t> seed{"seed", cl::init(1), cl::value_desc("N"), cl::cat(category),
                         cl::desc("of random tokens and numbers (1)")};
  cl::opt<std::string> cacheType{"cache-type", cl::init("f32"), cl::value_desc("TYPE"),
                                 cl::cat(category),
                                 cl::desc("what caches hold: f32, f16, bf16 or int8")};
  cl::opt<std::string> attentionType{"attention-type", cl::init("auto"), cl::value_desc("TYPE"),
                                     cl::cat(category),
                                     cl::desc("what attention multiplies: f32, bf16, or auto")};
  cl::opt<bool> invariant{"invariant", cl::cat(category),
                          cl::desc("results that don't depend on how a text is split")};
  cl::opt<bool> precise{"precise", cl::cat(category), cl::desc("keep activations in f32")};
  cl::opt<std::string> cpu{"mcpu", cl::value_desc("SETS"), cl::cat(category),
                           cl::desc("instruction sets to compile for (host)")};
};

/// Texts or calls of more than this are no benchmark.
constexpr int64_t kMost = INT32_MAX;

ErrorOr<int64_t> wholeNumber(llvm::StringRef flag, llvm::StringRef text, int64_t least) {
  int64_t value = 0;
  if (text.getAsInteger(10, value) || value < least || value > kMost)
    return makeError(fmt::format("{} is '{}', and a whole number from {} to {} was expected",
                                 flag.str(), text.str(), least, kMost));
  return value;
}

ErrorOr<void> readNumbers(llvm::StringRef flag, const cl::list<std::string> &texts,
                          std::vector<int64_t> &numbers) {
  if (texts.empty())
    return {};
  numbers.clear();
  for (const std::string &text : texts) {
    auto number = wholeNumber(flag, text, 0);
    if (!number)
      return number.error();
    numbers.push_back(*number);
  }
  return {};
}

ErrorOr<void> readNamed(llvm::StringRef flag, const cl::list<std::string> &texts, int64_t least,
                        std::map<std::string, int64_t> &named) {
  for (const std::string &text : texts) {
    auto [name, value] = llvm::StringRef(text).split('=');
    if (name.empty() || value.empty())
      return makeError(
          fmt::format("{} is '{}', and NAME=N was expected, such as n=512", flag.str(), text));
    auto number = wholeNumber((flag + " " + name).str(), value, least);
    if (!number)
      return number.error();
    if (!named.try_emplace(name.str(), *number).second)
      return makeError(fmt::format("{} gives {} twice", flag.str(), name.str()));
  }
  return {};
}
} // namespace

std::string BenchFlags::compilerKey() const {
  return fmt::format("bench {} {}{}{}", compiler.cacheType, compiler.attentionType,
                     compiler.invariant ? " invariant" : "", compiler.precise ? " precise" : "");
}

ErrorOr<BenchFlags> heed::parseBenchFlags(int argc, char **argv) {
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  std::vector<const char *> arguments(argv, argv + argc);
  arguments[0] = "heed bench"; // as the usage line should call it
  cl::ParseCommandLineOptions(argc, arguments.data(), kOverview);

  BenchFlags result;
  result.program = flags.program;
  result.weights = flags.weights;
  result.format = flags.json ? BenchFormat::Json : BenchFormat(flags.format);
  BenchOptions &bench = result.bench;
  for (auto &[flag, texts, numbers] :
       {std::tuple<const char *, cl::list<std::string> &, std::vector<int64_t> &>{
            "-p", flags.prompts, bench.prompts},
        {"-n", flags.generated, bench.generated},
        {"-d", flags.depths, bench.depths}})
    if (auto read = readNumbers(flag, texts, numbers); !read)
      return read.error();
  // A fill may be 0; a size or a run of 0 elements is nothing to time.
  if (auto read = readNamed("--size", flags.sizes, 1, bench.sizes); !read)
    return read.error();
  if (auto read = readNamed("--fill", flags.fills, 0, bench.fills); !read)
    return read.error();
  if (auto read = readNamed("--runs", flags.runs, 1, bench.runs); !read)
    return read.error();
  if (flags.batch < 1 || flags.repetitions < 1)
    return makeError(fmt::format("{} is {}, and at least 1 was expected",
                                 flags.batch < 1 ? "-b" : "-r",
                                 flags.batch < 1 ? flags.batch : flags.repetitions));
  if (flags.threads < 0 || flags.threads > Pool::kMaxThreads)
    return makeError(
        fmt::format("-t is {}, and 0 to {} was expected", int(flags.threads), Pool::kMaxThreads));
  if (auto known = checkCacheType(flags.cacheType); !known)
    return known.error();
  bench.function = flags.function;
  bench.operations = flags.operations;
  bench.batch = flags.batch;
  bench.repetitions = flags.repetitions;
  bench.threads = flags.threads;
  bench.seed = flags.seed;
  bench.precise = flags.precise;
  bench.narrowAttention = flags.attentionType == "bf16";
  result.compiler.cacheType = flags.cacheType;
  if (auto known = checkAttentionType(flags.attentionType, flags.invariant); !known)
    return known.error();
  result.compiler.attentionType = flags.attentionType;
  result.compiler.invariant = flags.invariant;
  result.compiler.precise = flags.precise;
  if (!flags.cpu.empty()) {
    auto sets = parseInstructionSets(flags.cpu);
    if (!sets)
      return sets.error();
    result.compiler.sets = std::move(*sets);
  }
  return result;
}
