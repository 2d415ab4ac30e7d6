//===- ProgramToLLVM.cpp - what is left of a program becomes the LLVM dialect -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Conversion/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#define DEBUG_TYPE "convert-program-to-llvm"

namespace heed {
#define GEN_PASS_DEF_PROGRAMTOLLVMPASS
#include "heed/Conversion/Passes.h.inc"
} // namespace heed

using namespace mlir;

/// Rewrites vectors into what an instruction can do: masks and places of lanes as vectors, vectors
/// of several axes as several vectors.
static void populateVectorSteps(RewritePatternSet &patterns) {
  vector::populateVectorToVectorCanonicalizationPatterns(patterns);
  vector::populateVectorBitCastLoweringPatterns(patterns);
  vector::populateVectorBroadcastLoweringPatterns(patterns);
  vector::populateVectorMaskOpLoweringPatterns(patterns);
  vector::populateVectorShapeCastLoweringPatterns(patterns);
  vector::populateVectorInterleaveLoweringPatterns(patterns);
  vector::populateVectorTransposeLoweringPatterns(patterns,
                                                  vector::VectorTransposeLowering::EltWise);
  vector::populateVectorTransferLoweringPatterns(patterns, /*maxTransferRank=*/1);
  vector::populateVectorMaskMaterializationPatterns(patterns, /*force32BitVectorIndices=*/true);
  vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
  vector::populateVectorStepLoweringPatterns(patterns);
  vector::populateVectorRankReducingFMAPattern(patterns);
  vector::populateVectorGatherLoweringPatterns(patterns);
}

static void populateConversions(const LLVMTypeConverter &types, RewritePatternSet &patterns,
                                SymbolTableCollection &symbols) {
  populateAffineToStdConversionPatterns(patterns);
  vector::populateVectorTransferLoweringPatterns(patterns);
  populateVectorToLLVMConversionPatterns(types, patterns, /*reassociateFPReductions=*/false,
                                         /*force32BitVectorIndices=*/true);
  populateMathToLLVMConversionPatterns(types, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(types, patterns, &symbols);
  populateFuncToLLVMConversionPatterns(types, patterns, &symbols);
  index::populateIndexToLLVMConversionPatterns(types, patterns);
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  arith::populateArithToLLVMConversionPatterns(types, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(types, patterns);
  cf::populateAssertToLLVMConversionPattern(types, patterns);
  ub::populateUBToLLVMConversionPatterns(types, patterns);
}

namespace {

struct ProgramToLLVMPass : heed::impl::ProgramToLLVMPassBase<ProgramToLLVMPass> {
  using ProgramToLLVMPassBase::ProgramToLLVMPassBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet steps(context);
    populateVectorSteps(steps);
    if (failed(applyPatternsGreedily(getOperation(), std::move(steps))))
      return signalPassFailure();

    LowerToLLVMOptions options(context);
    options.useGenericFunctions = true; // the runtime's allocator
    LLVMTypeConverter types(context, options);
    SymbolTableCollection symbols;
    RewritePatternSet patterns(context);
    populateConversions(types, patterns, symbols);
    LLVMConversionTarget target(*context);
    // What an earlier pass left of a conversion meets its other half afterwards.
    target.addLegalOp<ModuleOp, UnrealizedConversionCastOp>();
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
