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

def Attn_PairRowsOp : Attn_Op<"pair_rows", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "rounds rows to bf16 and puts each two of them side by side";
  let description = [{
    ```
    into[p, 2 c + e] = bf16(rows[min(2 p + e, n - 1), c])      for e in 0 and 1, of n rows
    ```

    The rows are values, and a pair is what `attn.dot_pairs` multiplies by the weights of two keys.
    An odd last row is its own neighbour, so that whatever weight it gets is finite times finite.

    Constraints:
    * C1: rows is `[n, w]` and into `[ceil(n / 2), 2 w]`; w is static.
    * C2: rows and into are both tensors, and the result has into's type, or both memrefs, and
      there is no result.

    Example:
    ```mlir
    %0 = attn.pair_rows %v into %into : tensor<?x64xf32>, tensor<?x128xbf16> -> tensor<?x128xbf16>
    ```
  }];
  let arguments = (ins Attn_RankedOf<[F32]>:$rows, Attn_RankedOf<[BF16]>:$into);
  let results = (outs Variadic<RankedTensorOf<[BF16]>>:$results);
  let assemblyFormat = [{
    $rows `into` $into `:` type($rows) `,` type($into) (`->` type($results)^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Attn_AnnounceOp : Attn_Op<"announce", [MemoryEffects<[MemWrite]>]> {
  let summary = "says what a task reads of a weight first";
  let description = [{
    The task in which the op stands begins with reading `bytes` bytes of the packed weight
    from byte `offset` on. It computes nothing. What a thread will run next is known before
    it may run it, so a thread that waits can ask memory for those bytes.

    That it counts as a write keeps it where it is; nothing is written.

    Constraints:
    * C1: `bytes` is positive.

    Example:
    ```mlir
    attn.announce %Wq[%offset], 23040 : !attn.weight<9x64x576, q4_1>
    ```
  }];
  let arguments = (ins Attn_WeightType:$weight, Index:$offset, I64Attr:$bytes);
  let assemblyFormat = "$weight `[` $offset `]` `,` $bytes `:` qualified(type($weight)) attr-dict";
  let hasVerifier = 1;
}

def Attn_PrefetchOp : Attn_Op<"prefetch", [MemoryEffects<[MemWrite]>]> {
  let summary = "asks memory for a part of a weight";
  let description = [{
    Asks memory for `bytes` bytes of the packed weight from byte `offset` on, to be brought to the
    cache of this level, and doesn't wait for them. It computes nothing, and bytes beyond the weight's end do no harm.

    That it counts as a write keeps it where it is; nothing is written.

    Constraints:
    * C1: `bytes` is positive, and `level` 1 or 2.

    Example:
    ```mlir
    attn.prefetch %Wq[%offset], 320 : !attn.weight<9x64x576, q4_1>
    ```
  }];
  let arguments = (ins Attn_WeightType:$weight, Index:$offset, I64Attr:$bytes,
    DefaultValuedAttr<I64Attr, "1">:$level);
  let assemblyFormat = [{
    $weight `[` $offset `]` `,` $bytes (`level` $level^)? `:` qualified(type($weight)) attr-dict
  }];
  let hasVerifier = 1;
}

def Attn_DotBytesOp : Attn_Op<"dot_bytes", [Pure, AllTypesMatch<["sum", "result"]>,
                                            AllTypesMatch<["unsigned_bytes", "signed_bytes"]>]> {
  let summary = "in each lane, a sum and products of bytes";
  let description = [{
    `result[l] = sum[l] + sum[i in 0 … 3] unsigned_bytes[4 l + i] * signed_bytes[4 l + i]`

    The bytes of the first vector are read as 0 … 255, those of the second as -128 … 127.
    Sums wrap around. It is what dot-product instructions compute, and no vector op says it.

    With sums of 16 bits each has two products in place of four. Whoever builds it knows that neither
    the products' sum nor the result exceeds 16 bits; what it is then isn't said.

    Constraints:
    * C1: sums are a vector of i32, and there are four times as many bytes, or of i16, and there are
      twice as many.

    Example:
    ```mlir
    %0 = attn.dot_bytes %sum, %weights, %quants : vector<16xi32>, vector<64xi8>
    %1 = attn.dot_bytes %words, %weights, %quants : vector<32xi16>, vector<64xi8>
    ```
  }];
  let arguments = (ins
    VectorOfRankAndType<[1], [I32, I16]>:$sum,
    VectorOfRankAndType<[1], [I8]>:$unsigned_bytes,
    VectorOfRankAndType<[1], [I8]>:$signed_bytes);
  let results = (outs VectorOfRankAndType<[1], [I32, I16]>:$result);
  let assemblyFormat = [{
    $sum `,` $unsigned_bytes `,` $signed_bytes `:` type($sum) `,` type($unsigned_bytes) attr-dict
  }];
  let hasVerifier = 1;
}

def Attn_DotWordsOp : Attn_Op<"dot_words", [Pure, AllTypesMatch<["sum", "result"]>,
                                            AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "in each lane, a sum and two products of words";
  let description = [{
    `result[l] = sum[l] + lhs[2 l] * rhs[2 l] + lhs[2 l + 1] * rhs[2 l + 1]`

    Words are numbers of 16 bits with signs. Sums wrap around. By words of 1 it brings to 32 bits what
    `attn.dot_bytes` has added up in 16.

    Constraints:
    * C1: sums are a vector of i32, and there are twice as many words.

    Example:
    ```mlir
    %0 = attn.dot_words %sum, %weights, %quants : vector<16xi32>, vector<32xi16>
    ```
  }];
  let arguments = (ins
    VectorOfRankAndType<[1], [I32]>:$sum,
    VectorOfRankAndType<[1], [I16]>:$lhs,
    VectorOfRankAndType<[1], [I16]>:$rhs);
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = "$sum `,` $lhs `,` $rhs `:` type($sum) `,` type($lhs) attr-dict";
  let hasVerifier = 1;
}

def Attn_DotPairsOp : Attn_Op<"dot_pairs", [Pure, AllTypesMatch<["sum", "result"]>,
                                            AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "in each lane, a sum and two products of bf16";
  let description = [{
    `result[l] = sum[l] + lhs[2 l] * rhs[2 l] + lhs[2 l + 1] * rhs[2 l + 1]`

    Products are exact and added in f32, one after the other; which first, and whether
    numbers below 2^-126 count as 0, is the processor's affair. It is what dot-product
    instructions compute, and no vector op says it.

    Constraints:
    * C1: sums are a vector of f32, and there are twice as many bf16.

    Example:
    ```mlir
    %0 = attn.dot_pairs %sum, %weights, %row : vector<16xf32>, vector<32xbf16>
    ```
  }];
  let arguments = (ins
    VectorOfRankAndType<[1], [F32]>:$sum,
    VectorOfRankAndType<[1], [BF16]>:$lhs,
    VectorOfRankAndType<[1], [BF16]>:$rhs);
  let results = (outs VectorOfRankAndType<[1], [F32]>:$result);
  let assemblyFormat = [{
    $sum `,` $lhs `,` $rhs `:` type($sum) `,` type($lhs) attr-dict
  }];
  let hasVerifier = 1;
}

def Attn_ScaleByPowerOp : Attn_Op<"scale_by_power", [Pure, SameOperandsAndResultType]> {
  let summary = "in each lane, a number times a whole power of two";
  let description = [{
    `result[l] = x[l] * 2^floor(exponent[l])`, rounded to f32; 0 where the exponent is -inf, even of
    NaN: so `x - floor(x)` needs no care where a score is hidden.

    Example:
    ```mlir
    %0 = attn.scale_by_power %x, %exponent : vector<16xf32>
    ```
  }];
  let arguments = (ins VectorOfRankAndType<[1], [F32]>:$x, VectorOfRankAndType<[1], [F32]>:$exponent);
  let results = (outs VectorOfRankAndType<[1], [F32]>:$result);
  let assemblyFormat = "$x `,` $exponent `:` type($x) attr-dict";
}
