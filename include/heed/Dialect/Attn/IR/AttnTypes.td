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

// The numbers are those of heed::StorageType (heed/Weights/StorageType.h).
def Attn_Storage : I32EnumAttr<"Storage", "how a weight's elements are stored", [
    I32EnumAttrCase<"F32", 0, "f32">, I32EnumAttrCase<"F16", 1, "f16">,
    I32EnumAttrCase<"BF16", 2, "bf16">, I32EnumAttrCase<"Q4_0", 3, "q4_0">,
    I32EnumAttrCase<"Q4_1", 4, "q4_1">, I32EnumAttrCase<"Q5_0", 5, "q5_0">,
    I32EnumAttrCase<"Q5_1", 6, "q5_1">, I32EnumAttrCase<"Q8_0", 7, "q8_0">,
    I32EnumAttrCase<"Q2_K", 8, "q2_k">, I32EnumAttrCase<"Q3_K", 9, "q3_k">,
    I32EnumAttrCase<"Q4_K", 10, "q4_k">, I32EnumAttrCase<"Q5_K", 11, "q5_k">,
    I32EnumAttrCase<"Q6_K", 12, "q6_k">]> {
  let cppNamespace = "::heed::attn";
  let genSpecializedAttr = 0;
}

def Attn_WeightType : TypeDef<Attn_Dialect, "Weight"> {
  let mnemonic = "weight";
  let summary = "a constant tensor in its file's storage";
  let description = [{
    A weight of the given row-major shape whose elements are stored as ggml's
    block formats are: `f32`, `f16`, `bf16`, or blocks of 32 (`q4_0` … `q8_0`) or
    256 (`q2_k` … `q6_k`) elements along the last axis.

    Constraints:
    * C1: there is at least one axis, and every size is positive.
    * C2: 64 bits count the elements, and those of a block format are a multiple of its block.

    Example: `!attn.weight<9x64x576, q4_1>`
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t">:$shape,
    EnumParameter<Attn_Storage>:$storage);
  let assemblyFormat = "`<` custom<Shape>($shape) `,` $storage `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getShape().size(); }
    /// The tensor that `attn.dequantize` makes of it: the same shape, f32.
    ::mlir::RankedTensorType getDequantizedType() const;
  }];
}

#endif // HEED_DIALECT_ATTN_IR_ATTNTYPES_TD
