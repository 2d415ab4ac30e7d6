//===- WeightsToLLVM.cpp - weights become addresses from the call's table -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Conversion/Passes.h"
#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#define DEBUG_TYPE "convert-weights-to-llvm"

namespace heed {
#define GEN_PASS_DEF_WEIGHTSTOLLVMPASS
#include "heed/Conversion/Passes.h.inc"
} // namespace heed

using namespace mlir;
using namespace heed::attn;

namespace {

/// What one prefetch asks for.
constexpr int32_t kLineBytes = 64;

struct WeightsToLLVMPass : heed::impl::WeightsToLLVMPassBase<WeightsToLLVMPass> {
  using WeightsToLLVMPassBase::WeightsToLLVMPassBase;

  void runOnOperation() override {
    tables.clear();
    // heed_context::weights has an address for each layer of each weight, in declaration order.
    llvm::StringMap<int64_t> firstAddress;
    int64_t addresses = 0;
    for (auto weight : getOperation().getOps<WeightOp>()) {
      firstAddress[weight.getSymName()] = addresses;
      addresses += std::max<int64_t>(1, weight.getLayers());
    }
    SmallVector<GetWeightOp> gets;
    getOperation()->walk([&](GetWeightOp get) { gets.push_back(get); });
    for (GetWeightOp get : gets)
      if (failed(convert(get, firstAddress.lookup(get.getWeight()))))
        return signalPassFailure();
    for (auto weight : llvm::make_early_inc_range(getOperation().getOps<WeightOp>()))
      weight.erase();
  }

  LogicalResult convert(GetWeightOp get, int64_t first) {
    auto function = get->getParentOfType<func::FuncOp>();
    if (!function || !function->hasAttr("heed.entry"))
      return get.emitOpError("stands in no entry; run convert-entry-points first");
    OpBuilder builder(get);
    Location loc = get.getLoc();
    auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
    Value &table = tables[function];
    if (!table) {
      OpBuilder atEntry = OpBuilder::atBlockBegin(&function.getBody().front());
      table = load(atEntry, function.getLoc(), function.getArgument(0));
    }
    Value number = LLVM::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(first));
    if (Value layer = get.getLayer()) {
      layer = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), layer);
      number = arith::AddIOp::create(builder, loc, number, layer);
    }
    Value place =
        LLVM::GEPOp::create(builder, loc, pointer, pointer, table, ArrayRef<LLVM::GEPArg>{number});
    Value address = load(builder, loc, place);

    for (Operation *user : llvm::make_early_inc_range(get->getUsers())) {
      if (auto cast = dyn_cast<UnrealizedConversionCastOp>(user)) {
        cast.getResult(0).replaceAllUsesWith(address);
      } else if (auto dense = dyn_cast<DequantizeOp>(user)) {
        auto type = dyn_cast<MemRefType>(dense.getResult().getType());
        if (!type)
          return dense.emitOpError("is in tensor form; bufferize first");
        LLVMTypeConverter types(builder.getContext());
        Value descriptor = MemRefDescriptor::fromStaticShape(builder, loc, types, type, address);
        auto memref = UnrealizedConversionCastOp::create(builder, loc, type, descriptor);
        dense.getResult().replaceAllUsesWith(memref.getResult(0));
      } else if (auto announce = dyn_cast<AnnounceOp>(user)) {
        // To the second-level cache: a first level is too small for what a thread has ahead.
        LLVM::Prefetch first = prefetch(announce, address, announce.getOffset(), 0, /*level=*/2);
        first->setAttr("heed.bytes", announce.getBytesAttr());
      } else if (auto ahead = dyn_cast<PrefetchOp>(user)) {
        for (int32_t line = 0; line < ahead.getBytesAttr().getInt(); line += kLineBytes)
          prefetch(ahead, address, ahead.getOffset(), line, ahead.getLevel());
      } else {
        return user->emitOpError("still reads a weight; run convert-attn-to-vector first");
      }
      user->erase();
    }
    get.erase();
    return success();
  }

  /// Asks, in front of `op`, for the cache line that is `line` bytes behind `offset`.
  static LLVM::Prefetch prefetch(Operation *op, Value address, Value offset, int32_t line,
                                 int level) {
    OpBuilder builder(op);
    Location loc = op->getLoc();
    Type pointer = address.getType();
    offset = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), offset);
    Value first = LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), address,
                                      ArrayRef<LLVM::GEPArg>{offset});
    if (line != 0)
      first = LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), first,
                                  ArrayRef<LLVM::GEPArg>{line});
    return LLVM::Prefetch::create(builder, loc, first, /*rw=*/0, /*hint=*/4 - level, /*cache=*/1);
  }

  /// An address that stays the same as long as the model is open.
  static Value load(OpBuilder &builder, Location loc, Value place) {
    auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
    auto load = LLVM::LoadOp::create(builder, loc, pointer, place);
    load.setInvariant(true);
    return load;
  }

  /// Of each function, where the addresses of weights are.
  DenseMap<func::FuncOp, Value> tables;
};

} // namespace
