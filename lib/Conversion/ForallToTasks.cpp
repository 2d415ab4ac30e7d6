//===- ForallToTasks.cpp - parallel loops become tasks of the runtime's pool -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TaskPayload.h"
#include "TeamSpan.h"
#include "TouchBuilder.h"

#include "heed/Conversion/Passes.h"

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
using namespace heed;

namespace {

struct ForallToTasksPass : heed::impl::ForallToTasksPassBase<ForallToTasksPass> {
  using ForallToTasksPassBase::ForallToTasksPassBase;

  void runOnOperation() override {
    SmallVector<scf::ForallOp> inner;
    SmallVector<func::FuncOp> entries;
    WalkResult found = getOperation()->walk([&](scf::ForallOp loop) {
      auto function = loop->getParentOfType<func::FuncOp>();
      if (loop->getParentOfType<scf::ForallOp>())
        inner.push_back(loop);
      else if (!function || !function->hasAttr("heed.entry"))
        return loop.emitOpError("stands in no entry; run convert-entry-points first"),
               WalkResult::interrupt();
      else if (loop.getNumResults() != 0 || !loop.isNormalized())
        return loop.emitOpError("must be normalized and in memref form"), WalkResult::interrupt();
      else if (!llvm::is_contained(entries, function))
        entries.push_back(function);
      return WalkResult::advance();
    });
    if (found.wasInterrupted())
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    for (scf::ForallOp loop : inner) {
      rewriter.setInsertionPoint(loop);
      if (failed(scf::forallToForLoop(rewriter, loop)))
        return signalPassFailure();
    }
    for (func::FuncOp entry : entries) {
      for (const TeamSpan &span : formTeams(entry)) {
        func::FuncOp team = outline(span, entry);
        ++numTeams;
        SmallVector<scf::ForallOp> loops;
        team->walk([&](scf::ForallOp loop) { loops.push_back(loop); });
        for (scf::ForallOp loop : loops)
          outline(loop, team, entry.getName());
      }
    }
  }

  /// The span's ops move to a function that all threads run, and a call of the runtime with it
  /// takes their place.
  func::FuncOp outline(const TeamSpan &span, func::FuncOp entry) {
    Location loc = span.first->getLoc();
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    OpBuilder atModule = OpBuilder::atBlockEnd(getOperation().getBody());
    auto body = func::FuncOp::create(atModule, loc, (entry.getName() + "_team").str(),
                                     FunctionType::get(&getContext(), {pointer, pointer}, {}));
    body.setPrivate();
    SymbolTable(getOperation()).insert(body); // makes the name unique
    Block *block = body.addEntryBlock();

    llvm::SetVector<Value> captured;
    for (Operation &op : span.ops())
      op.walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (!span.contains(operand))
            captured.insert(operand);
      });
    OpBuilder before(span.first), inBody = OpBuilder::atBlockBegin(block);
    SmallVector<Value> fields;
    IRMapping mapping;
    for (Value value : captured)
      if (Operation *constant = value.getDefiningOp();
          constant && constant->hasTrait<OpTrait::ConstantLike>())
        mapping.map(value, inBody.clone(*constant)->getResult(0));
      else
        fields.push_back(value);
    TaskPayload payload(&getContext(), fields);
    Value memory = storePayload(payload, before, loc, entry);
    Value null = LLVM::ZeroOp::create(before, loc, pointer);
    Value end = LLVM::GEPOp::create(before, loc, pointer, payload.getType(), null,
                                    ArrayRef<LLVM::GEPArg>{1});
    Value bytes = LLVM::PtrToIntOp::create(before, loc, before.getI64Type(), end);
    func::CallOp::create(
        before, loc, declare("heed_run_team", {pointer, pointer, pointer, before.getI64Type()}),
        TypeRange{}, ValueRange{entry.getArgument(0), addressOf(before, body), memory, bytes});

    for (auto [field, value] : llvm::enumerate(fields))
      mapping.map(value, payload.load(inBody, loc, block->getArgument(0), field));
    block->getOperations().splice(block->end(), span.first->getBlock()->getOperations(),
                                  span.first->getIterator(), std::next(span.last->getIterator()));
    OpBuilder atEnd = OpBuilder::atBlockEnd(block);
    func::ReturnOp::create(atEnd, loc);
    for (auto [from, to] : mapping.getValueMap())
      replaceAllUsesInRegionWith(from, to, body.getBody());
    return body;
  }

  /// The body of `loop` moves to a function of its own, and a call of the runtime with it takes its
  /// place in the team's function.
  void outline(scf::ForallOp loop, func::FuncOp team, StringRef entryName) {
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
    TaskPayload payload(context, captured.getArrayRef());

    // The task's function.
    OpBuilder atModule = OpBuilder::atBlockEnd(getOperation().getBody());
    auto task = func::FuncOp::create(atModule, loc, (entryName + "_task").str(),
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
    func::FuncOp touch = outlineTouch(task);

    // The call.
    Value memory = storePayload(payload, builder, loc, team);
    Value count = extents[0];
    for (Value extent : llvm::drop_begin(extents))
      count = arith::MulIOp::create(builder, loc, count, extent);
    count = arith::IndexCastOp::create(builder, loc, i64, count);
    Value touching =
        touch ? addressOf(builder, touch) : Value(LLVM::ZeroOp::create(builder, loc, pointer));
    func::CallOp::create(
        builder, loc, declare("heed_run_tasks", {pointer, pointer, pointer, pointer, i64}),
        TypeRange{},
        ValueRange{team.getArgument(1), addressOf(builder, task), touching, memory, count});
    loop.erase();
    ++numTasks;
  }

  /// The function that asks memory for what `task` reads first, as far as its ops announce that, or
  /// null.
  func::FuncOp outlineTouch(func::FuncOp task) {
    if (!TouchBuilder::isAnnounced(task.getBody().front()))
      return {};
    Location loc = task.getLoc();
    auto i64 = IntegerType::get(&getContext(), 64);
    SmallVector<Type> arguments(task.getArgumentTypes());
    arguments.push_back(i64);
    OpBuilder atModule = OpBuilder::atBlockEnd(getOperation().getBody());
    auto touch = func::FuncOp::create(atModule, loc, (task.getName() + "_touch").str(),
                                      FunctionType::get(&getContext(), arguments, {i64}));
    touch.setPrivate();
    SymbolTable(getOperation()).insert(touch);
    OpBuilder body = OpBuilder::atBlockBegin(touch.addEntryBlock());
    TouchBuilder builder(touch.getArgument(2));
    builder.map(task.getArguments(), touch.getArguments().drop_back());
    Value bytes = builder.build(body, task.getBody().front());
    task.walk([](LLVM::Prefetch prefetch) {
      if (TouchBuilder::bytesOf(prefetch))
        prefetch.erase();
    });
    if (!bytes) {
      touch.erase();
      return {};
    }
    func::ReturnOp::create(body, loc, bytes);
    ++numTouched;
    return touch;
  }

  /// Stores a payload to the stack of `function`, reserved once and not at each round of a loop.
  static Value storePayload(const TaskPayload &payload, OpBuilder &builder, Location loc,
                            func::FuncOp function) {
    OpBuilder atEntry = OpBuilder::atBlockBegin(&function.getBody().front());
    Value one = LLVM::ConstantOp::create(atEntry, loc, atEntry.getI64IntegerAttr(1));
    Value memory = LLVM::AllocaOp::create(
        atEntry, loc, LLVM::LLVMPointerType::get(builder.getContext()), payload.getType(), one);
    payload.store(builder, loc, memory);
    return memory;
  }

  static Value addressOf(OpBuilder &builder, func::FuncOp function) {
    Value symbol = func::ConstantOp::create(builder, function.getLoc(), function.getFunctionType(),
                                            FlatSymbolRefAttr::get(function));
    auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
    return UnrealizedConversionCastOp::create(builder, function.getLoc(), pointer, symbol)
        .getResult(0);
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

  /// A function of the runtime, declared once.
  FlatSymbolRefAttr declare(StringRef name, ArrayRef<Type> arguments) {
    if (!getOperation().lookupSymbol(name)) {
      OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
      func::FuncOp::create(builder, getOperation().getLoc(), name,
                           builder.getFunctionType(arguments, {}))
          .setPrivate();
    }
    return FlatSymbolRefAttr::get(&getContext(), name);
  }
};

} // namespace
