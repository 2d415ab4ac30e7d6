//===- CodeGen.cpp - from the LLVM dialect to machine code ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/CodeGen.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm-c/Target.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Passes/StandardInstrumentations.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace heed;

static constexpr const char *kTriple = "x86_64-unknown-linux-gnu";

using TargetMachinePtr = std::unique_ptr<llvm::TargetMachine>;

static llvm::CodeGenOptLevel codeGenLevel(unsigned level) {
  static constexpr llvm::CodeGenOptLevel kLevels[] = {
      llvm::CodeGenOptLevel::None, llvm::CodeGenOptLevel::Less, llvm::CodeGenOptLevel::Default,
      llvm::CodeGenOptLevel::Aggressive};
  return kLevels[std::min(level, 3u)];
}

static llvm::OptimizationLevel passLevel(unsigned level) {
  static const llvm::OptimizationLevel kLevels[] = {
      llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1, llvm::OptimizationLevel::O2,
      llvm::OptimizationLevel::O3};
  return kLevels[std::min(level, 3u)];
}

/// A code generator; `set` is null for code that only passes arguments on.
static ErrorOr<TargetMachinePtr> makeTargetMachine(const InstructionSet *set,
                                                   const CodeGenOptions &codeGen) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    llvm::CrashRecoveryContext::Enable();
  });
  std::string error;
  llvm::Triple triple(kTriple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return makeError("this build of LLVM can't make x86-64 code: " + error);
  llvm::TargetOptions options;
  // a*b+c in one instruction: rounded once, and twice as fast. Whether that happens depends on the
  // code around it, which differs between tiles with a mask and without.
  options.AllowFPOpFusion = codeGen.invariant ? llvm::FPOpFusion::Standard : llvm::FPOpFusion::Fast;
  options.FunctionSections = true;
  options.DataSections = true;
  TargetMachinePtr machine(target->createTargetMachine(
      triple, set ? set->cpu : "x86-64", set ? set->targetFeatures : "", options, llvm::Reloc::PIC_,
      std::nullopt, codeGenLevel(codeGen.level)));
  if (!machine)
    return makeError("this build of LLVM can't make x86-64 code");
  return machine;
}

namespace {

/// Collects what LLVM reports while it lives.
class DiagnosticScope {
public:
  explicit DiagnosticScope(llvm::LLVMContext &context) : context(context) {
    context.setDiagnosticHandlerCallBack(
        [](const llvm::DiagnosticInfo *info, void *self) {
          if (info->getSeverity() != llvm::DS_Error)
            return;
          auto &text = static_cast<DiagnosticScope *>(self)->text;
          llvm::raw_string_ostream stream(text);
          llvm::DiagnosticPrinterRawOStream printer(stream);
          if (!text.empty())
            stream << "; ";
          info->print(printer);
        },
        this);
  }
  ~DiagnosticScope() { context.setDiagnosticHandlerCallBack(nullptr); }

  /// Runs `work`. LLVM reports some failures by ending the process; they end here.
  ErrorOr<void> run(llvm::StringRef what, llvm::function_ref<void()> work) {
    llvm::CrashRecoveryContext recovery;
    if (!recovery.RunSafely(work))
      return makeError((what + " crashed in LLVM").str());
    if (!text.empty())
      return makeError((what + " failed: " + text).str());
    return {};
  }

private:
  llvm::LLVMContext &context;
  std::string text;
};

} // namespace

std::unique_ptr<llvm::Module> heed::makeTargetModule(llvm::LLVMContext &context,
                                                     llvm::StringRef name) {
  auto module = std::make_unique<llvm::Module>(name, context);
  module->setTargetTriple(llvm::Triple(kTriple));
  module->setDataLayout(llvm::Triple(kTriple).computeDataLayout());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  return module;
}

std::string heed::variantSymbol(llvm::StringRef entry, const InstructionSet &set) {
  return (entry + "." + set.name).str();
}

/// From MLIR, with MLIR's complaints as the error.
static ErrorOr<std::unique_ptr<llvm::Module>> translate(mlir::ModuleOp module,
                                                        llvm::LLVMContext &context) {
  // Threads share the MLIR context, whose registry and diagnostic handlers are not theirs alone.
  // Optimisation, which takes the time, needs no lock.
  static std::mutex translating;
  std::lock_guard<std::mutex> lock(translating);
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  module.getContext()->appendDialectRegistry(registry);

  std::string complaint;
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error && complaint.empty())
      complaint = diagnostic.str();
    return mlir::success();
  });
  auto translated = mlir::translateModuleToLLVMIR(module, context, "heed");
  if (!translated)
    return makeError("translation to LLVM failed: " + complaint);
  return translated;
}

/// Names the entries for their variant and hides everything else.
static ErrorOr<void> nameSymbols(llvm::Module &module, const InstructionSet &set,
                                 llvm::ArrayRef<std::string> entries) {
  llvm::StringSet<> kept;
  for (const std::string &entry : entries) {
    llvm::Function *function = module.getFunction(entry);
    if (!function || function->isDeclaration())
      return makeError("the compiled program has no function '" + entry + "'");
    function->setName(variantSymbol(entry, set));
    function->setVisibility(llvm::GlobalValue::HiddenVisibility);
    kept.insert(function->getName());
  }
  for (llvm::GlobalValue &value : module.global_values())
    if (!value.isDeclaration() && !kept.contains(value.getName())) {
      value.setVisibility(llvm::GlobalValue::DefaultVisibility);
      value.setLinkage(llvm::GlobalValue::InternalLinkage);
    }
  return {};
}

static void setAttributes(llvm::Module &module, const InstructionSet &set) {
  for (llvm::Function &function : module) {
    // Nothing that generated code calls throws.
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", set.cpu);
    if (*set.targetFeatures)
      function.addFnAttr("target-features", set.targetFeatures);
    function.addFnAttr("prefer-vector-width", llvm::utostr(set.vectorBits));
    function.addFnAttr("no-trapping-math", "true");
  }
}

static void optimise(llvm::Module &module, llvm::TargetMachine &machine,
                     const CodeGenOptions &options) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving = options.level >= 2;
  llvm::PassInstrumentationCallbacks callbacks;
  llvm::StandardInstrumentations instrumentations(module.getContext(), /*DebugLogging=*/false,
                                                  options.verifyEachPass);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  instrumentations.registerCallbacks(callbacks, &modules);
  llvm::PassBuilder builder(&machine, tuning, std::nullopt, &callbacks);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  llvm::OptimizationLevel level = passLevel(options.level);
  llvm::ModulePassManager passes = options.level == 0
                                       ? builder.buildO0DefaultPipeline(level)
                                       : builder.buildPerModuleDefaultPipeline(level);
  passes.run(module, modules);
}

static ErrorOr<void> verify(llvm::Module &module) {
  std::string complaint;
  llvm::raw_string_ostream stream(complaint);
  if (llvm::verifyModule(module, &stream))
    return makeError("the LLVM module is not valid: " + complaint);
  return {};
}

ErrorOr<std::unique_ptr<llvm::Module>>
heed::compileVariant(mlir::ModuleOp source, llvm::LLVMContext &context, const InstructionSet &set,
                     llvm::ArrayRef<std::string> entries, const CodeGenOptions &options) {
  auto machine = makeTargetMachine(&set, options);
  if (!machine)
    return machine.error();
  auto translated = translate(source, context);
  if (!translated)
    return translated.error();
  llvm::Module &module = **translated;
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  if (auto named = nameSymbols(module, set, entries); !named)
    return named.error();
  setAttributes(module, set);
  if (auto valid = verify(module); !valid)
    return valid.error();
  DiagnosticScope diagnostics(context);
  if (auto done = diagnostics.run("optimisation", [&] { optimise(module, **machine, options); });
      !done)
    return done.error();
  return std::move(*translated);
}

ErrorOr<void> heed::appendModule(llvm::Module &into, std::unique_ptr<llvm::Module> from) {
  if (&from->getContext() != &into.getContext()) {
    llvm::SmallString<0> bitcode;
    llvm::raw_svector_ostream stream(bitcode);
    llvm::WriteBitcodeToFile(*from, stream);
    auto moved =
        llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, from->getName()), into.getContext());
    if (!moved)
      return makeError("modules can't be joined: " + llvm::toString(moved.takeError()));
    from = std::move(*moved);
  }
  DiagnosticScope diagnostics(into.getContext());
  bool failed = false;
  auto done = diagnostics.run("joining modules",
                              [&] { failed = llvm::Linker::linkModules(into, std::move(from)); });
  if (done && failed)
    return makeError("modules can't be joined");
  return done;
}

ErrorOr<std::string> heed::emitCode(llvm::Module &module, CodeFormat format,
                                    const CodeGenOptions &options) {
  if (auto valid = verify(module); !valid)
    return valid.error();
  if (format == CodeFormat::LLVM) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module.print(stream, nullptr);
    return text;
  }
  auto machine = makeTargetMachine(nullptr, options);
  if (!machine)
    return machine.error();
  llvm::SmallString<0> code;
  llvm::raw_svector_ostream stream(code);
  DiagnosticScope diagnostics(module.getContext());
  bool refused = false;
  auto done = diagnostics.run("code generation", [&] {
    llvm::legacy::PassManager passes;
    refused = (*machine)->addPassesToEmitFile(passes, stream, nullptr,
                                              format == CodeFormat::Object
                                                  ? llvm::CodeGenFileType::ObjectFile
                                                  : llvm::CodeGenFileType::AssemblyFile);
    if (!refused)
      passes.run(module);
  });
  if (!done)
    return done.error();
  if (refused)
    return makeError("this build of LLVM can't write x86-64 code");
  return std::string(code);
}
