//===- CompileFlags.cpp - what heed compile is asked for -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompileFlags.h"
#include "TunedTiles.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"

using namespace heed;
namespace cl = llvm::cl;

static const char kOverview[] =
    "compiles a program to an object (.o), a library (.so with a C header) or an executable\n\n"
    "examples:\n"
    "  heed compile examples/llama.heed --weights model.gguf -o llama.so\n"
    "  heed compile examples/llama.heed --weights model.gguf -o llama\n"
    "  heed compile examples/single_head.heed --emit=attn\n"
    "  heed compile examples/llama.heed --weights model.gguf --mcpu=avx2,avx512 -o llama.so\n";

namespace {
/// The flags, apart from the global ones that MLIR registers.
struct Flags {
  cl::OptionCategory category{"heed compile"};
  cl::opt<std::string> program{cl::Positional, cl::Required, cl::desc("PROGRAM.heed"),
                               cl::cat(category)};
  cl::opt<std::string> weights{"weights", cl::value_desc("FILE"), cl::cat(category),
                               cl::desc("weights file (GGUF or safetensors) that sizes, names and "
                                        "storage are read from")};
  cl::alias weightsShort{"m", cl::aliasopt(weights), cl::desc("the same as --weights"),
                         cl::cat(category)};
  cl::opt<std::string> output{"o", cl::value_desc("FILE"), cl::cat(category),
                              cl::desc("what to write; .o, .so or .ll, .s say what it is, any "
                                       "other name is an executable")};
  cl::opt<Emit> emit{
      "emit", cl::cat(category), cl::desc("stop at a phase and print it, or say what to write:"),
      cl::values(clEnumValN(Emit::Ast, "ast", "the syntax tree"),
                 clEnumValN(Emit::Formula, "formula", "formulas as linalg"),
                 clEnumValN(Emit::Attn, "attn", "projections, scores, mask, softmax, weighing"),
                 clEnumValN(Emit::Fused, "fused", "one op an attention, caches derived"),
                 clEnumValN(Emit::Tiled, "tiled", "tiles of attention, layouts of weights"),
                 clEnumValN(Emit::Vector, "vector", "loops of vector code"),
                 clEnumValN(Emit::LLVM, "llvm", "the LLVM dialect"),
                 clEnumValN(Emit::LLVMIR, "llvmir", "optimised LLVM IR"),
                 clEnumValN(Emit::Assembly, "asm", "assembly"),
                 clEnumValN(Emit::Object, "obj", "an object file"),
                 clEnumValN(Emit::Library, "lib", "a shared library and its C header"),
                 clEnumValN(Emit::Executable, "exe", "an executable"))};
  cl::opt<std::string> cpu{"mcpu", cl::init("host"), cl::value_desc("SETS"), cl::cat(category),
                           cl::desc("instruction sets, all in one file and chosen at load: host, "
                                    "avx2, avx512, or several with commas")};
  cl::opt<unsigned> level{"O", cl::Prefix, cl::init(2), cl::cat(category),
                          cl::desc("how hard to optimise, 0 to 3")};
  cl::opt<std::string> cacheType{
      "cache-type", cl::init("f32"), cl::cat(category),
      cl::desc("what caches hold: f32, f16, bf16 or int8 (with a scale for each row and head)")};
  cl::opt<int64_t> chunk{
      "chunk", cl::init(512), cl::value_desc("N"), cl::cat(category),
      cl::desc("tokens read at once by a model that sees a window of its text: fewer take less "
               "memory, more read prompts faster")};
  cl::opt<bool> requireCache{"require-cache", cl::cat(category),
                             cl::desc("refuse functions for which no cache can be derived")};
  cl::opt<bool> invariant{"invariant", cl::cat(category),
                          cl::desc("make results the same, bit by bit, however a text is split "
                                   "into calls and whatever else is in a batch")};
  cl::opt<bool> precise{
      "precise", cl::cat(category),
      cl::desc("keep activations in f32; else those that meet quantised weights "
               "are rounded to 8 bits, and those that meet bf16 to bf16, where the "
               "processor multiplies such")};
  cl::opt<std::string> attentionType{
      "attention-type", cl::init("auto"), cl::value_desc("TYPE"), cl::cat(category),
      cl::desc("what attention multiplies where the processor multiplies bf16: f32, bf16, or auto, "
               "which is bf16 where activations are rounded for a function's weights")};
  cl::opt<bool> tuned{"tuned", cl::cat(category),
                      cl::desc("cut products as heed tune found best on this machine; else as the "
                               "cost model says, and the same on every machine")};
  cl::opt<bool> verifyNumerically{"verify-each-numerically", cl::cat(category),
                                  cl::desc("evaluate the program after each pass, and say which "
                                           "one changed what it computes; slow")};
};
} // namespace

std::optional<Phase> CompileFlags::phase() const {
  switch (emit) {
  case Emit::Formula:
    return Phase::Formula;
  case Emit::Attn:
    return Phase::Attn;
  case Emit::Fused:
    return Phase::Fused;
  case Emit::Tiled:
    return Phase::Tiled;
  case Emit::Vector:
    return Phase::Vector;
  case Emit::LLVM:
    return Phase::LLVM;
  default:
    return std::nullopt;
  }
}

ErrorOr<void> heed::checkCacheType(llvm::StringRef name) {
  if (llvm::is_contained({"f32", "f16", "bf16", "int8"}, name))
    return {};
  return makeError("--cache-type is '" + name.str() + "', and f32, f16, bf16 or int8 was expected");
}

ErrorOr<void> heed::checkAttentionType(llvm::StringRef name, bool invariant) {
  if (!llvm::is_contained({"auto", "f32", "bf16"}, name))
    return makeError("--attention-type is '" + name.str() +
                     "', and auto, f32 or bf16 was expected");
  if (invariant && name == "bf16")
    return makeError("--invariant needs attention in f32, found --attention-type bf16");
  return {};
}

ErrorOr<CompileFlags> heed::parseCompileFlags(int argc, char **argv) {
  Flags flags;
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
  cl::HideUnrelatedOptions(flags.category);
  std::vector<const char *> arguments(argv, argv + argc);
  arguments[0] = "heed compile"; // as the usage line should call it
  cl::ParseCommandLineOptions(argc, arguments.data(), kOverview);
  CompileFlags result;
  result.program = flags.program;
  result.weights = flags.weights;
  result.output = flags.output;
  result.options.level = flags.level;
  result.options.requireCache = flags.requireCache;
  result.options.invariant = flags.invariant;
  result.options.precise = flags.precise;
  result.options.passManagerFlags = true;
  result.verifyNumerically = flags.verifyNumerically;
  if (auto known = checkCacheType(flags.cacheType); !known)
    return known.error();
  result.options.cacheType = flags.cacheType;
  if (auto known = checkAttentionType(flags.attentionType, flags.invariant); !known)
    return known.error();
  result.options.attentionType = flags.attentionType;
  if (flags.chunk < 1 || flags.chunk > (int64_t(1) << 20))
    return makeError("--chunk takes 1 to 1048576, found " + std::to_string(flags.chunk));
  result.options.chunk = flags.chunk;
  if (flags.level > 3)
    return makeError("-O takes 0 to 3, found " + std::to_string(flags.level));
  auto sets = parseInstructionSets(flags.cpu);
  if (!sets)
    return sets.error();
  result.options.sets = std::move(*sets);
  if (flags.tuned)
    if (auto tiles = useTunedTiles(result.options); !tiles)
      return tiles.error();
  llvm::StringRef extension = llvm::sys::path::extension(result.output);
  if (flags.emit.getNumOccurrences())
    result.emit = flags.emit;
  else if (result.output.empty())
    return makeError("nothing to write: name a file with -o, or a phase to print with --emit");
  else
    result.emit = extension == ".o"    ? Emit::Object
                  : extension == ".so" ? Emit::Library
                  : extension == ".s"  ? Emit::Assembly
                  : extension == ".ll" ? Emit::LLVMIR
                                       : Emit::Executable;
  bool isBinary = result.emit >= Emit::Object;
  if (isBinary && result.output.empty())
    return makeError("no file to write: name one with -o");
  return result;
}
