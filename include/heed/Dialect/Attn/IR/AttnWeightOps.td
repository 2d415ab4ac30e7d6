//===- AttnWeightOps.td - weights, embeddings and projections -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Included by AttnOps.td.

def Attn_WeightOp : Attn_Op<"weight", [Symbol, HasParent<"::mlir::ModuleOp">]> {
  let summary = "declares a weight of the model";
  let description = [{
    Names a weight, its type, the tensor of the weights file that holds it (`{l}`
    standing for the layer's number) and how many layers have one. `layers` is 0
    for a weight that isn't per layer. `fallback` is the tensor to take where the
    file lacks the first.

    Constraints:
    * C1: `layers` is not negative.
    * C2: `tensor` holds `{l}` exactly where `layers` is positive.

    Example:
    ```mlir
    attn.weight @Wq : !attn.weight<9x64x576, q4_1> tensor "blk.{l}.attn_q.weight" layers 30
    attn.weight @unembed : !attn.weight<49152x576, q8_0> tensor "output.weight" else "token_embd.weight"
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    TypeAttrOf<Attn_WeightType>:$type,
    StrAttr:$tensor,
    OptionalAttr<StrAttr>:$fallback,
    DefaultValuedAttr<I64Attr, "0">:$layers);
  let assemblyFormat = [{
    $sym_name `:` $type `tensor` $tensor (`else` $fallback^)? (`layers` $layers^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::heed::attn::WeightType getWeightType() { return ::llvm::cast<WeightType>(getType()); }
  }];
}

def Attn_GetWeightOp : Attn_Op<"get_weight", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a declared weight, of one layer where it is per layer";
  let description = [{
    `permuted` gives the order in which the weight's axes are to be packed: the
    result's axis i is the declared weight's axis `permuted[i]`. A projection whose
    formula has a summed axis before a feature's, such as `Vup[h, e, k]` summed over
    h and k, reads its weight so. An order that changes nothing folds away.

    Constraints:
    * C1: the symbol names an `attn.weight` of the result's type, before `permuted`.
    * C2: `layer` is given exactly where the weight is per layer.
    * C3: `permuted` is a permutation of the weight's axes; in block storage the last
      axis stays the last, since blocks lie along it.

    Example:
    ```mlir
    attn.weight @Wq : !attn.weight<9x64x576, q4_1> tensor "blk.{l}.attn_q.weight" layers 30
    attn.weight @Vup : !attn.weight<9x576x64, f32> tensor "Vup"
    %Wq = attn.get_weight @Wq[%l] : !attn.weight<9x64x576, q4_1>
    %up = attn.get_weight @Vup permuted [1, 0, 2] : !attn.weight<576x9x64, f32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight, Optional<Index>:$layer,
    OptionalAttr<DenseI64ArrayAttr>:$permuted);
  let results = (outs Attn_WeightType:$result);
  let assemblyFormat = [{
    $weight (`[` $layer^ `]`)? (`permuted` $permuted^)? `:` qualified(type($result)) attr-dict
  }];
  let hasFolder = 1;
}

def Attn_DequantizeOp : Attn_Op<"dequantize", [Pure]> {
  let summary = "a weight's values in f32";
  let description = [{
    The weight's elements as f32, by its storage's own formula. After
    bufferization the result is a memref of the weight's dense copy.

    Constraints:
    * C1: the result has the weight's shape and element type f32.

    Example:
    ```mlir
    %0 = attn.dequantize %Wq : !attn.weight<9x64x576, q4_1> -> tensor<9x64x576xf32>
    ```
  }];
  let arguments = (ins Attn_WeightType:$weight);
  let results = (outs Attn_RankedOf<[F32]>:$result);
  let assemblyFormat = "$weight `:` qualified(type($weight)) `->` type($result) attr-dict";
  let hasVerifier = 1;
}

def Attn_EmbedOp : Attn_Op<"embed", [
    Attn_ReifiedShape, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "token embeddings: rows of a table, chosen by token ids";
  let description = [{
    `result[i, c…] = table[ids[i], c…]`. An id outside of the table reads its nearest
    row, so that no id reads other memory.

    With `in_rows`, which `attn-assign-layouts` sets, the table's rows lie in memory one after
    another, and not in the panels that a projection reads.

    In tensor form the op has a result and, once destinations are given, an
    `into` operand of the result's type. In memref form it writes `into` and has
    no result.

    Constraints:
    * C1: `ids` has rank 1 and integer or index elements.
    * C2: the result (or `into`) is `[rows of ids] ++ table shape without its first axis`.
    * C3: in memref form `into` is given and there is no result; in tensor form there is a
      result, whose type is `into`'s where both exist.
    * C4: with `in_rows` the table is of f16 or of bf16, and a row a multiple of 16 elements.

    Example:
    ```mlir
    %E = attn.embed %tokens, %embed : tensor<?xi32>, !attn.weight<49152x576, q8_0> -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins
    Attn_RankedOf<[AnySignlessInteger, Index]>:$ids,
    Attn_WeightType:$table,
    Optional<Attn_RankedOf<[F32]>>:$into,
    UnitAttr:$inRows);
  let results = (outs Optional<RankedTensorOf<[F32]>>:$result);
  let assemblyFormat = [{
    $ids `,` $table (`in_rows` $inRows^)? (`into` $into^)? `:` type($ids) `,` qualified(type($table))
    (`into` type($into)^)? (`->` type($result)^)? attr-dict
  }];
  let extraClassDeclaration = [{
    /// What a row of a table `in_rows` is a multiple of.
    static constexpr int64_t kRowElements = 16;

    /// Whether `table` may be `in_rows` (C4).
    static bool canBeInRows(WeightType table);
  }];
  let hasVerifier = 1;
}

def Attn_Role : I32EnumAttr<"Role", "what a projection makes", [
    I32EnumAttrCase<"Linear", 0, "linear">, I32EnumAttrCase<"Query", 1, "query">,
    I32EnumAttrCase<"Key", 2, "key">, I32EnumAttrCase<"Value", 3, "value">,
    I32EnumAttrCase<"Output", 4, "output">]> {
  let cppNamespace = "::heed::attn";
  let genSpecializedAttr = 0;
}
def Attn_RoleAttr : EnumAttr<Attn_Dialect, Attn_Role, "role">;

def Attn_QuantizeOp : Attn_Op<"quantize", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "rows in 8 or 16 bits, with a scale for each 32 columns";
  let description = [{
    The last `contracted` axes of `x` are a row's columns, in blocks of 32:

    ```
    m[b]       = the number of block b that is furthest from 0, the positive of two
    scale[b]   = m[b] / -reach                                       reach is 128 for i8, 32768 for i16
    quant[c]   = min(roundeven(x[c] * (-reach / m[b])), reach - 1)   0 where all of the block are 0
    sum[g]     = sum[c in g] quant[c]           an integer times `times`, or a float times scale[b]
    ```

    Integers reach one further below 0 than above: m becomes -reach.

    A projection by quantised weights then multiplies integers. A group of a sum
    is the `group` of columns that a scale of those weights serves; sums carry what is the
    same for all of a group's weights: a zero point (integer sums, times what is taken from each
    stored number, so that a sum is what the products start from) or a min (scaled ones).

    In the `centred` form a block's numbers are rounded as what they differ from the middle
    between the least and the greatest, one of which often is an outlier:

    ```
    low, high  = the least and the greatest number of block b, and 0
    centre[b]  = (low + high) / 2                                            rounded to bf16
    m[b]       = max(high - centre[b], centre[b] - low)
    reach      = 128 + times                                                 120 for times -8
    scale[b]   = m[b] / reach
    quant[c]   = roundeven((x[c] - centre[b]) * (reach / m[b]))              0 where m[b] is 0
    total[b]   = scale[b] * sum[c in b] quant[c] + 32 * centre[b]            rounded to bf16
    pair[b]    = sum[i in 0 … 15] quant[32 b + 16 + i] * (quant[32 b + i] + 128)
    cross[b]   = -scale[b] * pair[b]
    sum[b]     = times * sum[c in b] quant[c] + pair[b]
    ```

    `centres` have the pairs (total, centre). A quant then leaves room in a byte for a weight of
    few bits to be added to it. Products of such sums, in pairs, have too much what `cross` takes
    off again; products one by one start from `sum`, which has that too
    (docs/Rationale/bytes-multiplied-in-pairs.md).

    Constraints:
    * C1: `contracted` is at least 1 and no more than x's rank, and the columns are a multiple
      of 32.
    * C2: quants have x's shape, scales are `[x's other axes, columns / 32]` and sums
      `[x's other axes, columns / group]`, where `group` is 32 or 16.
    * C3: quants, scales and sums, and what is centred, are all tensors, and as many results have
      their types, or all memrefs, and there is no result.
    * C4: the centred form has quants of i8, centres `[x's other axes, columns / 16]` and crosses
      `[x's other axes, columns / 32]`, integer sums of 32 columns, and `times` from -64 to -1.

    Example:
    ```mlir
    %q, %s, %t = attn.quantize %x times -128 into %q0, %s0, %t0 : tensor<?x576xf32>, tensor<?x576xi8>, tensor<?x18xf32>, tensor<?x18xi32> -> tensor<?x576xi8>, tensor<?x18xf32>, tensor<?x18xi32>
    %qc, %sc, %tc, %c, %k = attn.quantize %x times -8 into %q0, %s0, %t0 centred %c0, %k0 : tensor<?x576xf32>, tensor<?x576xi8>, tensor<?x18xf32>, tensor<?x18xi32> centred tensor<?x36xbf16>, tensor<?x18xf32> -> tensor<?x576xi8>, tensor<?x18xf32>, tensor<?x18xi32>, tensor<?x36xbf16>, tensor<?x18xf32>
    ```
  }];
  let arguments = (ins
    Attn_RankedOf<[F32]>:$x,
    Attn_RankedOf<[I8, I16]>:$quants, Attn_RankedOf<[F32]>:$scales, Attn_RankedOf<[F32, I32]>:$sums,
    Optional<Attn_RankedOf<[BF16]>>:$centres, Optional<Attn_RankedOf<[F32]>>:$crosses,
    DefaultValuedAttr<I64Attr, "1">:$contracted,
    DefaultValuedAttr<I64Attr, "32">:$group,
    DefaultValuedAttr<I32Attr, "1">:$times);
  let results = (outs Variadic<RankedTensorOf<[I8, I16, F32, I32, BF16]>>:$results);
  let assemblyFormat = [{
    $x (`contracted` $contracted^)? (`group` $group^)? (`times` $times^)? `into` $quants `,` $scales `,` $sums
    (`centred` $centres^ `,` $crosses)?
    `:` type($x) `,` type($quants) `,` type($scales) `,` type($sums)
    (`centred` type($centres)^ `,` type($crosses))? (`->` type($results)^)?
    attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Columns of a block: they share a scale.
    static constexpr int64_t kBlock = 32;
    /// What a byte holds of numbers below 0.
    static constexpr int64_t kByteReach = 128;
    /// How far quants reach below 0, and of the centred form above it.
    int64_t getReach();
    /// What it writes: quants, scales, sums, and of the centred form centres and crosses.
    ::llvm::SmallVector<::mlir::OpOperand *> getDestinations();
  }];
}

def Attn_ProjectTileAttr : AttrDef<Attn_Dialect, "ProjectTile"> {
  let mnemonic = "tile";
  let summary = "how a product of many rows is cut";
  let description = [{
    Sums of `rows` rows of x and of `panels` panels of the weight (16 features each) are
    kept in registers while all columns are multiplied. A task takes `part` panels, for
    which it reads each tile's rows once. Of weights `beside` each other, panels of the same
    features are in a tile and in a part, and all of them count. Nothing of this changes a
    result: each sum is added up column by column.

    Constraints:
    * C1: all are positive, and `part` is a multiple of `panels`.

    Example: `#attn.tile<rows = 12, panels = 2, part = 8>`
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$panels, "int64_t":$part);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Attn_ProjectOp : Attn_Op<"project", [AttrSizedOperandSegments,
    Attn_ReifiedShape, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "each row times a weight matrix";
  let description = [{
    `result[i…, f…] = sum[c…] x[i…, c…] * weight[f…, c…]`

    The last `contracted` axes of `x` and of `weight` are summed over. With `per_head`
    each head has a matrix of its own, the axis of x before the contracted ones and
    the weight's first being the heads:

    `result[i…, h, f…] = sum[c…] x[i…, h, c…] * weight[h, f…, c…]`

    `role` says what the product is for: `query`, `key`, `value` (value-down), `output`
    (value-up, whose product is the update), or `linear` for everything else (MLP
    layers, unembedding). With `accumulate` the product is added to what `into`
    holds: the residual.

    x is f32, or narrower where products of narrow numbers are cheaper: bf16, or the
    quants of `attn.quantize` with their scales and sums, `x[c] = scale[c / 32] * quant[c]`, of the
    `centred` form `x[c] = scale[c / 32] * quant[c] + centre[c / 32]`.
    Products are summed in f32, those of 32 quants in 32 bits first.

    `epilogue` is a region that takes each sum (f32) and the elements of the `joins` operands
    that belong to it, and yields what is stored: a bias, an activation, a residual, a
    narrower number. `by` gives for each of these operands which axes of the result it has.
    With `accumulate`, what the region yields is added to what `into` holds. With
    `heads_first` the result's first feature axis stands before its rows, as attention reads
    them: `result[h, i, f…] = sum[c…] x[i, c…] * weight[h, f…, c…]`.

    `beside` gives further weights, by which the same x is multiplied at the same time: the
    region then takes a sum of each weight, in their order, and makes one number of them. A
    gate and what it opens never pass through memory.

    `tile` says how a product of many rows is cut; `attn-choose-tiles` sets it.

    In tensor form the op has a result and, once destinations are given, an
    `into` operand of the result's type. In memref form it writes `into` and has
    no result.

    Constraints:
    * C1: `contracted` is at least 1 and less than the weight's rank, and no more than x's rank;
      one less of each with `per_head`.
    * C2: the contracted axes of x and weight have equal sizes.
    * C3: the result (or `into`) is `x's other axes ++ weight's other axes`, the heads once, the
      first two exchanged with `heads_first`.
    * C4: `accumulate` needs `into`, of f32.
    * C5: in memref form `into` is given and there is no result; in tensor form there is a
      result, whose type is `into`'s where both exist.
    * C6: with `per_head`, x has as many heads as the weight.
    * C7: x is i8 or i16 exactly where scales and sums are given. The scales are `[x's other axes,
      columns / 32]`, the sums have one for each `group` of 32 or 16 columns, and the weight is
      quantised, with columns a multiple of 32. Centres and crosses are there beside i8 only,
      of the shapes that `attn.quantize` gives them, and the weight then has four or five bits and
      a scale for each 32 columns.
    * C8: `epilogue` is absent or one block that takes (f32, f32…), one for each weight and one for
      each operand of `joins`, and yields the result's element; it is there where the result isn't
      f32, or where something is joined or beside the weight.
    * C9: `by` has a map for each operand of `joins`, from the result's axes to some of them, of
      equal sizes; it names all axes of rows or none, all of features or none, in their order.
    * C10: `heads_first` needs an x of one axis of rows, two axes of features, and neither
      `per_head` nor `accumulate`.
    * C11: weights `beside` the first have its type; `tile` has as many panels of one as of another.

    Example:
    ```mlir
    %Q = attn.project query %E, %Wq : tensor<?x576xf32>, !attn.weight<9x64x576, q4_1> -> tensor<?x9x64xf32>
    %dE = attn.project output %Z, %Wo contracted 2 : tensor<?x9x64xf32>, !attn.weight<576x9x64, q4_1> -> tensor<?x576xf32>
    %V = attn.project linear %C, %Wuv per_head : tensor<?x16x512xf32>, !attn.weight<16x128x512, f16> -> tensor<?x16x128xf32>
    %K = attn.project key %q, %Wk quantized %scales, %sums : tensor<?x576xi8>, !attn.weight<3x64x576, q4_1> of tensor<?x18xf32>, tensor<?x18xf32> -> tensor<?x3x64xf32>
    %A = attn.project linear %X, %W1 joins %b1 by [affine_map<(i, f) -> (f)>] : tensor<?x576xf32>, !attn.weight<1536x576, bf16> joins tensor<1536xf32> -> tensor<?x1536xbf16>
    epilogue {
    ^bb0(%sum: f32, %b: f32):
      %biased = arith.addf %sum, %b : f32
      %zero = arith.constant 0.0 : f32
      %positive = arith.maximumf %biased, %zero : f32
      %narrow = arith.truncf %positive : f32 to bf16
      attn.yield %narrow : bf16
    }
    %G = attn.project linear %X, %gate beside %up : tensor<?x576xf32>, !attn.weight<1536x576, f32> beside !attn.weight<1536x576, f32> -> tensor<?x1536xf32>
    epilogue {
    ^bb0(%open: f32, %sum: f32):
      %y = arith.mulf %open, %sum : f32
      attn.yield %y : f32
    }
    ```
  }];
  let arguments = (ins
    Attn_RoleAttr:$role,
    Attn_RankedOf<[F32, BF16, I8, I16]>:$x,
    Attn_WeightType:$weight,
    Variadic<Attn_WeightType>:$beside,
    Optional<Attn_RankedOf<[F32]>>:$scales,
    Optional<Attn_RankedOf<[F32, I32]>>:$sums,
    Optional<Attn_RankedOf<[BF16]>>:$centres,
    Optional<Attn_RankedOf<[F32]>>:$crosses,
    Variadic<Attn_RankedOf<[F32]>>:$joined,
    Optional<Attn_RankedOf<[F32, BF16]>>:$into,
    DefaultValuedAttr<I64Attr, "1">:$contracted,
    UnitAttr:$accumulate,
    UnitAttr:$per_head,
    UnitAttr:$heads_first,
    OptionalAttr<AffineMapArrayAttr>:$maps,
    OptionalAttr<Attn_ProjectTileAttr>:$tile);
  let results = (outs Optional<RankedTensorOf<[F32, BF16]>>:$result);
  let regions = (region AnyRegion:$epilogue);
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "Role":$role, "::mlir::Value":$x,
                   "::mlir::Value":$weight, "int64_t":$contracted, CArg<"bool", "false">:$perHead),
      [{
        build($_builder, $_state, result, role, x, weight, /*beside=*/{}, /*scales=*/{},
              /*sums=*/{}, /*centres=*/{}, /*crosses=*/{}, /*joined=*/{}, /*into=*/{}, contracted,
              /*accumulate=*/false, perHead, /*heads_first=*/false, /*maps=*/{}, /*tile=*/{});
      }]>
  ];
  let assemblyFormat = [{
    custom<PlainRole>($role) $x `,` $weight (`beside` $beside^)? (`contracted` $contracted^)? (`per_head` $per_head^)?
    (`heads_first` $heads_first^)? (`quantized` $scales^ `,` $sums)? (`centred` $centres^ `,` $crosses)?
    (`joins` $joined^ `by` $maps)? (`into` $into^)? (`accumulate` $accumulate^)?
    (`tile` $tile^)? `:` type($x) `,` qualified(type($weight))
    (`beside` qualified(type($beside))^)? (`of` type($scales)^ `,` type($sums))?
    (`centred` type($centres)^ `,` type($crosses))?
    (`joins` type($joined)^)? (`into` type($into)^)? (`->` type($result)^)?
    `` custom<Epilogue>($epilogue) attr-dict
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The axes of the result that x has too.
    int64_t getRowAxes() {
      return ::llvm::cast<::mlir::ShapedType>(getX().getType()).getRank() - getContracted();
    }
    /// What is stored: the result, or the elements of `into`.
    ::mlir::ShapedType getMadeType();
    /// Which of the result's axes joined operand `number` has.
    ::mlir::AffineMap getMap(unsigned number) {
      return ::llvm::cast<::mlir::AffineMapAttr>((*getMaps())[number]).getValue();
    }
    /// Maps by which an operand has all axes of the result, those of features, or those of rows.
    ::mlir::AffineMap getWholeMap();
    ::mlir::AffineMap getFeatureMap();
    ::mlir::AffineMap getRowMap();
    /// The weight's axes that the result has: neither heads nor contracted.
    int64_t getFeatureAxes() {
      return getWeight().getType().getRank() - getContracted() - (getPerHead() ? 1 : 0);
    }
    /// All weights: the first, then those beside it.
    ::llvm::SmallVector<::mlir::Value> getWeights();
    /// The tensors or memrefs that it reads.
    ::llvm::SmallVector<::mlir::OpOperand *> getReadOperands();
  }];
}
