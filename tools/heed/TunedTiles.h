//===- TunedTiles.h - what heed tune found on this machine ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TOOLS_HEED_TUNEDTILES_H
#define HEED_TOOLS_HEED_TUNEDTILES_H

#include "heed/Pipelines/Compiler.h"

namespace heed {

/// Makes `options` compile with the tiles that heed tune kept for this processor and the options'
/// instruction sets. Gives them as text, empty where there are none.
ErrorOr<std::string> useTunedTiles(CompilerOptions &options);

} // namespace heed

#endif // HEED_TOOLS_HEED_TUNEDTILES_H
