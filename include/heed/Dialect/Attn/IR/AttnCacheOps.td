//===- AttnCacheOps.td - the keys and values of earlier rows -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Included by AttnOps.td. These ops exist on tensors only.

def Attn_CacheAppendOp : Attn_Op<"cache_append", [
    Pure, AllTypesMatch<["cache", "result"]>, Attn_ReifiedShape]> {
  let summary = "stores this call's rows behind the earlier ones";
  let description = [{
    A cache is `[layers, G, capacity, w]` (`[layers, capacity, w]` without heads).
    `result` is `cache` with `rows[g, i, :]` stored at `[layer, g, past + i, :]`.
    The caller keeps `past + rows` within the capacity.

    Constraints:
    * C1: the rows have rank 2 or 3, and the cache's rank is one more.
    * C2: heads and width of cache and rows are equal.
    * C3: the result has the cache's type.

    Example:
    ```mlir
    %c1 = attn.cache_append %K into %c0 layer %l at %past : tensor<3x?x64xf32> into tensor<30x3x?x64xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[F32]>:$rows, RankedTensorOf<[F32]>:$cache, Index:$layer, Index:$past);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $rows `into` $cache `layer` $layer `at` $past `:` type($rows) `into` type($cache) attr-dict
  }];
  let hasVerifier = 1;
}

def Attn_CacheReadOp : Attn_Op<"cache_read", [Pure, Attn_ReifiedShape]> {
  let summary = "the rows stored so far";
  let description = [{
    `result[g, j, :] = cache[layer, g, j, :]` for j below `length`.

    Constraints:
    * C1: the result has rank 2 or 3, and the cache's rank is one more.
    * C2: heads and width of cache and result are equal.
    * C3: the result's row axis is dynamic.

    Example:
    ```mlir
    %Kall = attn.cache_read %c1 layer %l length %len : tensor<30x3x?x64xf32> -> tensor<3x?x64xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[F32]>:$cache, Index:$layer, Index:$length);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let assemblyFormat = "$cache `layer` $layer `length` $length `:` type($cache) `->` type($result) attr-dict";
  let hasVerifier = 1;
}
