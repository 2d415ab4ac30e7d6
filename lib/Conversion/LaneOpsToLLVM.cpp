//===- LaneOpsToLLVM.cpp - what lanes have instructions for, as those -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Conversion/Passes.h"
#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#define DEBUG_TYPE "convert-lane-ops-to-llvm"

namespace heed {
#define GEN_PASS_DEF_LANEOPSTOLLVMPASS
#include "heed/Conversion/Passes.h.inc"
} // namespace heed

using namespace mlir;
using namespace heed::attn;

/// The instructions' names.
static constexpr StringLiteral kDotBytes = "llvm.x86.avx512.vpdpbusd.512",
                               kDotBytesOfHalf = "llvm.x86.avx512.vpdpbusd.256",
                               kDotPairs = "llvm.x86.avx512bf16.dpbf16ps.512",
                               kRound = "llvm.x86.avx512bf16.cvtne2ps2bf16.512",
                               kScaleByPower = "llvm.x86.avx512.mask.scalef.ps.512";
/// Those of words of 16 bits, for registers of 16 lanes and of 8.
static constexpr StringLiteral kWordsOfBytes[] = {"llvm.x86.avx512.pmaddubs.w.512",
                                                  "llvm.x86.avx2.pmadd.ub.sw"},
                               kProductsOfWords[] = {"llvm.x86.avx512.pmaddw.d.512",
                                                     "llvm.x86.avx2.pmadd.wd"};
/// The rounding of the processor's current mode, as an immediate.
static constexpr int32_t kCurrentRounding = 4;

static bool isVectorOf(Type type, int64_t count, function_ref<bool(Type)> isElement) {
  auto vector = dyn_cast<VectorType>(type);
  return vector && vector.getRank() == 1 && vector.getDimSize(0) == count &&
         isElement(vector.getElementType());
}

/// What `value` is rounded from, if that is 16 f32.
static Value roundedFrom(Value value) {
  auto truncate = value.getDefiningOp<arith::TruncFOp>();
  bool isHalf = isVectorOf(value.getType(), 16, [](Type type) { return type.isBF16(); });
  if (!isHalf || !truncate || !getElementTypeOrSelf(truncate.getIn().getType()).isF32())
    return {};
  return truncate.getIn();
}

/// Two vectors of 16 f32 as one of 32 bf16, which is one instruction; each alone is one, too.
static Value roundBoth(OpBuilder &builder, Location loc, Value first, Value second) {
  auto type = VectorType::get({32}, builder.getBF16Type());
  return LLVM::CallIntrinsicOp::create(builder, loc, type, builder.getStringAttr(kRound),
                                       ValueRange{second, first})
      .getResult(0);
}

/// 32 f32 rounded at once.
static void roundWhole(arith::TruncFOp op) {
  OpBuilder builder(op);
  auto half = [&](int64_t first) -> Value {
    return vector::ExtractStridedSliceOp::create(builder, op.getLoc(), op.getIn(), first, 16, 1);
  };
  op.replaceAllUsesWith(roundBoth(builder, op.getLoc(), half(0), half(16)));
  op.erase();
}

/// The numbers of two vectors rounded and taken in turns: side by side first, then moved by one
/// shuffle of 16-bit numbers.
static bool roundInterleaved(vector::InterleaveOp op) {
  Value even = roundedFrom(op.getLhs()), odd = roundedFrom(op.getRhs());
  if (!even || !odd)
    return false;
  OpBuilder builder(op);
  Value both = roundBoth(builder, op.getLoc(), even, odd);
  SmallVector<int64_t> turns;
  for (int64_t lane = 0; lane < 16; ++lane)
    turns.append({lane, lane + 16});
  Value moved = vector::ShuffleOp::create(builder, op.getLoc(), both, both, turns);
  op.replaceAllUsesWith(moved);
  op.erase();
  return true;
}

namespace {

struct LaneOpsToLLVMPass : heed::impl::LaneOpsToLLVMPassBase<LaneOpsToLLVMPass> {
  using LaneOpsToLLVMPassBase::LaneOpsToLLVMPassBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    bool hasPairs = false;
    getOperation()->walk([&](Operation *op) {
      if (isa<DotBytesOp, DotWordsOp, DotPairsOp, ScaleByPowerOp>(op))
        ops.push_back(op);
      hasPairs |= isa<DotPairsOp>(op);
    });
    if (hasPairs) // the processor rounds to bf16, too
      roundPairs();
    for (Operation *op : ops) {
      auto lanes = cast<VectorType>(op->getResult(0).getType());
      int64_t perLane = isOfWords(lanes) ? 2 : 1;
      if (lanes.getNumElements() != 16 * perLane) {
        op->emitOpError("has ") << lanes.getNumElements() / perLane
                                << " lanes, expected the 16 of a register";
        return signalPassFailure();
      }
      if (nativeLanes < 16 && !isa<DotBytesOp, DotWordsOp>(op)) {
        op->emitOpError("has no instruction in registers of ") << int64_t(nativeLanes) << " lanes";
        return signalPassFailure();
      }
      if (auto power = dyn_cast<ScaleByPowerOp>(op)) {
        convertPower(power);
        ++numPowers;
        continue;
      }
      OpBuilder builder(op);
      Value result = nativeLanes >= 16 ? buildRegister(builder, op, op->getOperands())
                                       : buildHalves(builder, op);
      op->getResult(0).replaceAllUsesWith(result);
      op->erase();
      ++numProducts;
    }
  }

  void roundPairs() {
    SmallVector<vector::InterleaveOp> turns;
    SmallVector<arith::TruncFOp> whole;
    getOperation()->walk([&](vector::InterleaveOp op) { turns.push_back(op); });
    getOperation()->walk([&](arith::TruncFOp op) {
      if (isVectorOf(op.getType(), 32, [](Type type) { return type.isBF16(); }) &&
          getElementTypeOrSelf(op.getIn().getType()).isF32())
        whole.push_back(op);
    });
    for (vector::InterleaveOp op : turns)
      numRoundings += roundInterleaved(op);
    for (arith::TruncFOp op : whole)
      roundWhole(op);
    numRoundings += whole.size();
  }

private:
  /// The instruction has a mask; here no lane is left out.
  static void convertPower(ScaleByPowerOp op) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    auto integer = [&](int64_t value, unsigned bits) -> Value {
      return arith::ConstantOp::create(builder, loc,
                                       builder.getIntegerAttr(builder.getIntegerType(bits), value));
    };
    Value nothing = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(op.getType()));
    op.getResult().replaceAllUsesWith(call(
        builder, loc, kScaleByPower, op.getType(),
        {op.getX(), op.getExponent(), nothing, integer(-1, 16), integer(kCurrentRounding, 32)}));
    op.erase();
  }

  static Value call(OpBuilder &builder, Location loc, StringRef intrinsic, Type result,
                    ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(builder, loc, result, builder.getStringAttr(intrinsic),
                                         operands)
        .getResult(0);
  }

  static bool isOfWords(Type type) { return getElementTypeOrSelf(type).isInteger(16); }

  /// What the op becomes of `operands`, which fill a register each.
  static Value buildRegister(OpBuilder &builder, Operation *op, ValueRange operands) {
    Location loc = op->getLoc();
    Value sum = operands[0];
    auto type = cast<VectorType>(sum.getType());
    bool isHalf = type.getNumElements() == (isOfWords(type) ? 16 : 8);
    if (isa<DotPairsOp>(op))
      return call(builder, loc, kDotPairs, type, operands);
    if (isa<DotBytesOp>(op) && !isOfWords(type))
      return call(builder, loc, isHalf ? kDotBytesOfHalf : kDotBytes, type, operands);
    StringRef intrinsic = (isa<DotBytesOp>(op) ? kWordsOfBytes : kProductsOfWords)[isHalf];
    Value products = call(builder, loc, intrinsic, type, operands.drop_front());
    return arith::AddIOp::create(builder, loc, sum, products);
  }

  static Value buildHalves(OpBuilder &builder, Operation *op) {
    Location loc = op->getLoc();
    Value result = op->getOperand(0);
    for (int64_t half = 0; half < 2; ++half) {
      SmallVector<Value> parts;
      for (Value operand : op->getOperands()) {
        int64_t length = cast<VectorType>(operand.getType()).getNumElements() / 2;
        parts.push_back(
            vector::ExtractStridedSliceOp::create(builder, loc, operand, half * length, length, 1));
      }
      Value sums = buildRegister(builder, op, parts);
      int64_t place = half * cast<VectorType>(sums.getType()).getNumElements();
      result = vector::InsertStridedSliceOp::create(builder, loc, sums, result, place, 1);
    }
    return result;
  }
};

} // namespace
