//===- Passes.td - passes of this room -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_PASSES_TD
#define HEED_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // HEED_CONVERSION_PASSES_TD
