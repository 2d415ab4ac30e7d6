//===- AttnTypes.td - weights and their storage -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_IR_ATTNTYPES_TD
#define HEED_DIALECT_ATTN_IR_ATTNTYPES_TD

include "heed/Dialect/Attn/IR/AttnDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

// The bits are those of heed::StorageSet (heed/Weights/StorageType.h).
def Attn_Storage : I32BitEnumAttr<"Storage", "how a weight's elements are stored", [
    I32BitEnumAttrCaseBit<"F32", 0, "f32">, I32BitEnumAttrCaseBit<"F16", 1, "f16">,
    I32BitEnumAttrCaseBit<"BF16", 2, "bf16">, I32BitEnumAttrCaseBit<"Q4_0", 3, "q4_0">,
    I32BitEnumAttrCaseBit<"Q4_1", 4, "q4_1">, I32BitEnumAttrCaseBit<"Q5_0", 5, "q5_0">,
    I32BitEnumAttrCaseBit<"Q5_1", 6, "q5_1">, I32BitEnumAttrCaseBit<"Q8_0", 7, "q8_0">,
    I32BitEnumAttrCaseBit<"Q2_K", 8, "q2_k">, I32BitEnumAttrCaseBit<"Q3_K", 9, "q3_k">,
    I32BitEnumAttrCaseBit<"Q4_K", 10, "q4_k">, I32BitEnumAttrCaseBit<"Q5_K", 11, "q5_k">,
    I32BitEnumAttrCaseBit<"Q6_K", 12, "q6_k">]> {
  let cppNamespace = "::heed::attn";
  let genSpecializedAttr = 0;
}

def Attn_WeightType : TypeDef<Attn_Dialect, "Weight"> {
  let mnemonic = "weight";
  let summary = "a constant tensor in its file's storage";
  let description = [{
    A weight of the given row-major shape whose elements are stored as ggml's
    block formats are: `f32`, `f16`, `bf16`, or blocks of 32 (`q4_0` … `q8_0`) or
    256 (`q2_k` … `q6_k`) elements along the last axis. `q4_k|q6_k` is a weight of
    which some layers are stored in one and some in the other format: the code
    reads one layout in memory that holds both exactly.

    Constraints:
    * C1: there is at least one axis, and every size is positive.
    * C2: 64 bits count the elements, and those of block formats are a multiple of the
      largest block.

    Example: `!attn.weight<9x64x576, q4_1>`
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t">:$shape,
    EnumParameter<Attn_Storage>:$storage);
  let assemblyFormat = "`<` custom<Shape>($shape) `,` $storage `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getShape().size(); }
    /// Elements that are stored together along the last axis; the largest block of several formats.
    int64_t getBlockElements() const;
    /// The tensor that `attn.dequantize` makes of it: the same shape, f32.
    ::mlir::RankedTensorType getDequantizedType() const;
  }];
}

#endif // HEED_DIALECT_ATTN_IR_ATTNTYPES_TD
