//===- LoadedProgram.h - an artefact that was loaded without a linker -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_LOADEDPROGRAM_H
#define HEED_VERIFICATION_LOADEDPROGRAM_H

#include "heed/Runtime/Artifact.h"
#include "heed/Support/ErrorOr.h"
#include "heed/Verification/LoadedObject.h"

namespace heed::verification {

/// A compiled program in this process, linked to the runtime that the process holds.
class LoadedProgram {
public:
  /// Loads an object that Compiler::code made for ArtifactUse::Library.
  static ErrorOr<std::unique_ptr<LoadedProgram>> load(llvm::StringRef object);

  /// What the program says of itself; valid as long as this object.
  const heed_artifact &artifact() const { return *described; }

private:
  std::unique_ptr<LoadedObject> code;
  const heed_artifact *described = nullptr;
};

} // namespace heed::verification

#endif // HEED_VERIFICATION_LOADEDPROGRAM_H
