//===- TiledPasses.td - passes of this room that lead to the phase tiled -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_TILEDPASSES_TD
#define HEED_DIALECT_ATTN_TRANSFORMS_TILEDPASSES_TD

include "mlir/Pass/PassBase.td"

def NarrowActivationsPass : Pass<"attn-narrow-activations", "::mlir::func::FuncOp"> {
  let summary = "rounds what projections multiply to the numbers that dot products take";
  let description = [{
    Processors multiply narrow numbers several times faster than f32: four products of
    eight-bit or two of bf16 numbers in a lane and instruction. With `int8`, rows that meet a
    quantised weight become eight-bit numbers with a scale for each 32 columns
    (`attn.quantize`); without `vnni`, whose products take eight bits by eight, rows that meet weights of
    more than five bits have 16. With `bf16`, rows that meet a bf16 weight become bf16, except those of a
    step's logits: few rows, whose loss is all seen. With both, rows that meet weights of four or
    five bits are rounded in `attn.quantize`'s centred form. Rows are
    rounded once for all projections that read them, also where some read a slice of them.
    This pass and `attn-narrow-attention`
    are the only ones that change what a program computes, this one by about half of the last place of eight (or of bf16's eight)
    bits, so neither is done unless asked for, and `--precise` doesn't ask.

    Needs projections in tensor form. Weights in a mix of quantised and floating-point
    formats, and matrices whose columns aren't a multiple of 32, are left alone.

    Before:
    ```mlir
    %K = attn.project key %x, %Wk : tensor<?x576xf32>, !attn.weight<3x64x576, q4_1> -> tensor<?x3x64xf32>
    ```
    After:
    ```mlir
    %quants, %scales, %sums = attn.quantize %x into …
    %K = attn.project key %quants, %Wk quantized %scales, %sums : tensor<?x576xi8>, …
    ```
  }];
  let options = [
    Option<"int8", "int8", "bool", "false", "round rows that meet quantised weights to 8 bits, or 16">,
    Option<"bf16", "bf16", "bool", "false", "round rows that meet bf16 weights to bf16">,
    Option<"vnni", "vnni", "bool", "true",
           "whether fours of bytes of eight bits are multiplied and added up at once">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numProjections", "projections",
                              "Number of projections of narrow rows">];
}

def NarrowAttentionPass : Pass<"attn-narrow-attention", "::mlir::func::FuncOp"> {
  let summary = "rounds what attention multiplies to the numbers that dot products take";
  let description = [{
    Marks each `attn.attention` as `bf16`: its queries, keys, values and powers are rounded
    to bf16, of which processors multiply two in a lane and instruction. A number loses up to
    2^-9 of itself, which is less than what the rows of projections lose in eight bits
    (`attn-narrow-activations`). So the type `auto` does it in functions with a projection
    whose rows are rounded, `bf16` in all, and `f32`, the default, in none.

    Needs attentions in one op each; runs before `attn-tile-attention`. Vectors of an odd
    number of components are left alone.

    Before:
    ```mlir
    %Z = attn.attention %Q, %K, %V scale 0.125 : …
    ```
    After:
    ```mlir
    %Z = attn.attention %Q, %K, %V scale 0.125 bf16 : …
    ```
  }];
  let options = [
    Option<"type", "type", "std::string", "\"f32\"", "what is multiplied: f32, auto or bf16">];
  let statistics = [Statistic<"numAttentions", "attentions", "Number of attentions in bf16">];
}

def FuseEpiloguesPass : Pass<"attn-fuse-epilogues", "::mlir::func::FuncOp"> {
  let summary = "does what follows a projection where its sums are stored";
  let description = [{
    An elementwise op that alone reads a projection (a bias, an activation, a residual,
    rounding to bf16) becomes its `epilogue`, and a transpose that puts heads before rows
    `heads_first`, so that none costs a pass over memory of its own.

    Where such an op reads two projections of the same x by weights of one type, as
    `silu(gate) * up`, they become one with the second weight `beside` the first. `most-weights`
    is 1 where registers can't hold sums of several rows by two weights. Then, and where
    projections differ in more than their weights, they run at the same time, and what reads
    them afterwards.

    Needs destinations; comes after `attn-narrow-activations`, whose rounding it takes in.
    Sines, powers and tables, and heads of other widths than a multiple of 16 stay as they are.

    Before: `linalg.generic … ins(%p, %b) … { arith.addf, math.tanh, arith.truncf }`. After:
    ```mlir
    %y = attn.project linear %x, %w joins %b by [affine_map<(d0, d1) -> (d1)>] into %0 : … -> tensor<?x64xbf16> epilogue {
    ^bb0(%sum: f32, %b: f32):
      …
      attn.yield %narrow : bf16
    }
    ```
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
  let options = [
    Option<"mostWeights", "most-weights", "int64_t", "2",
           "weights by which one projection may multiply">];
  let statistics = [
    Statistic<"numFused", "fused", "Number of ops done by their projection">,
    Statistic<"numBeside", "beside", "Number of projections that another one does too">];
}

def ApproximateFunctionsPass : Pass<"attn-approximate-functions", "::mlir::func::FuncOp"> {
  let summary = "marks functions whose values are read only rounded";
  let description = [{
    Where activations are rounded to bf16 or eight bits, most of a function's digits are lost at
    once. An `exp`, `tanh` or `erf` of f32 gets the flag `fastmath<afn>`, for which
    `heed-expand-math` builds a shorter polynomial, if wherever its value is read,

    * it is rounded to bf16, or quantised by `attn.quantize`,
    * after products, quotients and changes of sign at most, in the same op or in elementwise
      ones and epilogues that follow,
    * or after a constant was added first: any to a `tanh` or `erf`, a positive one to an `exp`.

    Comes after `attn-narrow-activations` and `attn-fuse-epilogues`. Functions whose values are
    read as they are stay exact, so a program whose activations stay in f32 does not change. One
    row gets the same function as many.

    Before:
    ```mlir
    %1 = math.erf %0 : f32
    %2 = arith.addf %1, %one : f32
    %3 = arith.mulf %x, %2 : f32
    %4 = arith.truncf %3 : f32 to bf16
    ```
    After: `%1 = math.erf %0 fastmath<afn> : f32`, and the same.
  }];
  let statistics = [Statistic<"numApproximate", "approximate", "Number of functions marked">];
}

def AssignLayoutsPass : Pass<"attn-assign-layouts", "::mlir::ModuleOp"> {
  let summary = "decides how each weight lies in memory";
  let description = [{
    Weights that `attn.project` or `attn.embed` read are packed in panels, those that
    `attn.dequantize` reads are dense f32, and so is a table in f32 that embeddings alone
    read, which become reads of its rows; one in f16 or bf16 keeps its elements, but in rows
    (`in_rows`). Neither where another weight, which a projection reads, may be the same tensor.
    The decision is recorded on the `attn.weight` as `heed.layout` (a heed_layout of heed/Runtime/Artifact.h) with
    `heed.rows` and `heed.cols`, the matrix that it is. A weight that is read in
    two ways is declared twice; one that nothing reads is dropped.

    Needs every use of a weight to be one of these three ops.

    Before:
    ```mlir
    attn.weight @Wq : !attn.weight<9x64x576, q4_1> tensor "q"
    ```
    After, where a projection reads it:
    ```mlir
    attn.weight @Wq : !attn.weight<9x64x576, q4_1> tensor "q" {heed.cols = 576 : i64, heed.layout = 1 : i64, heed.rows = 576 : i64}
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numCopies", "copies", "Number of weights loaded a second time">];
}

def AddDestinationsPass : Pass<"attn-add-destinations"> {
  let summary = "gives projections and embeddings a tensor to write";
  let description = [{
    Each `attn.project` and `attn.embed` in tensor form gets an `into` operand: an
    empty tensor, or, where the only use of a projection adds it to a tensor of
    the same type, that tensor, with `accumulate`. So residuals cost no extra pass
    over memory.

    Before: `%s = linalg.generic … ins(%e, %p) … { arith.addf }`. After:
    ```mlir
    %s = attn.project output %z, %w into %e accumulate : …
    ```

    A tensor that a loop carries on and that a round computes elsewhere is put into the
    carried tensor at the round's end, so that bufferization keeps one buffer for it.

    Before: `scf.yield %sum`. After:
    ```mlir
    %0 = bufferization.materialize_in_destination %sum in %carried : (…) -> …
    scf.yield %0
    ```

    A tensor of zeros, say, to which several ops or the rounds of a loop add is filled for each
    of them, since each writes it: a copy would cost the same and would have to be waited for.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numResiduals", "residuals", "Number of sums done by their projection">,
    Statistic<"numReturned", "returned", "Number of carried tensors computed elsewhere">,
    Statistic<"numFills", "fills", "Number of tensors filled for one of several writers">
  ];
}

def TileAttentionPass : Pass<"attn-tile-attention"> {
  let summary = "tiles attn.attention over rows, heads and keys";
  let description = [{
    Each `attn.attention` becomes an `scf.forall` over tiles of rows, key heads and
    parts of their group, in which an `scf.for` folds tiles of keys with
    `attn.online_attention`. From the mask's predicate it is computed, when the model
    runs, which keys the rows of a task can see: one range, or up to three with gaps
    between them (a window and sinks). Of each tile in a range three things can be
    true: every row sees every key, so it is folded without the mask; some rows see
    some keys, so it is folded with it; nothing is visible, so it is skipped.
    Intervals of the predicate tell which; where they leave it open (documents,
    remainders) `attn.classify_keys` evaluates the mask over the tile.

    Tiles begin at multiples of `key-tile` and are cut off at the ends of a range, so
    that a row's result doesn't depend on which rows share its task.

    Where a call has one row (decoding), few lanes are in use. With `split-keys` it then takes
    other code, chosen when the model runs: a task is a key head and 256 keys, whose running softmax
    goes into a buffer, and a second `scf.forall` joins those of a head. It has
    the `lanes_first` form, and is built where a group has at most 8 heads and depth and width are
    multiples of 16. It sums in another order than tiles of rows do. Memory bounds it, so it keeps
    f32 where an attention is `bf16`.

    Needs heads and their width of static sizes. Guarantees that no `attn.attention` is left.

    Before:
    ```mlir
    %Z = attn.attention %Q, %K, %V scale 0.125 … mask { j <= i }
    ```
    After:
    ```mlir
    %Z = scf.forall (%g, %part, %tile) in (…) shared_outs(%o = %empty) {
      scf.for %start = … {
        scf.if %all { attn.online_attention … score {} mask {} }    // every row sees these keys
        else { attn.online_attention … score {} mask { j <= i } }   // some rows do
      }
    }
    ```
  }];
  let options = [
    Option<"lanes", "lanes", "int64_t", "32", "query rows times heads in a tile: a multiple of 16">,
    Option<"keyTile", "key-tile", "int64_t", "64", "keys in a tile">,
    Option<"splitKeys", "split-keys", "bool", "false",
           "whether a call of one row divides its keys into tasks">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numAttentions", "attentions", "Number of attentions tiled">];
}

def LowerCachePass : Pass<"attn-lower-cache"> {
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

    Rows that go into a ring are two slices, before and after its end. What isn't f32 is
    rounded before it is inserted. Of a ring, or of what isn't f32, each tile that attention
    reads is a slice by itself: in place where the tile is f32 and provably lies in one
    piece (its first row is a multiple of a number of rows that it doesn't exceed, and that divides
    the capacity), else widened or gathered into a buffer of the tile's size.

    Before:
    ```
    %Kall = attn.cache_read %c1 layer %l length %len : tensor<30x3x1024x64xf16> -> tensor<3x?x64xf32>
    scf.for %j = %lo to %hi step %c64 … {
      %k = tensor.extract_slice %Kall[%g, %j, 0] [1, %count, 64] [1, 1, 1]
    ```
    After:
    ```
    scf.for %j = %lo to %hi step %c64 … {
      %place = arith.remui %j, %c1024
      %stored = tensor.extract_slice %c1[%l, %g, %place, 0] [1, 1, %count, 64] [1, 1, 1, 1]
      %k = linalg.generic … ins(%stored : tensor<?x64xf16>) outs(… : tensor<?x64xf32>) { arith.extf }
    ```

    Guarantees that no cache op is left.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numAppends", "appends", "appends lowered">,
    Statistic<"numReads", "reads", "reads lowered">];
}

def DecomposePass : Pass<"attn-decompose", "::mlir::func::FuncOp"> {
  let summary = "writes attention's unfused steps as plain loops";
  let description = [{
    Rewrites the `attn.scores`, `attn.mask`, `attn.softmax` and `attn.weigh` that no
    fusion took, so that every legal program compiles:

    ```
    %A = attn.softmax %S dimension 1
    ```
    becomes one `linalg.generic` each for `m = max[j] s`, `p = exp(s - m)`,
    `t = sum[j] p` and `p / t`, the last three giving zeros in a row whose scores are
    all -inf.

    Guarantees: none of the four ops is left, and the meaning is that of their documentation.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numDecomposed", "decomposed", "steps written as loops">];
}

def ChooseTilesPass : Pass<"attn-choose-tiles", "::mlir::func::FuncOp"> {
  let summary = "decides how products of many rows are cut";
  let description = [{
    Each `attn.project` gets the `tile` that lib/CostModel holds to be the cheapest for
    its sizes, what it multiplies and the instruction set's registers: the same on every
    machine. `tiles` names others for products of some kinds, as `heed tune` finds them:
    `FEATURESxCOLUMNS:STORAGE:TYPE=ROWSxPANELSxPART`, the type being that of x. A tile
    that is there already stays.

    Comes after the passes that change what a projection multiplies. Results don't
    depend on it.

    Before: `%y = attn.project linear %x, %w into %0 : …`. After:
    ```mlir
    %y = attn.project linear %x, %w into %0 tile <rows = 14, panels = 2, part = 12> : …
    ```
  }];
  let options = [
    Option<"nativeLanes", "native-lanes", "int64_t", "16",
           "f32 lanes of the instruction set's registers: 16 (AVX-512) or 8 (AVX2)">,
    ListOption<"tiles", "tiles", "std::string", "tiles for products of some kinds">];
  let statistics = [
    Statistic<"numTiles", "tiles", "Number of products that got a tile">,
    Statistic<"numNamed", "named", "Number of them whose tile was named">];
}

#endif // HEED_DIALECT_ATTN_TRANSFORMS_TILEDPASSES_TD
