//===- ForallToTasks.cpp - parallel loops become tasks of the runtime's pool -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Conversion/Passes.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"

#define DEBUG_TYPE "convert-forall-to-tasks"

namespace heed {
#define GEN_PASS_DEF_FORALLTOTASKSPASS
#include "heed/Conversion/Passes.h.inc"
} // namespace heed

using namespace mlir;

namespace {

/// The values that a task uses, as fields of one LLVM struct.
class Payload {
public:
  Payload(MLIRContext *context, ArrayRef<Value> values)
      : types(context), values(values.begin(), values.end()) {
    SmallVector<Type> fields;
    for (Value value : values)
      fields.push_back(types.convertType(value.getType()));
    type = LLVM::LLVMStructType::getLiteral(context, fields);
  }

  LLVM::LLVMStructType getType() const { return type; }

  void store(OpBuilder &builder, Location loc, Value address) {
    for (auto [field, value] : llvm::enumerate(values)) {
      Value converted = value;
      if (Type fieldType = type.getBody()[field]; fieldType != value.getType())
        converted = UnrealizedConversionCastOp::create(builder, loc, fieldType, value).getResult(0);
      LLVM::StoreOp::create(builder, loc, converted, place(builder, loc, address, field));
    }
  }
  Value load(OpBuilder &builder, Location loc, Value address, size_t field) {
    Type fieldType = type.getBody()[field], wanted = values[field].getType();
    Value value =
        LLVM::LoadOp::create(builder, loc, fieldType, place(builder, loc, address, field));
    if (fieldType != wanted)
      value = UnrealizedConversionCastOp::create(builder, loc, wanted, value).getResult(0);
    return value;
  }

private:
  Value place(OpBuilder &builder, Location loc, Value address, size_t field) {
    return LLVM::GEPOp::create(builder, loc, address.getType(), type, address,
                               ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(field)});
  }

  LLVMTypeConverter types;
  SmallVector<Value> values;
  LLVM::LLVMStructType type;
};

struct ForallToTasksPass : heed::impl::ForallToTasksPassBase<ForallToTasksPass> {
  using ForallToTasksPassBase::ForallToTasksPassBase;

  void runOnOperation() override {
    SmallVector<scf::ForallOp> outer, inner;
    getOperation()->walk([&](scf::ForallOp loop) {
      (loop->getParentOfType<scf::ForallOp>() ? inner : outer).push_back(loop);
    });
    IRRewriter rewriter(&getContext());
    for (scf::ForallOp loop : inner) {
      rewriter.setInsertionPoint(loop);
      if (failed(scf::forallToForLoop(rewriter, loop)))
        return signalPassFailure();
    }
    for (scf::ForallOp loop : outer)
      if (failed(outline(loop)))
        return signalPassFailure();
  }

  LogicalResult outline(scf::ForallOp loop) {
    auto parent = loop->getParentOfType<func::FuncOp>();
    if (!parent || !parent->hasAttr("heed.entry"))
      return loop.emitOpError("stands in no entry; run convert-entry-points first");
    if (loop.getNumResults() != 0 || !loop.isNormalized())
      return loop.emitOpError("must be normalized and in memref form");
    Location loc = loop.getLoc();
    MLIRContext *context = &getContext();
    auto pointer = LLVM::LLVMPointerType::get(context);
    auto i64 = IntegerType::get(context, 64);

    placeBuffers(*loop.getBody());
    copyConstantsInside(loop);
    OpBuilder builder(loop);
    SmallVector<Value> extents = loop.getUpperBound(builder);
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(loop.getRegion(), captured);
    for (Value extent : extents) // to take the index apart
      if (loop.getRank() > 1 && !extent.getDefiningOp<arith::ConstantOp>())
        captured.insert(extent);
    Payload payload(context, captured.getArrayRef());

    // The task's function.
    OpBuilder atModule = OpBuilder::atBlockEnd(getOperation().getBody());
    auto task = func::FuncOp::create(atModule, loc, (parent.getName() + "_task").str(),
                                     FunctionType::get(context, {pointer, i64}, {}));
    task.setPrivate();
    SymbolTable(getOperation()).insert(task); // makes the name unique
    OpBuilder inTask = OpBuilder::atBlockBegin(task.addEntryBlock());
    IRMapping mapping;
    for (auto [field, value] : llvm::enumerate(captured))
      mapping.map(value, payload.load(inTask, loc, task.getArgument(0), field));
    Value number =
        arith::IndexCastOp::create(inTask, loc, inTask.getIndexType(), task.getArgument(1));
    mapIndices(inTask, loop, extents, number, mapping);
    for (Operation &op : loop.getBody()->without_terminator())
      inTask.clone(op, mapping);
    func::ReturnOp::create(inTask, loc);

    // The call. The payload's memory is the caller's, reserved once and not at each round of a
    // loop.
    OpBuilder atEntry = OpBuilder::atBlockBegin(&parent.getBody().front());
    Value oneStruct = LLVM::ConstantOp::create(atEntry, loc, atEntry.getI64IntegerAttr(1));
    Value memory = LLVM::AllocaOp::create(atEntry, loc, pointer, payload.getType(), oneStruct);
    payload.store(builder, loc, memory);
    Value count = extents[0];
    for (Value extent : llvm::drop_begin(extents))
      count = arith::MulIOp::create(builder, loc, count, extent);
    count = arith::IndexCastOp::create(builder, loc, i64, count);
    Value function = func::ConstantOp::create(builder, loc, task.getFunctionType(),
                                              FlatSymbolRefAttr::get(task));
    Value address =
        UnrealizedConversionCastOp::create(builder, loc, pointer, function).getResult(0);
    func::CallOp::create(builder, loc, declareParallelFor(pointer, i64), TypeRange{},
                         ValueRange{parent.getArgument(0), address, memory, count});
    loop.erase();
    ++numTasks;
    return success();
  }

  /// Maps the loop's indices to parts of the task's number, the last index running fastest.
  void mapIndices(OpBuilder &builder, scf::ForallOp loop, ArrayRef<Value> extents, Value number,
                  IRMapping &mapping) {
    Location loc = loop.getLoc();
    for (int64_t axis = loop.getRank() - 1; axis > 0; --axis) {
      Value extent = extents[axis];
      if (auto constant = extent.getDefiningOp<arith::ConstantOp>())
        extent = builder.clone(*constant)->getResult(0);
      else
        extent = mapping.lookup(extent);
      mapping.map(loop.getInductionVar(axis), arith::RemUIOp::create(builder, loc, number, extent));
      number = arith::DivUIOp::create(builder, loc, number, extent);
    }
    mapping.map(loop.getInductionVar(0), number);
  }

  /// Buffers that the task allocates outside its loops: small ones of known size move to its stack,
  /// all others are freed at its end. Buffer deallocation knows no tasks.
  void placeBuffers(Block &body) {
    for (auto alloc : llvm::make_early_inc_range(body.getOps<memref::AllocOp>())) {
      MemRefType type = alloc.getType();
      if (!type.hasStaticShape() || bytesOf(type) > stackBytes) {
        if (llvm::none_of(alloc->getUsers(), llvm::IsaPred<memref::DeallocOp>)) {
          OpBuilder atEnd(body.getTerminator());
          memref::DeallocOp::create(atEnd, alloc.getLoc(), alloc);
        }
        continue;
      }
      for (Operation *user : llvm::make_early_inc_range(alloc->getUsers()))
        if (isa<memref::DeallocOp>(user))
          user->erase();
      OpBuilder builder(alloc);
      auto alloca =
          memref::AllocaOp::create(builder, alloc.getLoc(), type, builder.getI64IntegerAttr(64));
      alloc.replaceAllUsesWith(alloca.getResult());
      alloc.erase();
    }
  }

  static int64_t bytesOf(MemRefType type) {
    Type element = type.getElementType();
    int64_t bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
    return type.getNumElements() * llvm::divideCeil(bits, 8);
  }

  void copyConstantsInside(scf::ForallOp loop) {
    llvm::SetVector<Value> used;
    getUsedValuesDefinedAbove(loop.getRegion(), used);
    OpBuilder builder = OpBuilder::atBlockBegin(loop.getBody());
    for (Value value : used)
      if (Operation *constant = value.getDefiningOp();
          constant && constant->hasTrait<OpTrait::ConstantLike>())
        replaceAllUsesInRegionWith(value, builder.clone(*constant)->getResult(0), loop.getRegion());
  }

  FlatSymbolRefAttr declareParallelFor(Type pointer, Type i64) {
    StringRef name = "heed_parallel_for";
    if (!getOperation().lookupSymbol(name)) {
      OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
      auto type = builder.getFunctionType({pointer, pointer, pointer, i64}, {});
      func::FuncOp::create(builder, getOperation().getLoc(), name, type).setPrivate();
    }
    return FlatSymbolRefAttr::get(&getContext(), name);
  }
};

} // namespace
