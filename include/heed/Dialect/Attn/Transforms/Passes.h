//===- Passes.h - passes from attn to attn ---------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_PASSES_H
#define HEED_DIALECT_ATTN_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace heed::attn {

#define GEN_PASS_DECL
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"

/// Makes the passes known to pass pipelines by name.
void registerPasses();

#define GEN_PASS_REGISTRATION
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"

} // namespace heed::attn

#endif // HEED_DIALECT_ATTN_TRANSFORMS_PASSES_H
