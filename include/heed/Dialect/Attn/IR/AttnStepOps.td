//===- AttnStepOps.td - the steps of one attention -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Included by AttnOps.td. These ops exist on tensors only.
//
// raw -> scaled -> modified -> masked -> normalised: the stages of a score. `scores`
// gives scaled ones, elementwise linalg ops modify them, `mask` comes after every
// modifier, `softmax` normalises.

def Attn_ScoresOp : Attn_Op<"scores", [Pure, Attn_ReifiedShape]> {
  let summary = "scaled dot products of queries and keys";
  let description = [{
    `result[b, h, i, j] = scale * sum[k] q[b, h, i, k] * k[b, h floordiv (H / G), j, k]`

    Without a batch (rank 3) the axis `b` is absent everywhere, without heads (rank 2)
    `h` too. Keys with a batch of 1 are read by the whole batch. Heads whose number is
    known at run time only are a batch: each has keys of its own, or all share one.

    Constraints:
    * C1: q and k have the same rank, 2 to 4, and the result has it too.
    * C2: the last axes of q and k have equal sizes.
    * C3: the heads of q are a multiple of the heads of k; the batch of k is q's or 1.
    * C4: the result is `[batch of q], [heads of q], rows of q, rows of k`.

    Example:
    ```mlir
    %S = attn.scores %Q, %K scale 0.125 : tensor<9x?x64xf32>, tensor<3x?x64xf32> -> tensor<9x?x?xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[F32]>:$q, RankedTensorOf<[F32]>:$k, F64Attr:$scale);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $q `,` $k `scale` custom<PlainF64>($scale) `:` type($q) `,` type($k) `->` type($result) attr-dict
  }];
  let hasVerifier = 1;
}

def Attn_MaskOp : Attn_Op<"mask", [
    Pure, SameOperandsAndResultType, SingleBlockImplicitTerminator<"YieldOp">,
    Attn_ReifiedShape, Attn_NamedArguments]> {
  let summary = "sets scores that may not be seen to -inf";
  let description = [{
    `result[h, i, j] = visible(h, i, j) ? scores[h, i, j] : -inf`

    The region is the predicate: it is given the index of each axis and yields
    whether the element is visible. It may read values from outside. A predicate that
    shows everything folds away.

    Constraints:
    * C1: the region has one argument of type index for each axis of the scores.
    * C2: the region yields one i1.
    * C3: nothing computes with the result but another mask and softmax: a mask comes
      after every modifier.

    Example:
    ```mlir
    %M = attn.mask %S : tensor<9x?x?xf32> {
    ^bb0(%h: index, %i: index, %j: index):
      %visible = arith.cmpi sle, %j, %i : index
      attn.yield %visible : i1
    }
    ```
  }];
  let arguments = (ins RankedTensorOf<[F32]>:$scores);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let regions = (region SizedRegion<1>:$predicate);
  let assemblyFormat = "$scores `:` type($scores) $predicate attr-dict";
  let hasFolder = 1;
  let hasRegionVerifier = 1;
}

def Attn_YieldOp : Attn_Op<"yield", [Pure, ReturnLike, Terminator,
    ParentOneOf<["MaskOp", "AttentionOp", "OnlineAttentionOp", "ClassifyKeysOp", "ProjectOp"]>]> {
  let summary = "gives a region's result";
  let description = [{
    Ends a mask's predicate with an i1, whether the element is visible, and a score
    region with an f32, the modified score; an epilogue with what a projection stores. What
    it must give is a constraint of the op around it.

    Example:
    ```mlir
    %M = attn.mask %S : tensor<?x?xf32> {
    ^bb0(%i: index, %j: index):
      %visible = arith.cmpi sle, %j, %i : index
      attn.yield %visible : i1
    }
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let builders = [OpBuilder<(ins), [{ /* nothing to yield */ }]>];
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Attn_SoftmaxOp : Attn_Op<"softmax", [
    Pure, AllTypesMatch<["scores", "result"]>, Attn_ReifiedShape]> {
  let summary = "normalises scores along one axis: the attention pattern";
  let description = [{
    `result[…, j] = exp(scores[…, j] - m) / sum[j] exp(scores[…, j] - m)`, where m is the
    row's maximum. A row whose scores are all -inf becomes all zeros.

    With `sink`, each row has one more score that takes part in the normalisation and
    has no place in the result: `exp(sink[…] - m)` is added to the sum, and m is the
    maximum of the row and its sink. A sink of -inf changes nothing, and one that is
    -inf for every row canonicalises away.

    Constraints:
    * C1: `dimension` names an axis of the scores.
    * C2: `sink` has the shape of the scores without that axis.

    Example:
    ```mlir
    %A = attn.softmax %M sink %sinks dimension 2 : tensor<9x?x?xf32>, tensor<9x?xf32>
    ```
  }];
  let arguments = (ins
    RankedTensorOf<[F32]>:$scores, Optional<RankedTensorOf<[F32]>>:$sink, I64Attr:$dimension);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $scores (`sink` $sink^)? `dimension` custom<PlainI64>($dimension)
    `:` type($scores) (`,` type($sink)^)? attr-dict
  }];
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
}

def Attn_WeighOp : Attn_Op<"weigh", [Pure, Attn_ReifiedShape]> {
  let summary = "sums of values, weighed by the pattern";
  let description = [{
    `result[b, h, i, v] = sum[j] pattern[b, h, i, j] * values[b, h floordiv (H / G), j, v]`

    Batch and heads are as in `attn.scores`.

    Constraints:
    * C1: pattern and values have the same rank, 2 to 4, and the result has it too.
    * C2: the pattern's last axis is as long as the values have rows.
    * C3: the heads of the pattern are a multiple of the heads of the values; the batch of
      the values is the pattern's or 1.
    * C4: the result is `[batch], [heads], rows of the pattern, last axis of the values`.
    * C5: the pattern isn't scores that `attn.scores` or `attn.mask` gives: those are
      normalised first.

    Example:
    ```mlir
    %Z = attn.weigh %A, %V : tensor<9x?x?xf32>, tensor<3x?x64xf32> -> tensor<9x?x64xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[F32]>:$pattern, RankedTensorOf<[F32]>:$values);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let assemblyFormat = "$pattern `,` $values `:` type($pattern) `,` type($values) `->` type($result) attr-dict";
  let hasVerifier = 1;
}
