//===- Passes.h - the passes of this room ---------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TRANSFORMS_PASSES_H
#define HEED_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace heed {

#define GEN_PASS_DECL
#include "heed/Transforms/Passes.h.inc"

/// Makes the passes known to pass pipelines by name.
void registerTransforms();

#define GEN_PASS_REGISTRATION
#include "heed/Transforms/Passes.h.inc"

} // namespace heed

#endif // HEED_TRANSFORMS_PASSES_H
