//===- Artifact.h - writes heed_artifact and the C functions around it ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TARGET_CPU_ARTIFACT_H
#define HEED_TARGET_CPU_ARTIFACT_H

#include "heed/Support/ErrorOr.h"
#include "heed/Target/CPU/ArtifactInfo.h"
#include "heed/Target/CPU/InstructionSet.h"

#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/Module.h"

#include <string>
#include <vector>

namespace heed {

/// The structs of heed/Runtime/Artifact.h as LLVM types. A unit test compares every offset.
struct ArtifactTypes {
  explicit ArtifactTypes(llvm::LLVMContext &context);
  llvm::StructType *weight, *cache, *tensor, *function, *variant, *artifact;
};

/// What a file that holds an artefact is for.
enum class ArtifactUse {
  Object,     ///< .o: linked into a program beside others
  Library,    ///< .so: also opened by dlopen
  Executable, ///< a program of its own
};

/// The constant's symbol: "heed_artifact_<stem>".
std::string artifactSymbol(const ArtifactInfo &info);

/// A C function that an artefact exports.
struct ExportedSymbol {
  enum class Kind {
    Open,            ///< <stem>_open
    Close,           ///< <stem>_close
    LastError,       ///< <stem>_last_error
    SessionNew,      ///< <stem>_<fn>_session, of a step function
    Call,            ///< <stem>_<fn>
    SessionLength,   ///< <stem>_session_length
    SessionTruncate, ///< <stem>_session_truncate
    SessionFree,     ///< <stem>_session_free
  };
  Kind kind;
  std::string name;
  int32_t function = -1; ///< SessionNew, Call: index into ArtifactInfo::functions
};

/// All C functions, in the order of the header; an error where two would have the same name.
ErrorOr<std::vector<ExportedSymbol>> exportedSymbols(const ArtifactInfo &info);

/// What a Library exports: the C functions and `heed_artifact_export`.
ErrorOr<std::vector<std::string>> libraryExports(const ArtifactInfo &info);

/// Adds to `module` the constant that describes `info`, whose code is in the variants for `sets`
/// (best first), and the C functions. In a Library `heed_artifact_export` is another name of the
/// constant, in an Executable `heed_artifact_main`.
ErrorOr<void> addArtifact(llvm::Module &module, const ArtifactInfo &info,
                          llvm::ArrayRef<const InstructionSet *> sets, ArtifactUse use);

} // namespace heed

#endif // HEED_TARGET_CPU_ARTIFACT_H
