//===- Passes.td - passes from attn to attn -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD
#define HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD

include "heed/Dialect/Attn/Transforms/TiledPasses.td"
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
    results. Of an `attn.attention` it narrows the queries. It stops at loops, whose other
    rounds need all rows: `attn-skip-unasked-rows` goes on there. So a prompt whose last
    row alone is asked for pays for one row of the unembedding.

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

def SkipUnaskedRowsPass : Pass<"attn-skip-unasked-rows", "::mlir::func::FuncOp"> {
  let summary = "computes, in a loop's last round, only the rows that are read of its result";
  let description = [{
    Of a loop over layers, whose result is read from some row on alone, the last round needs the
    rows before only for keys and values, as the caches keep them. So a row to begin with is
    chosen at run time, the first one in every round but the last, and what is no one
    else's is computed from that row on: queries, attention, projections and norms. The rows
    are put into the carried tensor, of which the others stay as they were. A prompt whose
    last row alone is asked for pays for one row of its last layer.

    Before:
    ```
    %r = scf.for %l = %c0 to %c30 step %c1 iter_args(%E = %E_0) -> tensor<?x8xf32> {
      %K = attn.project key %E, %Wk
      %Z = attn.attention %Q, %K, %K { j <= i }
      %F = attn.project output %Z, %Wo contracted 2 : … -> tensor<?x8xf32>
      scf.yield %F
    }
    %asked = tensor.extract_slice %r[%first, 0] [%asked, 8] [1, 1]
    ```
    After:
    ```
    %n = tensor.dim %E_0, %c0
    %r = scf.for %l = %c0 to %c30 step %c1 iter_args(%E = %E_0) -> tensor<?x8xf32> {
      %next = arith.addi %l, %c1
      %is_last = arith.cmpi sge, %next, %c30
      %from = arith.select %is_last, %first, %c0
      %rows = arith.subi %n, %from overflow<nuw>
      %K = attn.project key %E, %Wk
      %Q_0 = tensor.extract_slice %Q[0, %from, 0] [3, %rows, 8] [1, 1, 1]
      %Z = attn.attention %Q_0, %K, %K { j <= %from + i }
      %F = attn.project output %Z, %Wo contracted 2 : … -> tensor<?x8xf32>
      %E_1 = tensor.insert_slice %F into %E[%from, 0] [%rows, 8] [1, 1]
      scf.yield %E_1
    }
    %asked = tensor.extract_slice %r[%first, 0] [%asked, 8] [1, 1]
    ```

    A loop in the loop whose result is yielded as it is, or read from that row on alone, is
    narrowed too. Nothing is done where the yielded tensor isn't computed row by row, and
    nothing to a loop that is read whole.

    Needs: `attn-narrow-result`, before destinations are added. What doesn't change from round
    to round has left the loop already: a slice of it is cheaper than its rows computed anew.
    Guarantees: all rows of the loop's result that anyone reads stay the same.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numLoops", "loops", "loops whose last round computes fewer rows">,
    Statistic<"numNarrowed", "narrowed", "ops that compute fewer rows in the last round">];
}

#endif // HEED_DIALECT_ATTN_TRANSFORMS_PASSES_TD
