//===- AttnCacheOps.td - the keys and values of earlier rows -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Included by AttnOps.td. These ops exist on tensors only.

def Attn_CacheTensor : RankedTensorOf<[F32, F16, BF16, I8]>;

def Attn_CacheAppendOp : Attn_Op<"cache_append", [
    Pure, InferTypeOpAdaptor, Attn_ReifiedShape]> {
  let summary = "stores this call's rows behind the earlier ones";
  let description = [{
    A cache is `[layers, G, capacity, w]` (`[layers, capacity, w]` without heads).
    `result` is `cache` with `rows[g, i, :]` stored at `[layer, g, (past + i) mod capacity, :]`.
    A cache of a static capacity is a ring, whose oldest rows are overwritten; the
    caller keeps the rows of one call within it. Where the capacity is dynamic it holds
    a whole context: the caller keeps `past + rows` within it, and nothing wraps.

    Rows are rounded to the cache's element type, to the nearest and ties to even. A
    cache of i8 has `scales`, `[layers, G, capacity, 1]`: a row r is stored as
    scale = max |r| / 127 and round(r / scale), and the second result is the new scales.

    Constraints:
    * C1: the rows have rank 2 or 3, and the cache's rank is one more.
    * C2: heads and width of cache and rows are equal.
    * C3: there are scales exactly where the cache is of i8; they are f32 and of the
      cache's shape but for a width of 1.

    Example:
    ```mlir
    %c1 = attn.cache_append %K into %c0 layer %l at %past : tensor<3x?x64xf32> into tensor<30x3x?x64xf32>
    %r1 = attn.cache_append %K into %r0 layer %l at %past : tensor<3x?x64xf32> into tensor<30x3x1024x64xf16>
    %q1, %s1 = attn.cache_append %K into %q0 scales %s0 layer %l at %past : tensor<3x?x64xf32> into tensor<30x3x?x64xi8>, tensor<30x3x?x1xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[F32]>:$rows, Attn_CacheTensor:$cache,
    Optional<RankedTensorOf<[F32]>>:$scales, Index:$layer, Index:$past);
  let results = (outs Attn_CacheTensor:$result, Optional<RankedTensorOf<[F32]>>:$new_scales);
  let assemblyFormat = [{
    $rows `into` $cache (`scales` $scales^)? `layer` $layer `at` $past
    `:` type($rows) `into` type($cache) (`,` type($scales)^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Attn_CacheReadOp : Attn_Op<"cache_read", [Pure, Attn_ReifiedShape]> {
  let summary = "the rows stored so far";
  let description = [{
    `result[g, j, :] = cache[layer, g, j mod capacity, :]` for j below `length`, times
    `scales[layer, g, j mod capacity, 0]` where there are scales. In a ring, rows that were
    overwritten read as the ones that took their place; a mask must hide them.

    Constraints:
    * C1: the result has rank 2 or 3, and the cache's rank is one more.
    * C2: heads and width of cache and result are equal.
    * C3: the result's row axis is dynamic.
    * C4: there are scales exactly where the cache is of i8; they are f32 and of the
      cache's shape but for a width of 1.

    Example:
    ```mlir
    %Kall = attn.cache_read %c1 layer %l length %len : tensor<30x3x?x64xf32> -> tensor<3x?x64xf32>
    %Kwide = attn.cache_read %q1 scales %s1 layer %l length %len : tensor<30x3x?x64xi8>, tensor<30x3x?x1xf32> -> tensor<3x?x64xf32>
    ```
  }];
  let arguments = (ins Attn_CacheTensor:$cache, Optional<RankedTensorOf<[F32]>>:$scales,
    Index:$layer, Index:$length);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $cache (`scales` $scales^)? `layer` $layer `length` $length
    `:` type($cache) (`,` type($scales)^)? `->` type($result) attr-dict
  }];
  let hasVerifier = 1;
}
