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

/// A tensor or memref of known rank: before and after bufferization.
class Attn_RankedOf<list<Type> elements>
    : AnyTypeOf<[RankedTensorOf<elements>, MemRefOf<elements>], "", "::mlir::ShapedType">;

/// Sizes of results follow from those of operands: --resolve-ranked-shaped-type-result-dims.
defvar Attn_ReifiedShape =
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>;
/// Regions name their arguments as formulas do: %h, %i, %j, and %s for a score.
defvar Attn_NamedArguments =
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>;

class Attn_Op<string mnemonic, list<Trait> traits = []> :
    Op<Attn_Dialect, mnemonic, traits>;

include "heed/Dialect/Attn/IR/AttnWeightOps.td"
include "heed/Dialect/Attn/IR/AttnStepOps.td"
include "heed/Dialect/Attn/IR/AttnCacheOps.td"
include "heed/Dialect/Attn/IR/AttnFusedOps.td"
include "heed/Dialect/Attn/IR/AttnTileOps.td"

#endif // HEED_DIALECT_ATTN_IR_ATTNOPS_TD
