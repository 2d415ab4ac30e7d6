//===- Header.h - the C header of an artefact -----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TARGET_CPU_HEADER_H
#define HEED_TARGET_CPU_HEADER_H

#include "heed/Support/ErrorOr.h"
#include "heed/Target/CPU/ArtifactInfo.h"

#include <string>

namespace heed {

/// A C99 and C++ header that declares what exportedSymbols lists, and the types they need; it
/// includes nothing of Heed's. Each function's comment gives shapes, sizes, ownership and errors.
ErrorOr<std::string> makeHeader(const ArtifactInfo &info);

} // namespace heed

#endif // HEED_TARGET_CPU_HEADER_H
