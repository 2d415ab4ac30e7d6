//===- Passes.h - the passes of this room ---------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_PASSES_H
#define HEED_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace heed {

#define GEN_PASS_DECL
#include "heed/Conversion/Passes.h.inc"

/// Makes the passes known to pass pipelines by name.
void registerConversions();

#define GEN_PASS_REGISTRATION
#include "heed/Conversion/Passes.h.inc"

} // namespace heed

#endif // HEED_CONVERSION_PASSES_H
