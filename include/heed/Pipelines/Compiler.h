//===- Compiler.h - from a program's text to code, phase by phase -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_PIPELINES_COMPILER_H
#define HEED_PIPELINES_COMPILER_H

#include "heed/Frontend/Frontend.h"
#include "heed/Pipelines/Pipelines.h"
#include "heed/Target/CPU/Artifact.h"
#include "heed/Target/CPU/CodeGen.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <map>

namespace heed {

/// How to compile a program.
struct CompilerOptions {
  std::vector<const InstructionSet *> sets; ///< the code's variants, best first; not empty
  unsigned level = 2;                       ///< 0 … 3, as of -O
  bool requireCache = false;                ///< refuse functions that can't continue a text
  std::string cacheType = "f32";            ///< what caches hold: f32, f16, bf16 or int8
  int64_t chunk = 512;    ///< the most tokens that a call brings to a cache that keeps a window
  bool invariant = false; ///< a row's result doesn't depend on how a text is split into calls
  bool precise = false;   ///< keep activations in f32, whatever the weights are stored in
  std::string attentionType = "auto"; ///< what attention multiplies: f32, bf16, or auto (bf16 where
                                      ///< rows are rounded, unless invariant or precise)
  bool fuseAttention = true;          ///< else attention's steps are computed one by one
  /// Tiles of products, as attn-choose-tiles takes them, for instruction sets by name.
  std::map<std::string, std::vector<std::string>> tiles;
  bool passManagerFlags = false; ///< heed MLIR's --mlir-print-ir-… and --mlir-timing, which the
                                 ///< tool must have registered
  std::function<void(mlir::PassManager &)> instrument; ///< where set, sees every pass manager
};

/// One program on its way to code. Call the steps in order; each prints what is wrong on standard
/// error, with the place in the program, and says whether it went well.
class Compiler {
public:
  Compiler(std::string path, std::string text, CompilerOptions options);
  ~Compiler();

  /// The syntax tree as --emit=ast shows it; nothing where the text doesn't parse.
  std::optional<std::string> syntaxTree();
  /// Checks the program against the weights' header (null: none) and builds its formula IR.
  bool check(const ModelHeader *header, const FileLoader &loader);
  /// Runs passes up to `phase`, for the first instruction set.
  bool runTo(Phase phase);
  /// The IR of the phase reached last, with the program's names.
  std::string printed();
  /// The same as a module; null before `check`.
  mlir::ModuleOp ir() const { return *module; }
  /// Runs `work`, and shows what it reports with the lines of the program.
  bool runShown(llvm::function_ref<bool()> work);
  /// Code for all instruction sets: LLVM IR, assembly or object files joined in one module.
  ErrorOr<std::string> code(CodeFormat format, ArtifactUse use);
  /// Whether the step that failed did so by a mistake of the compiler's.
  bool failedInternally() const { return isInternal; }
  /// What the artefact says of itself; known once `code` was called.
  const ArtifactInfo &info() const { return artifact; }
  /// The text of the program and of every file that it uses, for the cache's key.
  std::string allText() const;

private:
  bool runPasses(mlir::ModuleOp module, Phase from, Phase to, const InstructionSet &set);
  Error internalError(const Error &error);

  SourceManager sources;
  uint32_t mainFile;
  CompilerOptions options;
  mlir::MLIRContext context;
  std::optional<program::Program> program;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Phase reached = Phase::Formula;
  ArtifactInfo artifact;
  bool isInternal = false;
};

} // namespace heed

#endif // HEED_PIPELINES_COMPILER_H
