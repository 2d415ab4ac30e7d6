//===- EntryPoints.cpp - gives exported functions the runtime's call ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime calls every function as heed_entry (heed/Runtime/Artifact.h): a
// context, an array of numbers and an array of buffers. This pass unpacks them
// at the top of the function into the memrefs that its body works on.
//
//===----------------------------------------------------------------------===//

#include "heed/Conversion/ExportedFunction.h"
#include "heed/Conversion/Passes.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace heed {
#define GEN_PASS_DEF_ENTRYPOINTSPASS
#include "heed/Conversion/Passes.h.inc"
} // namespace heed

#define DEBUG_TYPE "convert-entry-points"

using namespace mlir;
using namespace heed;

namespace {

/// Reads one call's numbers and buffers at the top of an entry.
class CallUnpacker {
public:
  CallUnpacker(OpBuilder &builder, Location loc, const LLVMTypeConverter &types,
               const ExportedFunction &exported, Value ints, Value buffers)
      : builder(builder), loc(loc), types(types), exported(exported), buffers(buffers) {
    // In the order of heed_entry: run-time sizes, past, first, capacity.
    int64_t count = exported.sizes.size() + (exported.isStep ? 3 : 0);
    for (int64_t i = 0; i != count; ++i)
      numbers.push_back(
          LLVM::LoadOp::create(builder, loc, builder.getI64Type(), element(ints, i, 8), 8));
    if (exported.isStep)
      newRows = LLVM::SubOp::create(builder, loc, numbers[0], first());
  }

  /// The value of past or first, as the type that the body knows it by.
  Value number(ArgumentRole role, Type type) {
    Value value = role == ArgumentRole::Past ? past() : first();
    if (type.isIndex())
      return arith::IndexCastOp::create(builder, loc, type, value);
    return value;
  }

  /// The next buffer as a contiguous memref; must be called in the order of buffers.
  Value buffer(const ExportedArgument &argument, Location argumentLoc) {
    auto type = cast<MemRefType>(argument.type);
    Value base =
        LLVM::LoadOp::create(builder, loc, pointerType(), element(buffers, nextBuffer++, 8), 8);
    SmallVector<Value> sizes, strides(argument.dims.size());
    for (int64_t dim : argument.dims)
      sizes.push_back(size(dim));
    Value stride = constant(1);
    for (size_t axis = argument.dims.size(); axis-- > 0;) {
      strides[axis] = stride;
      if (axis > 0)
        stride = product(stride, sizes[axis]);
    }
    SmallVector<Value> parts = {base, base, constant(0)};
    parts.append(sizes);
    parts.append(strides);
    Value descriptor = MemRefDescriptor::pack(builder, loc, types, type, parts);
    return UnrealizedConversionCastOp::create(builder, argumentLoc, type, descriptor).getResult(0);
  }

private:
  Type pointerType() { return LLVM::LLVMPointerType::get(builder.getContext()); }
  Value past() { return numbers[exported.sizes.size()]; }
  Value first() { return numbers[exported.sizes.size() + 1]; }
  Value capacity() { return numbers[exported.sizes.size() + 2]; }

  Value constant(int64_t value) {
    return LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                    builder.getI64IntegerAttr(value));
  }

  /// Static strides stay constants, so that address computations fold.
  Value product(Value a, Value b) {
    std::optional<int64_t> x = asConstant(a), y = asConstant(b);
    if (x && y)
      return constant(*x * *y);
    if (x == 1)
      return b;
    return y == 1 ? a : LLVM::MulOp::create(builder, loc, a, b);
  }
  static std::optional<int64_t> asConstant(Value value) {
    if (auto constant = value.getDefiningOp<LLVM::ConstantOp>())
      return cast<IntegerAttr>(constant.getValue()).getInt();
    return std::nullopt;
  }

  Value size(int64_t dim) {
    if (dim >= 0)
      return constant(dim);
    if (dim == kDimCapacity)
      return capacity();
    if (dim == kDimNewRows)
      return newRows;
    return numbers[-1 - dim];
  }

  /// The address of element `index` of an array.
  Value element(Value array, int64_t index, int64_t bytes) {
    if (index == 0)
      return array;
    return LLVM::GEPOp::create(builder, loc, pointerType(), builder.getI8Type(), array,
                               LLVM::GEPArg(int32_t(index * bytes)));
  }

  OpBuilder &builder;
  Location loc;
  const LLVMTypeConverter &types;
  const ExportedFunction &exported;
  Value buffers, newRows;
  SmallVector<Value> numbers;
  int64_t nextBuffer = 0;
};

struct EntryPointsPass : public heed::impl::EntryPointsPassBase<EntryPointsPass> {
  using EntryPointsPassBase::EntryPointsPassBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> exported;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (isExported(function))
        exported.push_back(function);
    for (func::FuncOp function : exported)
      if (failed(convert(function)))
        return signalPassFailure();
  }

  LogicalResult convert(func::FuncOp function) {
    FailureOr<ExportedFunction> exported = readExportedFunction(function);
    if (failed(exported) || failed(check(function, *exported)))
      return failure();

    MLIRContext *context = &getContext();
    Block &body = function.getBody().front();
    Location loc = function.getLoc();
    OpBuilder builder = OpBuilder::atBlockBegin(&body);
    Type pointer = LLVM::LLVMPointerType::get(context);
    unsigned old = body.getNumArguments();
    auto named = [&](StringRef name) { return NameLoc::get(StringAttr::get(context, name), loc); };
    body.addArgument(pointer, named("context"));
    Value ints = body.addArgument(pointer, named("ints"));
    Value buffers = body.addArgument(pointer, named("buffers"));

    LLVMTypeConverter types(context);
    CallUnpacker unpacker(builder, loc, types, *exported, ints, buffers);
    for (auto [number, argument] : llvm::enumerate(exported->arguments)) {
      BlockArgument from = body.getArgument(number);
      Value to = isa<MemRefType>(argument.type) ? unpacker.buffer(argument, from.getLoc())
                                                : unpacker.number(argument.role, argument.type);
      from.replaceAllUsesWith(to);
      ++numArguments;
    }
    body.eraseArguments(0, old);

    StringAttr name = function.getSymNameAttr();
    function.removeArgAttrsAttr();
    function.setFunctionType(FunctionType::get(context, {pointer, pointer, pointer}, {}));
    function->setAttr("heed.entry", name);
    function.setSymName((name.getValue() + "_entry").str());
    ++numEntries;
    return success();
  }

  /// What no later step could repair.
  LogicalResult check(func::FuncOp function, const ExportedFunction &exported) {
    if (function.isExternal())
      return function.emitError("an exported function needs a body");
    if (function.getNumResults() != 0)
      return function.emitError("an exported function returns nothing at this phase, found ")
             << function.getNumResults() << " results: run heed-export-functions first";
    if (exported.isStep && exported.sizes.empty())
      return function.emitError("a step needs a run-time size, its number of tokens");
    std::string entry = (function.getSymName() + "_entry").str();
    if (getOperation().lookupSymbol(entry))
      return function.emitError("the name of its entry, '") << entry << "', is already taken";
    for (const ExportedArgument &argument : exported.arguments) {
      auto type = dyn_cast<MemRefType>(argument.type);
      if (isa<ShapedType>(argument.type) && !type)
        return function.emitError("argument '")
               << argument.name << "' must be a memref at this phase, found " << argument.type;
      if (type && (!type.getLayout().isIdentity() || type.getMemorySpace()))
        return function.emitError("argument '")
               << argument.name << "' must be contiguous in plain memory, found " << type;
    }
    return success();
  }
};

} // namespace
