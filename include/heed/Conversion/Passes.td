//===- Passes.td - passes of this room -*- tablegen -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_PASSES_TD
#define HEED_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def EntryPointsPass : Pass<"convert-entry-points", "::mlir::ModuleOp"> {
  let summary = "gives exported functions the runtime's call";
  let description = [{
    Each exported function becomes `@<name>_entry(%context, %ints, %buffers)` of
    three `!llvm.ptr`, the `heed_entry` of heed/Runtime/Artifact.h. Its body is the
    function's, below code that reads run-time sizes, past, first and capacity
    from `ints` and makes memrefs of the base addresses in `buffers`. The entry
    block's argument 0 is the call's `heed_context`, and the attribute `heed.entry`
    holds the function's own name.

    Which size a dynamic axis has is said by the argument's `heed.dims` (a size;
    -1 - s for run-time size s; -1000 for the caches' capacity; -2000 for n - first)
    or follows from its `heed.arg`.

    Needs `heed-export-functions` and bufferized bodies. Afterwards no function
    carries `heed.arg`.

    Before:
    ```mlir
    func.func @double(%x: memref<?xf32> {heed.arg = "param"},
                      %y: memref<?xf32> {heed.arg = "result"})
        attributes {heed.sizes = ["n"]}
    ```
    After:
    ```mlir
    func.func @double_entry(%context: !llvm.ptr, %ints: !llvm.ptr, %buffers: !llvm.ptr)
        attributes {heed.entry = "double", heed.sizes = ["n"]}
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
  let statistics = [
    Statistic<"numEntries", "entries", "Number of functions that became entries">,
    Statistic<"numArguments", "arguments", "Number of arguments unpacked">
  ];
}

def AttnToVectorPass : Pass<"convert-attn-to-vector"> {
  let summary = "attn ops on memrefs become loops of vector code";
  let description = [{
    `attn.project`, `attn.embed` and `attn.online_attention` become `scf` loops
    around `vector` ops, all in vectors of 16 lanes and with sums in registers.
    Projections and embeddings are divided into tasks by an `scf.forall`; how they
    are divided doesn't depend on the number of threads.

    Weights are read through a pointer, `builtin.unrealized_conversion_cast` of
    the `!attn.weight`, which `convert-weights-to-llvm` resolves; how their bytes
    lie is said by heed/Weights/PanelLayout.h.

    Needs memref form. Afterwards none of the three ops is left.
  }];
  let options = [
    Option<"nativeLanes", "native-lanes", "int64_t", "16",
           "f32 lanes of the instruction set's registers: 16 (AVX-512) or 8 (AVX2)">,
    Option<"invariant", "invariant", "bool", "false",
           "whether a row's result must not depend on how many rows a call has">,
    Option<"vnni", "vnni", "bool", "true",
           "whether fours of bytes are multiplied and added up at once (AVX-512 VNNI, AVX-VNNI)">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
  let statistics = [Statistic<"numKernels", "kernels", "Number of ops converted">];
}

def WeightsToLLVMPass : Pass<"convert-weights-to-llvm", "::mlir::ModuleOp"> {
  let summary = "weights become addresses from the call's table";
  let description = [{
    `attn.get_weight` loads its address from the `weights` table of the call's
    heed_context (heed/Runtime/Artifact.h), which is argument 0 of the entry;
    `attn.dequantize` makes a memref of a dense weight's address, and `attn.announce`
    a prefetch of the first byte, with the number of bytes as the attribute `heed.bytes`;
    `attn.prefetch` becomes a prefetch for each cache line.

    Needs `convert-entry-points` and `convert-attn-to-vector`; what the artefact says
    of its weights must have been read before. Afterwards no weight is left.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def LaneOpsToLLVMPass : Pass<"convert-lane-ops-to-llvm"> {
  let summary = "what lanes have instructions for becomes them: dot products, powers, rounding";
  let description = [{
    `attn.dot_bytes` of 16 lanes becomes the intrinsic of `vpdpbusd`, which the
    instruction sets named avx512vnni and avx512bf16 have, `attn.dot_pairs` that of
    `vdpbf16ps`, which only the latter has. Where registers have 8 lanes (avx2vnni),
    `attn.dot_bytes` becomes two of them, one for each half of the lanes. With sums of 16 bits
    it becomes `vpmaddubsw` and an addition, and `attn.dot_words` becomes `vpmaddwd` and an
    addition, which all instruction sets have. Where there
    are products of bf16, 32 numbers that are
    rounded to bf16 at once, or 16 and 16 that are interleaved, are rounded by one `vcvtne2ps2bf16`.
    `attn.scale_by_power` of 16 lanes becomes the intrinsic of `vscalefps`, which AVX-512 has.

    Before: `%0 = attn.dot_bytes %sum, %weights, %quants : vector<16xi32>, vector<64xi8>`. After:
    ```mlir
    %0 = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%sum, %weights, %quants) : …
    ```
  }];
  let options = [Option<"nativeLanes", "native-lanes", "int64_t", "16",
                        "f32 lanes of the instruction set's registers: 16 (AVX-512) or 8 (AVX2)">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::vector::VectorDialect"];
  let statistics = [
    Statistic<"numProducts", "products", "Number of dot products converted">,
    Statistic<"numPowers", "powers", "Number of ops on exponents converted">,
    Statistic<"numRoundings", "roundings", "Number of conversions of 32 numbers to bf16">];
}

def LinalgToRowLoopsPass : Pass<"convert-linalg-to-row-loops"> {
  let summary = "linalg ops on memrefs become scalar loops over rows";
  let description = [{
    Each linalg op becomes a nest of `scf.for`: its parallel axes outside, its
    reductions inside with their sums in registers. The first parallel axis of
    dynamic length is divided into tasks of `rows` rows by an `scf.forall`, unless
    the op already is inside one, and comes outermost, unless it was innermost. An
    innermost loop whose places depend on a small remainder (pairs read crosswise)
    is built in whole periods, in which they don't. LLVM vectorises the innermost loops; sums may be
    reassociated for that.

    Needs memref form. Afterwards no linalg op is left.
  }];
  let options = [Option<"rows", "rows", "int64_t", "8", "rows of a task">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
  let statistics = [Statistic<"numNests", "nests", "Number of ops converted">];
}

def ForallToTasksPass : Pass<"convert-forall-to-tasks", "::mlir::ModuleOp"> {
  let summary = "parallel loops become tasks of the runtime's pool";
  let description = [{
    One call of an entry forms one team of threads. What lies between the entry's
    first parallel loop and its last moves to a function that all threads of the team
    run (`heed_run_team`, heed/Runtime/Artifact.h), with a struct of the values that
    it uses. In it each outermost `scf.forall` becomes a call of `heed_run_tasks`,
    with its body as a function, and again a struct of values.

    All threads must come by the same loops, so the team's function has no effects
    outside of them: memory is allocated in front of it and freed behind it, and a
    copy, or a loop that stores, becomes a parallel loop of one task. Where that is
    impossible, because the size of memory depends on a loop's round or a bound is
    loaded, the entry forms several teams, down to one for each loop.

    Where a body announces what it reads first, by a prefetch with the attribute
    `heed.bytes` (made of `attn.announce`), a third function asks memory for that, a piece at each call. Threads
    that wait for other tasks call it.

    An `scf.forall` inside another runs as plain loops: nested parallelism costs more
    than it gives. Small buffers of a task move to its stack; others are freed at its end.

    Needs memref form, `convert-entry-points` and `convert-weights-to-llvm`.
    Afterwards no `scf.forall` is left.
  }];
  let options = [
    Option<"stackBytes", "stack-bytes", "int64_t", "65536",
           "the largest buffer that a task keeps on its stack">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
  let statistics = [Statistic<"numTeams", "teams", "Number of teams">,
                    Statistic<"numTasks", "tasks", "Number of loops outlined">,
                    Statistic<"numTouched", "touched", "Number of loops whose data waiting threads ask for">];
}

def ProgramToLLVMPass : Pass<"convert-program-to-llvm", "::mlir::ModuleOp"> {
  let summary = "what is left of a program becomes the LLVM dialect, at once";
  let description = [{
    Vectors are first taken apart into what instructions can do: masks become vectors
    of comparisons, vectors of several axes several vectors. Then `affine`, `arith`, `cf`,
    `func`, `index`, `math`, `memref`, `ub` and `vector` are converted by one conversion,
    with the patterns of MLIR's passes for each. One costs half of what these passes cost
    one after another, since each walks the program and casts what others convert.

    Memory comes from the runtime's allocator (`_mlir_memref_to_llvm_alloc`).

    Needs `convert-forall-to-tasks` and loops as `cf`. Afterwards there is no op of
    another dialect, but for pairs of casts that `reconcile-unrealized-casts` removes.

    Before: `%0 = vector.fma %a, %b, %c : vector<16xf32>`. After:
    `%0 = llvm.intr.fmuladd(%a, %b, %c) : (vector<16xf32>, vector<16xf32>, vector<16xf32>) -> vector<16xf32>`
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::cf::ControlFlowDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // HEED_CONVERSION_PASSES_TD
