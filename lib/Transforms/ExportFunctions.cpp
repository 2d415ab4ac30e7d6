//===- ExportFunctions.cpp - memory at the boundary of functions ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Transforms/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

#define DEBUG_TYPE "heed-export-functions"

namespace heed {
#define GEN_PASS_DEF_EXPORTFUNCTIONSPASS
#include "heed/Transforms/Passes.h.inc"
} // namespace heed

using namespace mlir;

static constexpr StringLiteral roleName = "heed.arg", nameName = "heed.name",
                               shapeName = "heed.shape", dimsName = "heed.dims";

/// The memory that holds a tensor at the boundary: row-major and contiguous.
static MemRefType memoryOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

static bool hasRole(func::FuncOp func, unsigned argument, StringRef role) {
  auto found = func.getArgAttrOfType<StringAttr>(argument, roleName);
  return found && found == role;
}

/// `shape`, a heed.shape such as ["n", "576"], as the heed.dims that the function's boundary is
/// described with: run-time size number s is -1 - s. Null where there is none.
static DenseI64ArrayAttr dimsOf(func::FuncOp func, Attribute shape) {
  auto axes = dyn_cast_or_null<ArrayAttr>(shape);
  auto sizes = func->getAttrOfType<ArrayAttr>("heed.sizes");
  auto kind = func->getAttrOfType<StringAttr>("heed.kind");
  if (!axes || !sizes || (kind && kind == "step"))
    return {};
  SmallVector<int64_t> dims;
  for (StringAttr axis : axes.getAsRange<StringAttr>()) {
    int64_t fixed = 0;
    auto size = llvm::find(sizes, axis);
    if (size != sizes.end())
      dims.push_back(-1 - (size - sizes.begin()));
    else if (!axis.getValue().getAsInteger(10, fixed))
      dims.push_back(fixed);
    else
      return {};
  }
  return DenseI64ArrayAttr::get(func.getContext(), dims);
}

/// Makes argument `place`, a tensor, a memref.
static void takeMemory(func::FuncOp func, unsigned place, bool writable) {
  BlockArgument argument = func.getArgument(place);
  Type tensor = argument.getType();
  OpBuilder builder = OpBuilder::atBlockBegin(&func.front());
  argument.setType(memoryOf(tensor));
  auto contents = bufferization::ToTensorOp::create(builder, argument.getLoc(), tensor, argument,
                                                    /*restrict=*/true, writable);
  argument.replaceAllUsesExcept(contents, contents);
}

/// Finds the new tensors that tasks write for `value` where it comes from one of several branches.
static void findNewTensors(Value value, bool isInBranch, SmallVectorImpl<OpOperand *> &uses) {
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return;
  if (auto branches = dyn_cast<scf::IfOp>(result.getOwner())) {
    for (scf::YieldOp yield : {branches.thenYield(), branches.elseYield()})
      findNewTensors(yield.getOperand(result.getResultNumber()), true, uses);
  } else if (auto tasks = dyn_cast<scf::ForallOp>(result.getOwner()); tasks && isInBranch) {
    OpOperand &output = tasks.getOutputsMutable()[result.getResultNumber()];
    if (output.get().getDefiningOp<tensor::EmptyOp>())
      uses.push_back(&output);
  }
}

/// Lets the tasks of all branches that `value` comes from write `memory`, where they write a new
/// tensor. (eliminate-empty-tensors does that in one of them; which one, an address decides.)
static void writeInPlace(func::FuncOp func, Value value, Value memory) {
  SmallVector<OpOperand *> uses;
  findNewTensors(value, /*isInBranch=*/false, uses);
  if (uses.empty())
    return;
  OpBuilder builder = OpBuilder::atBlockBegin(&func.front());
  Value tensor = bufferization::ToTensorOp::create(builder, memory.getLoc(), value.getType(),
                                                   memory, /*restrict=*/true, /*writable=*/true);
  for (OpOperand *use : uses) {
    auto empty = use->get().getDefiningOp<tensor::EmptyOp>();
    use->set(tensor);
    if (empty->use_empty())
      empty->erase();
  }
}

static LogicalResult exportFunction(func::FuncOp func) {
  MLIRContext *context = func.getContext();
  if (!func.getBody().hasOneBlock())
    return func.emitError() << "found branches in function '" << func.getName()
                            << "', expected one block [E0704]";
  SmallVector<unsigned> caches;
  for (BlockArgument argument : func.getArguments()) {
    unsigned place = argument.getArgNumber();
    if (!func.getArgAttr(place, roleName))
      func.setArgAttr(place, roleName, StringAttr::get(context, "param"));
    if (!func.getArgAttr(place, nameName))
      if (auto named = argument.getLoc()->findInstanceOf<NameLoc>())
        func.setArgAttr(place, nameName, named.getName());
    if (DenseI64ArrayAttr dims = dimsOf(func, func.getArgAttr(place, shapeName)))
      func.setArgAttr(place, dimsName, dims);
    func.removeArgAttr(place, shapeName);
    if (hasRole(func, place, "cache"))
      caches.push_back(place);
    if (!isa<RankedTensorType>(argument.getType()) && !argument.getType().isIntOrIndexOrFloat())
      return func.emitError() << "found a parameter of type " << argument.getType()
                              << " in function '" << func.getName()
                              << "', expected a ranked tensor or a number [E0704]";
  }
  for (Type type : func.getResultTypes())
    if (!isa<RankedTensorType>(type))
      return func.emitError() << "found a result of type " << type << " in function '"
                              << func.getName() << "', expected a ranked tensor [E0704]";
  unsigned resultCount = func.getNumResults();
  if (caches.size() > resultCount)
    return func.emitError() << "found " << caches.size() << " caches but " << resultCount
                            << " results in function '" << func.getName()
                            << "', expected each cache among the results [E0704]";
  for (unsigned place = 0, end = func.getNumArguments(); place < end; ++place)
    if (isa<RankedTensorType>(func.getArgument(place).getType()))
      takeMemory(func, place, hasRole(func, place, "cache"));

  auto ret = cast<func::ReturnOp>(func.front().getTerminator());
  OpBuilder builder(ret);
  auto store = [&](Value tensor, Value memory) {
    bufferization::MaterializeInDestinationOp::create(builder, ret.getLoc(), /*result=*/Type(),
                                                      tensor, memory, /*restrict=*/true,
                                                      /*writable=*/true);
  };
  unsigned ownCount = resultCount - caches.size();
  for (unsigned result = 0; result < ownCount; ++result) {
    auto name = func.getResultAttrOfType<StringAttr>(result, nameName);
    if (!name)
      name = StringAttr::get(context, ownCount == 1 ? func.getName().str()
                                                    : (func.getName() + Twine(result)).str());
    SmallVector<NamedAttribute> attributes{{roleName, StringAttr::get(context, "result")},
                                           {nameName, name}};
    if (DenseI64ArrayAttr dims = dimsOf(func, func.getResultAttr(result, shapeName)))
      attributes.emplace_back(dimsName, dims);
    unsigned place = func.getNumArguments();
    (void)func.insertArgument(place, memoryOf(ret.getOperand(result).getType()),
                              DictionaryAttr::get(context, attributes),
                              NameLoc::get(StringAttr::get(context, "out"), func.getLoc()));
    writeInPlace(func, ret.getOperand(result), func.getArgument(place));
    store(ret.getOperand(result), func.getArgument(place));
  }
  for (auto [cache, place] : llvm::enumerate(caches))
    store(ret.getOperand(ownCount + cache), func.getArgument(place));
  ret.getOperandsMutable().clear();

  func.removeResAttrsAttr();
  func.setType(
      FunctionType::get(context, func.front().getArgumentTypes(), /*results=*/TypeRange()));
  if (!func->getAttr("heed.kind"))
    func->setAttr("heed.kind", builder.getStringAttr("plain"));
  return success();
}

namespace {

struct ExportFunctionsPass : heed::impl::ExportFunctionsPassBase<ExportFunctionsPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (!func.isPublic() || func.isExternal())
        continue;
      if (failed(exportFunction(func)))
        return signalPassFailure();
      ++numExported;
    }
  }
};

} // namespace
