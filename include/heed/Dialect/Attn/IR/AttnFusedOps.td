//===- AttnFusedOps.td - one attention as one op, and one tile of it -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Included by AttnOps.td.

def Attn_AttentionOp : Attn_Op<"attention", [
    Pure, Attn_ReifiedShape, Attn_NamedArguments]> {
  let summary = "scores, modifiers, mask, softmax and weighing as one op";
  let description = [{
    ```
    s[b, h, i, j] = score(scale * sum[k] q[b, h, i, k] * k[b, g, j, k], b, h, i, j)
    p[b, h, i, :] = softmax of s[b, h, i, :] over the j with mask(b, h, i, j)
    result[b, h, i, v] = sum[j] p[b, h, i, j] * v[b, g, j, v]      where g = h floordiv (H / G)
    ```

    The scores are never stored. `score` is a region given the scaled score (f32)
    and the indices h, i, j (index; h is 0 without heads) that yields the modified
    score; without it the score stays as it is. `mask` is given h, i, j and yields i1;
    without it everything is visible. A row with nothing visible yields zeros. A
    region that changes nothing canonicalises away. `sink` is that of `attn.softmax`: one more
    score a row that takes weight and has no value.
    With `rows_first` the result is `[b, i, h, v]`, as the output projection reads it.

    With `bf16` q times `scale` (and log2(e), where there is no `score`), k, v and the exponentials
    of a softmax are rounded to bf16 before they are multiplied; sums are f32. Weights are quotients of rounded exponentials and their own
    sum, so they add up to 1. Which score's exponential is 1 is left to the lowering.

    Batch and heads are as in `attn.scores`. Without a batch (rank 3 and less) there is no
    axis b, and the regions aren't given b.

    Constraints:
    * C1: q, k and v have the same rank, 2 to 4.
    * C2: the last axes of q and k are equal; k and v have the same batch, heads and rows.
    * C3: the heads of q are a multiple of the heads of k; the batch of k is q's or 1.
    * C4: the result is `[B], [H], rows of q, last axis of v`, its axes of heads and rows
      exchanged with `rows_first`, which needs heads.
    * C5: `score` is absent or one block that takes (f32, index, index, index) and yields f32;
      `mask` is absent or one block that takes (index, index, index) and yields i1; with a
      batch both take one more index, b, before h.
    * C6: `sink` is `[B], [H], rows of q`.
    * C7: with `bf16` the last axis of q is even: products are taken in pairs.

    Example:
    ```mlir
    %Z = attn.attention %Q, %K, %V scale 0.125 rows_first : tensor<9x?x64xf32>, tensor<3x?x64xf32>, tensor<3x?x64xf32> -> tensor<?x9x64xf32>
    mask {
    ^bb0(%h: index, %i: index, %j: index):
      %visible = arith.cmpi sle, %j, %i : index
      attn.yield %visible : i1
    }
    ```
  }];
  let arguments = (ins
    RankedTensorOf<[F32]>:$q, RankedTensorOf<[F32]>:$k, RankedTensorOf<[F32]>:$v,
    Optional<RankedTensorOf<[F32]>>:$sink, F64Attr:$scale, UnitAttr:$rows_first, UnitAttr:$bf16);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let regions = (region AnyRegion:$score, AnyRegion:$mask);
  let assemblyFormat = [{
    $q `,` $k `,` $v (`sink` $sink^)? `scale` custom<PlainF64>($scale) (`rows_first` $rows_first^)?
    (`bf16` $bf16^)? `:` type($q) `,` type($k) `,` type($v) (`,` type($sink)^)? `->` type($result)
    `` custom<ScoreAndMask>($score, $mask) attr-dict
  }];
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Attn_OnlineAttentionOp : Attn_Op<"online_attention", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, Attn_NamedArguments]> {
  let summary = "folds one tile of keys and values into a running softmax";
  let description = [{
    Works on L lanes at once; a lane is one query row of one head. Everything that
    belongs to lanes has the lane as its last, contiguous axis, so that maximum
    and sum are plain vectors, and keys and values are read as the cache has them:

    ```
    s[t, l]    = score(sum[k] q[k, l] * k[t, k], heads[l], rows[l], start + t)    -inf where not mask(…)
    m'[l]      = max(m[l], max[t] s[t, l])
    p[t, l]    = exp2(s[t, l] - m'[l])
    sum'[l]    = sum[l] * exp2(m[l] - m'[l]) + sum[t] p[t, l]
    acc'[v, l] = acc[v, l] * exp2(m[l] - m'[l]) + sum[t] p[t, l] * v[t, v]
    ```

    `scale` is applied to the dot product before `score`; log2(e) after it, since
    a modifier must see the score in its own unit. Code multiplies by it where m' is
    subtracted, so that the product isn't rounded: scores of some tens, as ALiBi makes
    them, would lose as much accuracy by that as by all else. The running maximum is in
    units of log2. `start` is the index j of the tile's first row, and T is at most
    `key_tile`.

    With `lanes_first` q is `[L, d]` and acc `[L, w]`, and the meaning is the same: the form for
    so few lanes (one token, the heads of a group) that vectors run along components and keys
    instead.

    A q of bf16 holds pairs of components, component `2 c + e` of lane l at `[c, 2 l + e]`. Then
    k is bf16 too, v holds pairs of keys as `attn.pair_rows` makes them, and p is rounded to
    bf16. They are multiplied in pairs of components and of keys (`attn.dot_pairs`), and sum' adds
    up the rounded p. All sums are f32. Where T is odd, the last pair's second key counts for nothing.

    Constraints:
    * C1: q is `[d, L]`, k `[T, d]`, v `[T, w]`, acc `[w, L]`, max, sum, heads and rows `[L]`;
      L is static. With `lanes_first` q is `[L, d]` and acc `[L, w]`; without it q may be bf16,
      `[d / 2, 2 L]`, and then k is bf16 and v bf16, `[ceil(T / 2), 2 w]`.
    * C2: the regions are as in `attn.attention`.
    * C3: acc, max and sum are all tensors, and the three results have their types, or all
      memrefs, and there is no result.
    * C4: `key_tile` is positive and no less than a static T.

    Example:
    ```mlir
    %a, %m, %s = attn.online_attention %q, %k, %v lanes %heads, %rows start %j into %a0, %m0, %s0 scale 0.125 key_tile 64
      : tensor<64x32xf32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<32xindex>, tensor<32xindex>,
        tensor<64x32xf32>, tensor<32xf32>, tensor<32xf32> -> tensor<64x32xf32>, tensor<32xf32>, tensor<32xf32>
    mask {
    ^bb0(%h: index, %i: index, %t: index):
      %visible = arith.cmpi sle, %t, %i : index
      attn.yield %visible : i1
    }
    ```
  }];
  let arguments = (ins
    Attn_RankedOf<[F32, BF16]>:$q, Attn_RankedOf<[F32, BF16]>:$k, Attn_RankedOf<[F32, BF16]>:$v,
    Attn_RankedOf<[Index]>:$heads, Attn_RankedOf<[Index]>:$rows, Index:$start,
    Attn_RankedOf<[F32]>:$acc, Attn_RankedOf<[F32]>:$max, Attn_RankedOf<[F32]>:$sum,
    F64Attr:$scale, I64Attr:$key_tile, UnitAttr:$lanes_first);
  let results = (outs Variadic<RankedTensorOf<[F32]>>:$results);
  let regions = (region AnyRegion:$score, AnyRegion:$mask);
  let extraClassDeclaration = [{
    /// Whether products are of pairs of bf16.
    bool isPaired() {
      return ::mlir::cast<::mlir::ShapedType>(getQ().getType()).getElementType().isBF16();
    }
  }];
  let assemblyFormat = [{
    $q `,` $k `,` $v `lanes` $heads `,` $rows `start` $start `into` $acc `,` $max `,` $sum
    `scale` custom<PlainF64>($scale) `key_tile` custom<PlainI64>($key_tile)
    (`lanes_first` $lanes_first^)? `:` type($q) `,` type($k) `,` type($v) `,` type($heads) `,`
    type($rows) `,` type($acc) `,` type($max) `,` type($sum) (`->` type($results)^)?
    `` custom<ScoreAndMask>($score, $mask) attr-dict
  }];
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}
