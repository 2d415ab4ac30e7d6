//===- AttnDialect.td - the attention dialect -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_IR_ATTNDIALECT_TD
#define HEED_DIALECT_ATTN_IR_ATTNDIALECT_TD

include "mlir/IR/OpBase.td"

def Attn_Dialect : Dialect {
  let name = "attn";
  let cppNamespace = "::heed::attn";
  let summary = "attention as the chapter tells it: project, scores, mask, softmax, weigh";
  let description = [{
    The `attn` dialect holds what a transformer does with its context, one op for
    each step that a reader would name. It exists at four levels, each lower one
    being what a pass makes of the one above:

    1. `project`, `scores`, `mask`, `softmax`, `weigh`: the attention of one
       formula, step by step;
    2. `cache_append` and `cache_read`: the keys and values of earlier rows;
    3. `attention`: the steps of one attention fused, its scores never stored;
    4. `online_attention`: one tile of keys folded into a running maximum, sum
       and accumulator.

    Everything elementwise (norms, activations, rotations, residuals) stays in
    `linalg`, `arith` and `math`.

    **Heads.** Tensors of heads have the head as their leading axis: queries
    `[h, i, k]`, keys `[g, j, k]`, values `[g, j, v]`. Where `h` is a multiple of
    `g`, query head `h` reads key head `h floordiv (H / G)`: grouped and
    multi-query attention need no copies. Without heads the leading axis is
    absent.

    **Weights** are not tensors but values of `!attn.weight`: they are constant,
    they stay in their file's block-quantised storage, and how they lie in memory
    is decided once for the whole program.
  }];
  // Shapes of results are reified in terms of the operands' sizes.
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

#endif // HEED_DIALECT_ATTN_IR_ATTNDIALECT_TD
