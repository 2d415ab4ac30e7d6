//===- Passes.td - passes of this room -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TRANSFORMS_PASSES_TD
#define HEED_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FactorContractionsPass : Pass<"heed-factor-contractions", "::mlir::func::FuncOp"> {
  let summary = "splits a sum of products of three or more tensors into the cheapest pairs";
  let description = [{
    A formula such as the update of one head, `sum[k, j] Vup[e, k] * A[i, j] * V[j, k]`,
    is one `linalg.generic` that multiplies every factor for every combination of its
    indices. This pass splits it into a tree of contractions of two factors each whose
    multiply-adds are fewest:

    ```
    Z[i, k]  = sum[j] A[i, j] * V[j, k]
    dE[i, e] = sum[k] Vup[e, k] * Z[i, k]
    ```

    Sizes known only at run time count as 4096. Two weights are not multiplied by
    each other while anything else is left, since that would need their dense copies.
    A factor that has none of the summed indices is multiplied last, elementwise.
    An intermediate result has the axes of its first factor, then those of its second;
    an attention pattern always is the first.

    Needs: contractions as `attn::Contraction` describes them, which MLIRGen makes.
    Guarantees: no contraction of more than two factors is left, but for those with more
    than ten factors, which get a remark. Constant factors end up in the last product.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numFactored", "factored", "contractions split into pairs">];
}

def SplitLayersPass : Pass<"heed-split-layers", "::mlir::func::FuncOp"> {
  let summary = "gives layers of different kinds loops of their own";
  let description = [{
    Where a condition on the layer's number, such as `l % 6 == 5`, makes the layers of a
    loop differ, the loop becomes one over the periods of the pattern, which holds a loop
    for each run of equal layers; layers beyond the last whole period follow. In each
    of them the condition is a constant, so that what a layer's mask says of its cache is
    known for it alone. A run of one layer needs no loop. The code grows with the runs of
    one period, not with the layers.

    Before, with 18 layers:
    ```
    scf.for %l = 0 to 18 step 1 iter_args(%E) { … %r = remui %l, 6 … %global = cmpi eq, %r, 5 … }
    ```
    After:
    ```
    scf.for %p = 0 to 3 step 1 iter_args(%E) {
      %b = muli %p, 6
      scf.for %r = 0 to 5 step 1 iter_args(%E) { %l = addi %b, %r … false … }
      %l = addi %b, 5 … true …
    }
    ```

    Needs: loops from 0 to a constant, in steps of 1.
    Guarantees: values are computed from the same operations in the same order. Loops that would
    be copied more than `max-copies` times stay, with a remark.
  }];
  let options = [
    Option<"maxCopies", "max-copies", "int64_t", "8",
           "the most copies of a loop's body, in copies">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
  let statistics = [Statistic<"numSplit", "split", "loops split by kinds of layers">];
}

def ExportFunctionsPass : Pass<"heed-export-functions", "::mlir::ModuleOp"> {
  let summary = "gives public functions memory at their boundary";
  let description = [{
    A public function's tensors become memrefs without strides or offset, which the
    caller owns. Results, and the caches of a step, are written where the caller
    wants them, so the function allocates nothing that outlives it. Where a result comes
    from one of several branches, the tasks of all of them write there.

    The arguments' order is params, past, first, caches, results; `heed.arg` says
    which one is, and `heed.name` what the program calls it. Results are named by
    their `heed.name`, or after the function. Dynamic sizes are those of the memrefs;
    where there are several, `heed.shape` says which size an axis has, and becomes the
    `heed.dims` that convert-entry-points and the artefact read.

    Before:
    ```
    func.func @f(%tokens: tensor<?xi32> {heed.arg = "param", …}, %past: index {…}, %first: index {…},
        %K: tensor<2x1x?x4xf32> {heed.arg = "cache", …}) -> (tensor<?x8xf32>, tensor<2x1x?x4xf32>)
    ```
    After:
    ```
    func.func @f(%tokens: memref<?xi32> {heed.arg = "param", …}, %past: index {…}, %first: index {…},
        %K: memref<2x1x?x4xf32> {heed.arg = "cache", …},
        %out: memref<?x8xf32> {heed.arg = "result", heed.name = "f"}) {
      %t = bufferization.to_tensor %tokens restrict : memref<?xi32> to tensor<?xi32>
      %c = bufferization.to_tensor %K restrict writable : memref<2x1x?x4xf32> to tensor<2x1x?x4xf32>
      …
      bufferization.materialize_in_destination %c1 in restrict writable %K : …
      bufferization.materialize_in_destination %r in restrict writable %out : …
      return
    }
    ```

    Needs: functions that nothing in the module calls; of a step's results, the last
    ones are its caches, in the order of the cache arguments.
    Guarantees: no function has results, and no public one a tensor argument.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [Statistic<"numExported", "exported", "functions exported">];
}

def ExpandMathPass : Pass<"heed-expand-math"> {
  let summary = "writes exp, tanh, erf and log as polynomials";
  let description = [{
    `math.exp`, `math.exp2`, `math.tanh`, `math.erf` and `math.log` on f32 become the
    arithmetic of a polynomial approximation, so that loops around them vectorise
    instead of calling the C library element by element. Powers with a constant exponent
    such as 2 or 0.5 become products and roots. The integer of `math.roundeven` becomes
    `llvm.intr.lrint`, an instruction that rounds to even by itself.

    With `fastmath<afn>`, which `attn-approximate-functions` sets, `math.exp`, `math.tanh` and
    `math.erf` get polynomials of fewer terms, which are right to one part in 2^13.

    Before: `%1 = math.exp %0 : f32`. After: `arith` and `math.fma` ops only.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

def FuseElementwisePass : Pass<"heed-fuse-elementwise"> {
  let summary = "joins elementwise ops with their only reader";
  let description = [{
    An elementwise `linalg.generic` on tensors whose only reader is another
    `linalg.generic` of the same block becomes part of it, so that its tensor is
    never stored. Sines, cosines, powers, tanh and erf aren't moved to where each
    of their elements would be computed more than once, and nothing moves into a
    loop: a table that is the same in every layer is made once.

    What reads a `linalg.transpose` that leaves the innermost axis where it is reads
    the tensor in front of it.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numFused", "fused", "Number of producers judged worth fusing">];
}

def MergeTasksPass : Pass<"heed-merge-tasks"> {
  let summary = "runs parallel loops that don't depend on each other as one";
  let description = [{
    Each parallel loop ends with a wait for all threads, which is long next to what a layer
    has to do for one new token. Between ops that nothing may pass, loops are put in another
    order where the buffers that they touch allow it, and merged:

    * loops over chunks of the same rows, also where one reads what the other wrote, if each
      task then reads only rows of its own: a norm's sum, the norm and the rounding of its
      rows become one loop. Where each is a loop over rows outermost, they are joined row by
      row, and a buffer that nobody else touches becomes a row of each task's own, which stays
      in the first-level cache. A loop that is ready waits for one over its rows that alone
      needs it next;
    * loops over chunks of different rows that have nothing to do with each other, such as
      the rotations of all keys and of some queries: a task of the longer loop finds no rows
      of the shorter one where that has ended;
    * loops over blocks of weights that read the same and write apart, such as queries, keys
      and values: their tasks become those of one loop.

    Needs memref form; distinct allocations, and arguments of an entry, are distinct memory.

    Before:
    ```mlir
    scf.forall (%t) in (18) { … %Q … }
    scf.forall (%t) in (6) { … %K … }
    ```
    After:
    ```mlir
    scf.forall (%t) in (24) { scf.if %t < 18 { … %Q … } else { … %K … } }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
  let statistics = [
    Statistic<"numMerged", "merged", "Number of loops that became part of another">,
    Statistic<"numShrunk", "shrunk", "Number of buffers of which a row is left">];
}

def ShareBuffersPass : Pass<"heed-share-buffers", "::mlir::func::FuncOp"> {
  let summary = "lets buffers that are never in use together share memory";
  let description = [{
    A buffer that a round of a sequential loop allocates is taken out of the loop, where its size
    is known before it and it isn't handed to the next round. Seen from outside it is in use while
    the loop runs. Where a round's size is less than a size known before the loop, a difference
    that doesn't wrap around, the buffer is that large, and the round takes a part of it.
    Of buffers of one block that have the same type and size, each takes the memory
    of one whose last use is over. So loops for layers of different kinds, which
    `heed-split-layers` makes, need the buffers of one.

    What a parallel loop allocates stays where it is: each task has its own.

    Needs memref form without deallocations; comes after `heed-merge-tasks`, which lets loops run together
    that touch different buffers.

    Before:
    ```mlir
    scf.for %l = … { %a = memref.alloc(%n) : memref<?x64xf32> … }
    scf.for %l = … { %b = memref.alloc(%n) : memref<?x64xf32> … }
    ```
    After:
    ```mlir
    %a = memref.alloc(%n) : memref<?x64xf32>
    scf.for %l = … { … %a … }
    scf.for %l = … { … %a … }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
  let statistics = [
    Statistic<"numTakenOut", "taken-out", "Number of buffers taken out of a loop, once for each loop">,
    Statistic<"numShared", "shared", "Number of buffers that took another's memory">];
}

#endif // HEED_TRANSFORMS_PASSES_TD
