//===- Passes.td - passes from attn to attn -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD
#define HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD
