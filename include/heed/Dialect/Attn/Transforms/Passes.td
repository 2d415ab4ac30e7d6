//===- Passes.td - passes from attn to attn -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD
#define HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SplitWeighingPass : Pass<"attn-split-weighing", "::mlir::func::FuncOp"> {
  let summary = "weighs each pattern of a combination by itself";
  let description = [{
    Differential attention weighs values by the difference of two patterns. Multiplied out, each
    pattern has a weighing of its own, and each attention is fused:

    Before:
    ```
    %D = linalg.generic … ins(%A1, %lambda, %A2) { mulf, subf }
    %Z = linalg.generic … ins(%D, %V) { mulf, addf }
    ```
    After:
    ```
    %0 = linalg.generic … ins(%A1, %V) { mulf, addf }
    %1 = linalg.generic … ins(%lambda, %A2, %V) { mulf, mulf, addf }
    %Z = linalg.generic … ins(%0, %1) { subf }
    ```

    The combination may stand in the weighing itself or in elementwise definitions that nothing
    else reads, and have other terms too (a bias on the pattern). A coefficient that is computed in
    place becomes a tensor of its own.

    Needs: patterns that `attn.softmax` gives; runs before `heed-factor-contractions`, which takes
    the coefficients out of the sums.
    Guarantees: means the same. A combination of more than 8 terms, or with a term of more than 8
    factors, stays as it is.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numSplit", "split", "weighings of combinations multiplied out">];
}

def RecognisePass : Pass<"attn-recognise", "::mlir::func::FuncOp"> {
  let summary = "finds embeddings, projections, scores and weighing in formulas";
  let description = [{
    Starts from what is certain and needs no names: a product with a weight is a
    projection; what a softmax normalises, seen through its mask and the modifiers of
    its scores, is scores; what its pattern is multiplied with is values.

    | formula | becomes |
    |---|---|
    | `embed[tokens[i], c]` | `attn.embed` |
    | `sum[c] W[f, c] * X[i, c]`, in any order of X's axes | `attn.project`, with `linalg.transpose` before or after it where the order differs |
    | `sum[c] Wqkv[1, h, k, c] * X[i, c]`, `sum[c] Wqkv[d + h * dk + k, c] * X[i, c]` | a `tensor.extract_slice` of the whole weight's projection, which query, key and value share, its heads by `tensor.expand_shape` |
    | `sum[h, k] Vup[h, e, k] * Z[h, i, k]` | `attn.project` with the weight `permuted` to [e, h, k] |
    | `sum[k] Q[h, i, k] * K[h / group, j, k] / sqrt(dk)` under a softmax over j | `attn.scores` |
    | `sum[j] A[h, i, j] * V[h / group, j, k]` | `attn.weigh` |

    Before:
    ```
    %S = linalg.generic … ins(%Q, %K) { mulf, mulf by 0.125, addf }
    %M = attn.mask %S …
    %A = attn.softmax %M dimension 2
    %Z = linalg.generic … ins(%A, %V) { mulf, addf }
    ```
    After:
    ```
    %S = attn.scores %Q, %K scale 0.125
    %M = attn.mask %S …
    %A = attn.softmax %M dimension 2
    %Z = attn.weigh %A, %V
    ```

    Constant factors go into the scale of scores, and follow projections and weighing
    elementwise. Projections get the role in which attention reads or feeds them.

    Needs: contractions of two factors (`heed-factor-contractions`).
    Guarantees: means the same. A product with a weight, or under or over a softmax,
    that the ops can't say stays a `linalg.generic` and gets a remark that says why.
    Transposes that undo each other, copies, repeated and unread values are gone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numEmbeddings", "embeddings", "gathers of a weight's rows">,
    Statistic<"numProjections", "projections", "products with a weight">,
    Statistic<"numScores", "scores", "products of queries and keys">,
    Statistic<"numWeighings", "weighings", "products of patterns and values">];
}

def NarrowActivationsPass : Pass<"attn-narrow-activations", "::mlir::func::FuncOp"> {
  let summary = "rounds what projections multiply to the numbers that dot products take";
  let description = [{
    Processors multiply narrow numbers several times faster than f32: four products of
    eight-bit or two of bf16 numbers in a lane and instruction. With `int8`, rows that meet a
    quantised weight become eight-bit numbers with a scale for each 32 columns
    (`attn.quantize`); with `bf16`, rows that meet a bf16 weight become bf16. Rows are
    rounded once for all projections that read them. This pass and `attn-narrow-attention`
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
    Option<"int8", "int8", "bool", "false", "round rows that meet quantised weights to 8 bits">,
    Option<"bf16", "bf16", "bool", "false", "round rows that meet bf16 weights to bf16">];
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

    Needs destinations; comes after `attn-narrow-activations`, whose rounding it takes in.
    Sines, powers and tables, what reads a second projection (gate and up run at the same
    time), and heads of other widths than a multiple of 16 stay as they are.

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
  let statistics = [Statistic<"numFused", "fused", "Number of ops done by their projection">];
}

def AssignLayoutsPass : Pass<"attn-assign-layouts", "::mlir::ModuleOp"> {
  let summary = "decides how each weight lies in memory";
  let description = [{
    Weights that `attn.project` or `attn.embed` read are packed in panels, those that
    `attn.dequantize` reads are dense f32, and so is a table in f32 that embeddings alone
    read, which become reads of its rows. The decision is recorded on the `attn.weight` as `heed.layout` (a heed_layout of heed/Runtime/Artifact.h) with
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
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numResiduals", "residuals", "Number of sums done by their projection">,
    Statistic<"numReturned", "returned", "Number of carried tensors computed elsewhere">
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

def AbsorbProjectionsPass : Pass<"attn-absorb-projections", "::mlir::func::FuncOp"> {
  let summary = "lets attention read latents, not the keys and values computed from them";
  let description = [{
    Keys and values that a projection computes from shorter rows are not needed: the
    keys' matrix can be applied to the queries, and the values' to the weighed rows. The
    rows themselves, one head that all heads share, are then what is cached.

    Before, C being the latents `[j, r]`:
    ```
    %K = attn.project key %C, %Wuk : tensor<?x24xf32>, !attn.weight<4x16x24, f32> -> tensor<?x4x16xf32>
    %Kt = linalg.transpose ins(%K) permutation = [1, 0, 2]
    %S = attn.scores %Q, %Kt …
    …
    %Z = attn.weigh %A, %Vt …
    ```
    After:
    ```
    %C1 = tensor.expand_shape %C [[0, 1], [2]] … into tensor<1x?x24xf32>
    %T = attn.get_weight @Wuk permuted [0, 2, 1] : !attn.weight<4x24x16, f32>
    %q = attn.project query %Qrows, %T per_head : tensor<?x4x16xf32>, … -> tensor<?x4x24xf32>
    %S = attn.scores %qt, %C1 …
    …
    %z = attn.weigh %A, %C1 …
    %Z = attn.project output %zrows, %Wuv per_head : tensor<?x4x24xf32>, … -> tensor<?x4x16xf32>
    ```

    Done for all that attention reads of one latent together, in functions for which a cache
    will be derived, and where a decoding step becomes at least twice as fast: a key costs
    the numbers that are loaded for it, or a sixteenth of its products where that is more.

    Needs: `attn-recognise`, before `attn-derive-cache`. As many heads of keys and values as
    of queries; keys' weights not in blocks, which lie along the wrong axis.
    Guarantees: means the same, but for rounding.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numAbsorbed", "absorbed", "keys and values that are latents now">];
}

def MergeScoresPass : Pass<"attn-merge-scores", "::mlir::func::FuncOp"> {
  let summary = "makes sums of scores the scores of concatenated vectors";
  let description = [{
    Scores of content and of position, `sum[k] Q * K + sum[p] P * R`, are one product of
    longer vectors, and so one attention with one cache of keys.

    Before:
    ```
    %s = attn.scores %Q, %K scale 1 …
    %t = attn.scores %P, %R scale 1 …
    %S = linalg.generic … ins(%s, %t) { (s + t) / 4 }
    …
    %Z = attn.weigh %A, %K …
    ```
    After:
    ```
    %q = tensor.concat dim(2) %Q, %P : (tensor<4x?x24xf32>, tensor<4x?x8xf32>) -> tensor<4x?x32xf32>
    %k = tensor.concat dim(2) %K, %R …
    %S = attn.scores %q, %k scale 0.25 …
    …
    %v = tensor.extract_slice %k[0, 0, 0] …
    %Z = attn.weigh %A, %v …
    ```

    Constant factors of the terms go into scale and queries. Keys that one of the products
    shares between heads are repeated where the other's are not.

    Needs: `attn-recognise`, before `attn-derive-cache`.
    Guarantees: means the same, but for rounding.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numMerged", "merged", "sums that became one product">];
}

def DeriveCachePass : Pass<"attn-derive-cache", "::mlir::ModuleOp"> {
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

    Where every attention that reads a value has a mask that bounds how far back its rows
    see, to a constant number `window` of rows, the cache is a ring with a static capacity:
    `window - 1 + chunk`, rounded up to whole key tiles, where `chunk` is the most rows that a
    call may then bring (`heed.chunk` of the function; `heed.window` of the argument). It is
    kept whole where the context's bound is no larger than that.

    `cache-type` says what caches are made of. With i8 each has a second argument for the
    scales of its rows, named after it.

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
  let options = [
    Option<"cacheType", "cache-type", "std::string", "\"f32\"",
      "what caches are made of: f32, f16, bf16 or int8">,
    Option<"chunk", "chunk", "int64_t", "512",
      "the most rows that one call brings to a ring">,
    Option<"keyTile", "key-tile", "int64_t", "64",
      "keys in a tile of attention, of which a ring holds a whole number">,
    Option<"required", "required", "bool", "false",
    "whether a function from int[n] to [n, …] for which no cache can be derived is an error">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numCaches", "caches", "caches derived">,
    Statistic<"numRings", "rings", "caches that keep a window alone">,
    Statistic<"numSteps", "steps", "functions made steps">];
}

def CheckAssertionsPass : Pass<"attn-check-assertions", "::mlir::ModuleOp"> {
  let summary = "holds the derived caches against what the program asserts of them";
  let description = [{
    `assert bytes_per_token(kv) <= 24 KiB` can't be decided before the cache is
    derived. The module carries such assertions as `heed.assertions`; they are
    decided and removed. The cost is the sum over the arguments with
    `heed.arg = "cache"` of all that isn't their axis of tokens; a ring, whose axis is
    static, doesn't grow and costs 0. It is 0 where no cache was derived. One that
    doesn't hold is an error at its `place`.

    Needs: `attn-derive-cache`.
    Guarantees: no `heed.assertions`.

    Before:
    ```
    module attributes {heed.assertions = [
      {bound = 24576 : i64, condition = "bytes_per_token(kv) <= 24 KiB", cost_on_left,
       place = loc("m.heed":9:8), relation = "<="}
    ]} {
    ```
    After:
    ```
    module {
    ```
  }];
  let statistics = [
    Statistic<"numAssertions", "assertions", "assertions that were decided">];
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

def FuseAttentionPass : Pass<"attn-fuse-attention", "::mlir::func::FuncOp"> {
  let summary = "fuses scores, modifiers, mask, softmax and weighing into one op";
  let description = [{
    Before:
    ```
    %S = attn.scores %Q, %K scale 0.125
    %C = linalg.generic … ins(%S) { 30 * tanh(s / 30) }
    %M = attn.mask %C { j <= i }
    %A = attn.softmax %M dimension 2
    %Z = attn.weigh %A, %V
    %T = linalg.transpose ins(%Z) permutation = [1, 0, 2]
    ```
    After:
    ```
    %T = attn.attention %Q, %K, %V scale 0.125 rows_first
    score { 30 * tanh(s / 30) } mask { j <= i }
    ```

    Every elementwise op between the scores and their mask goes into the score region
    in its order; where it reads other tensors, the region reads their elements. Several
    masks show what all of them show. A modifier after a mask isn't fused, since it would
    see -inf.

    Needs: `attn-recognise`.
    Guarantees: means the same. An `attn.weigh` whose steps can't be fused stays and gets a
    remark that says why, among them one whose pattern or scores are read elsewhere, and so
    asked for by name, and one whose heads or their width are known at run time only.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numFused", "fused", "attentions fused">];
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

#endif // HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD
