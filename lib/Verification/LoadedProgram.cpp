//===- LoadedProgram.cpp - an artefact that was loaded without a linker ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/LoadedProgram.h"

#include "heed/Runtime/Heed.h"

using namespace heed;
using namespace heed::verification;

/// A function of the runtime's C interface.
#define HEED_FUNCTION(NAME) NamedFunction(#NAME, reinterpret_cast<void *>(&NAME))

/// What an artefact's C functions call.
static const NamedFunction kInterface[] = {
    HEED_FUNCTION(heed_call),           HEED_FUNCTION(heed_last_error),
    HEED_FUNCTION(heed_model_open),     HEED_FUNCTION(heed_model_close),
    HEED_FUNCTION(heed_model_function), HEED_FUNCTION(heed_session_new),
    HEED_FUNCTION(heed_session_free),   HEED_FUNCTION(heed_session_step),
    HEED_FUNCTION(heed_session_length), HEED_FUNCTION(heed_session_truncate)};
#undef HEED_FUNCTION

static heed::Error described(llvm::Error error) {
  return makeError("the JIT failed: " + llvm::toString(std::move(error)));
}

ErrorOr<std::unique_ptr<LoadedProgram>> LoadedProgram::load(llvm::StringRef object) {
  auto loaded = LoadedObject::load(object, kInterface);
  if (!loaded)
    return ::described(loaded.takeError());
  std::unique_ptr<LoadedProgram> program(new LoadedProgram);
  program->code = std::move(*loaded);
  auto found = program->code->find("heed_artifact_export");
  if (!found)
    return ::described(found.takeError());
  program->described = static_cast<const heed_artifact *>(*found);
  return program;
}
