//===- Pipelines.h - the phases as pass pipelines -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Chooses and orders passes, and nothing else. Each phase starts where the one
// before it stopped:
//
//   formula → attn → fused → tiled → vector → llvm
//
// `heed compile --emit=PHASE` stops after a phase, and `heed-opt --heed-PHASE`
// runs one alone.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_PIPELINES_PIPELINES_H
#define HEED_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

#include <optional>

namespace heed {

/// Named points of a compilation, in order.
enum class Phase { Formula, Attn, Fused, Tiled, Vector, LLVM };

/// The phase of that name, as `--emit` spells it, or nothing.
std::optional<Phase> parsePhase(llvm::StringRef name);

struct PipelineOptions : mlir::PassPipelineOptions<PipelineOptions> {
  Option<bool> requireCache{*this, "require-cache", llvm::cl::init(false),
                            llvm::cl::desc("refuse functions for which no cache can be derived")};
  Option<bool> fuseAttention{
      *this, "fuse-attention", llvm::cl::init(true),
      llvm::cl::desc("make each attention one op; without, its steps are computed one by one")};
  Option<bool> invariant{
      *this, "invariant", llvm::cl::init(false),
      llvm::cl::desc("make each row's result the same, bit by bit, however a "
                     "text is split into calls and whatever else is in a batch")};
  Option<int64_t> nativeLanes{
      *this, "native-lanes", llvm::cl::init(16),
      llvm::cl::desc("f32 lanes of the instruction set's registers: 16 (AVX-512) or 8 (AVX2)")};
  Option<bool> int8{*this, "int8", llvm::cl::init(false),
                    llvm::cl::desc("round rows that meet quantised weights to 8 bits, for the "
                                   "instruction set's dot products")};
  Option<bool> vnni{
      *this, "vnni", llvm::cl::init(true),
      llvm::cl::desc("the instruction set multiplies fours of bytes: AVX-512 VNNI, or "
                     "AVX-VNNI")};
  Option<bool> bf16{*this, "bf16", llvm::cl::init(false),
                    llvm::cl::desc("round rows that meet bf16 weights to bf16, for the same")};
  Option<std::string> attentionType{
      *this, "attention-type", llvm::cl::init("f32"),
      llvm::cl::desc("what attention multiplies: f32, bf16, or auto, which is bf16 in functions "
                     "where rows are rounded too")};
  Option<std::string> cacheType{*this, "cache-type", llvm::cl::init("f32"),
                                llvm::cl::desc("what caches hold: f32, f16, bf16 or int8")};
  Option<int64_t> chunk{*this, "chunk", llvm::cl::init(512),
                        llvm::cl::desc("the most rows that a call brings to a cache that keeps a "
                                       "window; longer texts are fed in several calls")};
  Option<int64_t> keyTile{*this, "key-tile", llvm::cl::init(64),
                          llvm::cl::desc("keys in a tile of attention")};
  ListOption<std::string> tiles{
      *this, "tiles",
      llvm::cl::desc("tiles for products of some kinds, as attn-choose-tiles takes them")};
};

/// formula → attn: products become projections, scores and weighed values.
void buildAttnPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);
/// attn → fused: caches derived, attention one op, elementwise ops joined.
void buildFusedPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);
/// fused → tiled: attention in tiles, layouts and destinations decided; still tensors.
void buildTiledPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);
/// tiled → vector: memory, entry points, loops of vector code.
void buildVectorPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);
/// vector → llvm: tasks of the pool, the LLVM dialect.
void buildLLVMPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);

/// Appends the phases after `from` up to and including `to`.
void buildPipeline(mlir::OpPassManager &manager, Phase from, Phase to,
                   const PipelineOptions &options);

/// Makes each phase known by name: heed-attn, heed-fused, heed-tiled, heed-vector, heed-llvm.
void registerPipelines();

} // namespace heed

#endif // HEED_PIPELINES_PIPELINES_H
