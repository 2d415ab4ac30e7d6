//===- AttnTileOps.td - what is asked of a tile of keys -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Included by AttnOps.td.

def Attn_ClassifyKeysOp : Attn_Op<"classify_keys", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>, Attn_NamedArguments]> {
  let summary = "whether a tile of keys is visible to some lane, and to every lane";
  let description = [{
    Evaluates a mask for L lanes (a lane is one query row of one head, as in
    `attn.online_attention`) and the keys first … first + count - 1:

    ```
    any = mask(heads[l], rows[l], j) for some l and j
    all = mask(heads[l], rows[l], j) for every l and j
    ```

    Tiling asks this of tiles that intervals of the predicate don't decide, of data or of
    remainders, before scores are computed: a tile costs as much as its mask does.

    Constraints:
    * C1: heads and rows are `[L]`; L is static.
    * C2: `mask` is one block that takes (index, index, index), h, i and j, and yields i1.

    Example:
    ```mlir
    %any, %all = attn.classify_keys lanes %heads, %rows keys %j, %count : tensor<32xindex>, tensor<32xindex> mask {
    ^bb0(%h: index, %i: index, %t: index):
      %near = arith.subi %i, %t : index
      %one = arith.constant 1 : index
      %odd = arith.andi %near, %one : index
      %visible = arith.cmpi eq, %odd, %one : index
      attn.yield %visible : i1
    }
    ```
  }];
  let arguments = (ins
    Attn_RankedOf<[Index]>:$heads, Attn_RankedOf<[Index]>:$rows, Index:$first, Index:$count);
  let results = (outs I1:$any, I1:$all);
  let regions = (region SizedRegion<1>:$mask);
  let assemblyFormat = [{
    `lanes` $heads `,` $rows `keys` $first `,` $count `:` type($heads) `,` type($rows)
    `mask` $mask attr-dict
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}
