//===- Pipelines.cpp - the phases as pass pipelines -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Pipelines/Pipelines.h"

#include "heed/Conversion/Passes.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace heed;

std::optional<Phase> heed::parsePhase(StringRef name) {
  return llvm::StringSwitch<std::optional<Phase>>(name)
      .Case("formula", Phase::Formula)
      .Case("attn", Phase::Attn)
      .Case("fused", Phase::Fused)
      .Case("tiled", Phase::Tiled)
      .Case("vector", Phase::Vector)
      .Case("llvm", Phase::LLVM)
      .Default(std::nullopt);
}

void heed::buildAttnPipeline(OpPassManager &manager, const PipelineOptions &) {
  // Sums of patterns, and products of three factors, hide the attention in them: split them first.
  manager.addNestedPass<func::FuncOp>(attn::createSplitWeighingPass());
  manager.addNestedPass<func::FuncOp>(createFactorContractionsPass());
  manager.addNestedPass<func::FuncOp>(attn::createRecognisePass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void heed::buildFusedPipeline(OpPassManager &manager, const PipelineOptions &options) {
  // Layers of different kinds have caches of different sizes.
  manager.addNestedPass<func::FuncOp>(createSplitLayersPass());
  manager.addPass(createCanonicalizerPass());
  // What attention reads is what is cached: first make that small, and one.
  manager.addNestedPass<func::FuncOp>(attn::createAbsorbProjectionsPass());
  manager.addNestedPass<func::FuncOp>(attn::createMergeScoresPass());
  // The cache needs to see scores and values apart, so it comes before fusion.
  attn::DeriveCachePassOptions derive;
  derive.required = options.requireCache;
  derive.cacheType = options.cacheType;
  derive.chunk = options.chunk;
  derive.keyTile = options.keyTile;
  manager.addPass(attn::createDeriveCachePass(derive));
  manager.addPass(attn::createCheckAssertionsPass());
  if (options.fuseAttention)
    manager.addNestedPass<func::FuncOp>(attn::createFuseAttentionPass());
  manager.addNestedPass<func::FuncOp>(attn::createNarrowResultPass());
  // Tables that are the same in every layer leave the loop before fusion could pull them into it,
  // and equal ones (the rotation's, for queries and keys) become one.
  manager.addPass(createCSEPass());
  manager.addPass(createLoopInvariantCodeMotionPass());
  manager.addPass(createFuseElementwisePass());
  // Those tables are outside the loop now, where slices of rows don't follow.
  manager.addNestedPass<func::FuncOp>(attn::createSkipUnaskedRowsPass());
  manager.addPass(createCSEPass());
}

void heed::buildTiledPipeline(OpPassManager &manager, const PipelineOptions &options) {
  // What could not be fused becomes plain loops.
  manager.addNestedPass<func::FuncOp>(attn::createDecomposePass());
  attn::NarrowAttentionPassOptions attention;
  attention.type = options.attentionType;
  manager.addNestedPass<func::FuncOp>(attn::createNarrowAttentionPass(attention));
  attn::TileAttentionPassOptions tile;
  tile.lanes = options.nativeLanes >= 16 ? 32 : 16;
  tile.keyTile = options.keyTile;
  // Keys that are divided are summed in another order than a longer call sums them.
  tile.splitKeys = !options.invariant;
  manager.addPass(attn::createTileAttentionPass(tile));
  manager.addPass(attn::createLowerCachePass());
  manager.addPass(attn::createAddDestinationsPass());
  attn::NarrowActivationsPassOptions narrow;
  narrow.int8 = options.int8;
  narrow.bf16 = options.bf16;
  narrow.vnni = options.vnni;
  manager.addNestedPass<func::FuncOp>(attn::createNarrowActivationsPass(narrow));
  attn::FuseEpiloguesPassOptions epilogues;
  // Sixteen registers of eight numbers are too few for tiles of two weights.
  epilogues.mostWeights = options.nativeLanes >= 16 ? 2 : 1;
  manager.addNestedPass<func::FuncOp>(attn::createFuseEpiloguesPass(epilogues));
  // What is rounded, and where, is known now.
  manager.addNestedPass<func::FuncOp>(attn::createApproximateFunctionsPass());
  manager.addPass(attn::createAssignLayoutsPass());
  attn::ChooseTilesPassOptions tiles;
  tiles.nativeLanes = options.nativeLanes;
  tiles.tiles = SmallVector<std::string>(options.tiles.begin(), options.tiles.end());
  manager.addNestedPass<func::FuncOp>(attn::createChooseTilesPass(tiles));
  // No CSE from here on: two projections with one destination could not run at the same time.
  manager.addPass(createCanonicalizerPass());
  // The artefact describes itself from the functions' boundaries as they are now.
  manager.addPass(createExportFunctionsPass());
}

void heed::buildVectorPipeline(OpPassManager &manager, const PipelineOptions &options) {
  // A tensor that is made only to be put into another one is computed in place.
  manager.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  // A loop that exchanges what it carries can't keep one buffer for each.
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion = bufferization::LayoutMapOption::IdentityLayoutMap;
  bufferize.unknownTypeConversion = bufferization::LayoutMapOption::IdentityLayoutMap;
  manager.addPass(bufferization::createOneShotBufferizePass(bufferize));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  // Buffers are allocated before what they are for, so that loops can be put in another order.
  manager.addNestedPass<func::FuncOp>(bufferization::createBufferHoistingPass());
  // Sizes that are the same in every round are known before the loop, and so is room of that size.
  manager.addPass(createLoopInvariantCodeMotionPass());
  manager.addPass(createEntryPointsPass());
  AttnToVectorPassOptions kernels;
  kernels.nativeLanes = options.nativeLanes;
  kernels.invariant = options.invariant;
  kernels.vnni = options.vnni;
  manager.addPass(createAttnToVectorPass(kernels));
  manager.addPass(createLinalgToRowLoopsPass());
  // Equal bounds must be one value for loops over the same rows to be seen as such.
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createMergeTasksPass());
  // Those whose size doesn't depend on the layer are allocated once.
  manager.addNestedPass<func::FuncOp>(createShareBuffersPass());
  // Frees what was allocated, kernels' scratch too; it understands regions of scf only.
  bufferization::buildBufferDeallocationPipeline(
      manager, bufferization::BufferDeallocationPipelineOptions());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void heed::buildLLVMPipeline(OpPassManager &manager, const PipelineOptions &options) {
  manager.addPass(createWeightsToLLVMPass());
  LaneOpsToLLVMPassOptions products;
  products.nativeLanes = options.nativeLanes;
  manager.addPass(createLaneOpsToLLVMPass(products));
  manager.addPass(createForallToTasksPass());
  manager.addPass(createExpandMathPass());
  manager.addPass(memref::createExpandStridedMetadataPass());
  manager.addPass(createLowerAffinePass());
  manager.addPass(createLoopInvariantCodeMotionPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createProgramToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

namespace {
struct NamedPhase {
  Phase phase;
  const char *flag, *summary;
  void (*build)(OpPassManager &, const PipelineOptions &);
};
} // namespace

static const NamedPhase kPhases[] = {
    {Phase::Attn, "heed-attn", "formula to attn: recognise attention", buildAttnPipeline},
    {Phase::Fused, "heed-fused", "attn to fused: derive caches, fuse", buildFusedPipeline},
    {Phase::Tiled, "heed-tiled", "fused to tiled: tile attention", buildTiledPipeline},
    {Phase::Vector, "heed-vector", "tiled to vector: bufferize, vectorise", buildVectorPipeline},
    {Phase::LLVM, "heed-llvm", "vector to llvm: threads, the LLVM dialect", buildLLVMPipeline}};

void heed::buildPipeline(OpPassManager &manager, Phase from, Phase to,
                         const PipelineOptions &options) {
  for (const NamedPhase &named : kPhases)
    if (named.phase > from && named.phase <= to)
      named.build(manager, options);
}

void heed::registerPipelines() {
  for (const NamedPhase &named : kPhases)
    PassPipelineRegistration<PipelineOptions>(named.flag, named.summary, named.build);
}
