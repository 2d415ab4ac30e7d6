//===- Compiler.cpp - from a program's text to code, phase by phase -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Pipelines/Compiler.h"

#include "PassFailures.h"

#include "heed/Frontend/MLIRGen.h"
#include "heed/Frontend/Parser.h"
#include "heed/Pipelines/RegisterInterfaces.h"
#include "heed/Runtime/Artifact.h"

#include "mlir/Pass/PassManager.h"

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

using namespace mlir;
using namespace heed;

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  registerInterfaces(registry);
  return registry;
}

Compiler::Compiler(std::string path, std::string text, CompilerOptions options)
    : mainFile(sources.addBuffer(std::move(path), std::move(text))), options(std::move(options)),
      context(makeRegistry(), MLIRContext::Threading::DISABLED) {
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
}

Compiler::~Compiler() = default;

static void show(const heed::DiagnosticEngine &diagnostics) {
  bool colour = isatty(STDERR_FILENO) && !std::getenv("NO_COLOR");
  std::fputs(diagnostics.render(colour).c_str(), stderr);
}

std::optional<std::string> Compiler::syntaxTree() {
  heed::DiagnosticEngine diagnostics(sources);
  ast::File file = parse(sources, mainFile, diagnostics);
  show(diagnostics);
  if (diagnostics.hasErrors())
    return std::nullopt;
  return dumpAst(file);
}

bool Compiler::check(const ModelHeader *header, const FileLoader &loader) {
  heed::DiagnosticEngine diagnostics(sources);
  program = parseAndCheck(sources, mainFile, header, loader, diagnostics);
  show(diagnostics);
  if (!program)
    return false;
  if (program->functions.empty()) {
    std::fprintf(stderr,
                 "%s: error: no function is exported; one is if its parameters' axes are declared "
                 "sizes, such as `size n`\n",
                 std::string(sources.path(mainFile)).c_str());
    return false;
  }
  module = emitModule(context, *program, &sources);
  reached = Phase::Formula;
  return bool(module);
}

/// What attention multiplies in the variant for `set`.
static std::string attentionType(const CompilerOptions &options, const InstructionSet &set) {
  if (!set.has(HEED_AVX512_BF16))
    return "f32";
  // Pairs of keys begin where a task's keys do, which depends on how a text was cut.
  bool isExact = options.precise || options.invariant;
  return options.attentionType == "auto" && isExact ? "f32" : options.attentionType;
}

bool Compiler::runPasses(ModuleOp target, Phase from, Phase to, const InstructionSet &set) {
  PassFailures failures(sources, &context);
  PassManager manager(&context);
  if (options.passManagerFlags) {
    if (failed(applyPassManagerCLOptions(manager)))
      return false;
    applyDefaultTimingPassManagerCLOptions(manager);
  }
  PipelineOptions pipeline;
  pipeline.requireCache = options.requireCache;
  pipeline.cacheType = options.cacheType;
  pipeline.chunk = options.chunk;
  pipeline.invariant = options.invariant;
  pipeline.fuseAttention = options.fuseAttention;
  pipeline.nativeLanes = set.vectorBits / 32;
  pipeline.attentionType = attentionType(options, set);
  pipeline.int8 = !options.precise;
  pipeline.vnni = set.has(HEED_AVX512_VNNI) || set.has(HEED_AVX_VNNI);
  pipeline.bf16 = !options.precise && set.has(HEED_AVX512_BF16);
  if (auto found = options.tiles.find(set.name); found != options.tiles.end())
    pipeline.tiles = found->second;
  buildPipeline(manager, from, to, pipeline);
  failures.watch(manager);
  if (options.instrument)
    options.instrument(manager);
  bool succeeds = succeeded(manager.run(target));
  if (failures.blamesPass()) {
    isInternal = true;
    return false;
  }
  if (succeeds)
    return true;
  if (!failures.blamesProgram()) {
    failures.reportInternal();
    isInternal = true;
  }
  return false;
}

Error Compiler::internalError(const Error &error) {
  isInternal = true;
  return makeError(error.message + "; this is a mistake of the compiler's [E0901]");
}

bool Compiler::runTo(Phase phase) {
  if (!runPasses(*module, reached, phase, *options.sets.front()))
    return false;
  reached = phase;
  return true;
}

bool Compiler::runShown(llvm::function_ref<bool()> work) {
  PassFailures shown(sources, &context);
  return work();
}

std::string Compiler::printed() {
  std::string text;
  llvm::raw_string_ostream out(text);
  OpPrintingFlags flags;
  flags.printNameLocAsPrefix();
  (*module)->print(out, flags);
  out << '\n';
  return text;
}

ErrorOr<std::string> Compiler::code(CodeFormat format, ArtifactUse use) {
  // Everything up to the fused phase is the same for every instruction set.
  if (reached < Phase::Fused && !runTo(Phase::Fused))
    return makeError("");
  CodeGenOptions codeGen;
  codeGen.level = options.level;
  codeGen.invariant = options.invariant;
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> all = makeTargetModule(llvmContext, program->name);
  for (const InstructionSet *set : options.sets) {
    OwningOpRef<ModuleOp> variant = cast<ModuleOp>((*module)->clone());
    if (!runPasses(*variant, Phase::Fused, Phase::Tiled, *set))
      return makeError("");
    {
      PassFailures shown(sources, &context);
      FailureOr<ArtifactInfo> collected = collectArtifactInfo(*variant, program->name);
      if (failed(collected))
        return makeError("");
      artifact = std::move(*collected);
    }
    if (!runPasses(*variant, Phase::Tiled, Phase::LLVM, *set))
      return makeError("");
    std::vector<std::string> entries;
    for (const FunctionInfo &function : artifact.functions)
      entries.push_back(function.entry());
    auto compiled = compileVariant(*variant, llvmContext, *set, entries, codeGen);
    if (!compiled)
      return internalError(compiled.error());
    if (auto appended = appendModule(*all, std::move(*compiled)); !appended)
      return internalError(appended.error());
  }
  if (auto added = addArtifact(*all, artifact, options.sets, use); !added)
    return internalError(added.error());
  auto emitted = emitCode(*all, format, codeGen);
  if (!emitted)
    return internalError(emitted.error());
  return emitted;
}

std::string Compiler::allText() const {
  std::string text;
  for (uint32_t file = 0; file < sources.size(); ++file) {
    text += sources.path(file);
    text += '\0';
    text += sources.text(file);
    text += '\0';
  }
  return text;
}
