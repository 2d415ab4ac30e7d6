//===- Passes.td - passes from attn to attn -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD
#define HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def DeriveCachePass : Pass<"attn-derive-cache", "::mlir::func::FuncOp"> {
  let summary = "derives the key/value cache: one step for prompts, chunks and single tokens";
  let description = [{
    A function from tokens `int[n]` to `[n, …]` in which row i depends on tokens
    0 … i alone need not see earlier tokens twice: what its rows read of earlier
    ones is the k operand of each `attn.scores` and the v operand of each
    `attn.weigh`. These become caches, and the function a step that continues a
    context:

    | before | after |
    |---|---|
    | `(tokens)` | `(tokens, past, first, caches…)`: `past` rows were fed before, rows from `first` on are asked for |
    | result `[n, …]` | result `[n - first, …]`, then the caches |
    | the index i of a row, used as a number | `past + i` |
    | n, as a number of keys | `past + n` |
    | keys and values | `attn.cache_append`, then `attn.cache_read` of `past + n` rows |

    A cache is `[layers, heads, ?, width]` (`[layers, ?, width]` without heads);
    layers are the iterations of the loops around the value, and the cache goes
    through them as an iter_arg. A value that several attentions read has one cache.

    Before:
    ```
    func.func @f(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
      …
      %S = attn.scores %Q, %K scale 0.5 : tensor<2x?x4xf32>, tensor<1x?x4xf32> -> tensor<2x?x?xf32>
      %M = attn.mask %S : tensor<2x?x?xf32> {
      ^bb0(%h: index, %i: index, %j: index):
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      }
    ```
    After:
    ```
    func.func @f(%tokens: tensor<?xi32> {heed.arg = "param", heed.name = "tokens"},
        %past: index {heed.arg = "past", …}, %first: index {heed.arg = "first", …},
        %K_cache: tensor<1x1x?x4xf32> {heed.arg = "cache", heed.name = "K"}, …)
        -> (tensor<?x8xf32>, tensor<1x1x?x4xf32>, …) attributes {heed.kind = "step"} {
      …
      %length = arith.addi %past, %n : index
      %K_cache_0 = attn.cache_append %K into %K_cache layer %c0 at %past : …
      %K_1 = attn.cache_read %K_cache_0 layer %c0 length %length : …
      %S = attn.scores %Q, %K_1 scale 0.5 : …
      %M = attn.mask %S : tensor<2x?x?xf32> {
      ^bb0(%h: index, %i: index, %j: index):
        %i_2 = arith.addi %past, %i : index
        %visible = arith.cmpi sle, %j, %i_2 : index
        attn.yield %visible : i1
      }
    ```

    Needs: attention recognised (`attn-recognise`), functions inlined, every dynamic
    size a `tensor.dim` of the parameter.
    Guarantees: each public or private function has `heed.kind`. A function of
    another signature, and without `required` one that is refused, is "plain" and
    otherwise as it was.

    Refusals, errors with `required`:
    * E0701: a mask that doesn't imply `j <= i`, or none; the mask is named as the
      program spells it.
    * E0702: keys or values computed in a loop whose count isn't a constant.
    * E0703: an operation that lets a row read other rows outside attention.
  }];
  let options = [Option<"required", "required", "bool", "false",
    "whether a function from int[n] to [n, …] for which no cache can be derived is an error">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numCaches", "caches", "caches derived">,
    Statistic<"numSteps", "steps", "functions made steps">];
}

def NarrowResultPass : Pass<"attn-narrow-result", "::mlir::func::FuncOp"> {
  let summary = "computes only the rows of the result that are asked for";
  let description = [{
    Moves the slice that a step returns up through row-wise producers
    (`attn.project`, `attn.embed`, linalg ops), as far as nothing else uses their
    results. It stops at loops, whose rows the caches need, and at attention. So a
    prompt whose last row alone is asked for pays for one row of the unembedding.

    Before:
    ```
    %logits = attn.project linear %X, %unembed : tensor<?x8xf32>, … -> tensor<?x32xf32>
    %r = tensor.extract_slice %logits[%first, 0] [%asked, 32] [1, 1]
    ```
    After:
    ```
    %X_0 = tensor.extract_slice %X[%first, 0] [%asked, 8] [1, 1]
    %r = attn.project linear %X_0, %unembed : tensor<?x8xf32>, … -> tensor<?x32xf32>
    ```

    Needs: steps of `attn-derive-cache`, before destinations are added. Functions of
    another kind stay as they are.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numNarrowed", "narrowed", "ops that compute fewer rows">];
}

def LowerCachePass : Pass<"attn-lower-cache", "::mlir::func::FuncOp"> {
  let summary = "makes cache ops slices of the cache";
  let description = [{
    Appending is inserting a slice, reading is extracting one; bufferization then
    stores rows in place and reads the cache where it lies.

    Before:
    ```
    %c1 = attn.cache_append %K into %c0 layer %l at %past : tensor<3x?x64xf32> into tensor<30x3x?x64xf32>
    %Kall = attn.cache_read %c1 layer %l length %len : tensor<30x3x?x64xf32> -> tensor<3x?x64xf32>
    ```
    After:
    ```
    %c1 = tensor.insert_slice %K into %c0[%l, 0, %past, 0] [1, 3, %n, 64] [1, 1, 1, 1]
    %Kall = tensor.extract_slice %c1[%l, 0, 0, 0] [1, 3, %len, 64] [1, 1, 1, 1]
    ```

    Guarantees that no cache op is left.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numAppends", "appends", "appends lowered">,
    Statistic<"numReads", "reads", "reads lowered">];
}

#endif // HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD
