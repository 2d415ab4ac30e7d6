//===- AttnOps.td - the operations -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_IR_ATTNOPS_TD
#define HEED_DIALECT_ATTN_IR_ATTNOPS_TD

include "heed/Dialect/Attn/IR/AttnTypes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Attn_Op<string mnemonic, list<Trait> traits = []> :
    Op<Attn_Dialect, mnemonic, traits>;

include "heed/Dialect/Attn/IR/AttnWeightOps.td"
include "heed/Dialect/Attn/IR/AttnStepOps.td"
include "heed/Dialect/Attn/IR/AttnCacheOps.td"
include "heed/Dialect/Attn/IR/AttnFusedOps.td"

#endif // HEED_DIALECT_ATTN_IR_ATTNOPS_TD
