//===- Artifact.cpp - writes heed_artifact and the C functions around it --===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/Artifact.h"

#include "heed/Runtime/Artifact.h"
#include "heed/Target/CPU/CodeGen.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/GlobalAlias.h"
#include "llvm/IR/IRBuilder.h"

using namespace heed;
using llvm::Constant;

ArtifactTypes::ArtifactTypes(llvm::LLVMContext &context) {
  llvm::Type *pointer = llvm::PointerType::getUnqual(context);
  llvm::Type *i32 = llvm::Type::getInt32Ty(context), *i64 = llvm::Type::getInt64Ty(context);
  llvm::Type *dims = llvm::ArrayType::get(i64, HEED_MAX_RANK);
  auto make = [&](llvm::ArrayRef<llvm::Type *> fields, llvm::StringRef name) {
    return llvm::StructType::create(context, fields, name);
  };
  auto *order = llvm::ArrayType::get(i32, HEED_MAX_RANK);
  weight = make({pointer, pointer, pointer, i32, i32, i64, i64, i64, i64, i32, order, dims},
                "heed_weight");
  cache = make({pointer, i64, i64, i64, i32, i64, i64}, "heed_cache");
  tensor = make({pointer, i32, i32, dims}, "heed_tensor");
  function = make({pointer, i32, i32, i32, i32, i32, pointer, pointer, pointer, pointer, i64, i64,
                   i64, pointer},
                  "heed_function");
  variant = make({pointer, i64, pointer}, "heed_variant");
  artifact = make({i32, pointer, i64, i64, i64, pointer, pointer, pointer}, "heed_artifact");
}

namespace {

/// Builds the constant's parts, each in the order of its struct's fields.
class ArtifactBuilder {
public:
  ArtifactBuilder(llvm::Module &module, const ArtifactInfo &info)
      : module(module), info(info), context(module.getContext()), types(context) {}

  llvm::GlobalVariable *build(llvm::ArrayRef<const InstructionSet *> sets) {
    std::vector<Constant *> weights, functions, variants;
    for (const WeightInfo &weight : info.weights)
      weights.push_back(build(weight));
    for (const FunctionInfo &function : info.functions)
      functions.push_back(build(function));
    for (const InstructionSet *set : sets)
      variants.push_back(build(*set));
    Constant *artifact = llvm::ConstantStruct::get(
        types.artifact, {i32(HEED_ABI_VERSION), text(info.name), i64(weights.size()),
                         i64(functions.size()), i64(variants.size()), array(types.weight, weights),
                         array(types.function, functions), array(types.variant, variants)});
    auto *global = new llvm::GlobalVariable(module, types.artifact, /*isConstant=*/true,
                                            llvm::GlobalValue::ExternalLinkage, artifact,
                                            artifactSymbol(info));
    global->setAlignment(llvm::Align(8));
    return global;
  }

private:
  Constant *i32(int64_t value) {
    return llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), value, /*IsSigned=*/true);
  }
  Constant *i64(int64_t value) {
    return llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), value, /*IsSigned=*/true);
  }
  Constant *null() { return llvm::ConstantPointerNull::get(llvm::PointerType::getUnqual(context)); }

  /// A private constant.
  Constant *place(Constant *value) {
    auto *global = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                            llvm::GlobalValue::PrivateLinkage, value, ".heed");
    global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    return global;
  }
  Constant *text(llvm::StringRef text) {
    return place(llvm::ConstantDataArray::getString(context, text));
  }
  Constant *array(llvm::Type *element, llvm::ArrayRef<Constant *> elements) {
    if (elements.empty())
      return null();
    return place(
        llvm::ConstantArray::get(llvm::ArrayType::get(element, elements.size()), elements));
  }

  /// One number for each axis, then zeros.
  Constant *padded(std::vector<int64_t> numbers, llvm::Type *element) {
    numbers.resize(HEED_MAX_RANK, 0);
    std::vector<Constant *> axes;
    for (int64_t number : numbers)
      axes.push_back(llvm::ConstantInt::get(element, number, /*IsSigned=*/true));
    return llvm::ConstantArray::get(llvm::ArrayType::get(element, HEED_MAX_RANK), axes);
  }

  Constant *build(const WeightInfo &weight) {
    return llvm::ConstantStruct::get(types.weight,
                                     {text(weight.name), text(weight.tensor),
                                      weight.fallback.empty() ? null() : text(weight.fallback),
                                      i32(weight.storages), i32(weight.layout), i64(weight.layers),
                                      i64(weight.rows), i64(weight.cols), i64(weight.matrices),
                                      i32(weight.permutation.size()),
                                      padded(weight.permutation, llvm::Type::getInt32Ty(context)),
                                      padded(weight.shape, llvm::Type::getInt64Ty(context))});
  }

  Constant *build(const CacheInfo &cache) {
    return llvm::ConstantStruct::get(
        types.cache, {text(cache.name), i64(cache.layers), i64(cache.heads), i64(cache.width),
                      i32(cache.element), i64(cache.rows), i64(cache.window)});
  }

  Constant *build(const ArgumentInfo &tensor) {
    return llvm::ConstantStruct::get(
        types.tensor, {text(tensor.name), i32(tensor.element), i32(tensor.dims.size()),
                       padded(tensor.dims, llvm::Type::getInt64Ty(context))});
  }

  Constant *build(const FunctionInfo &function) {
    std::vector<Constant *> sizes, params, results, caches, bounds;
    for (const std::string &size : function.sizes)
      sizes.push_back(text(size));
    for (const ArgumentInfo &param : function.params)
      params.push_back(build(param));
    for (const ArgumentInfo &result : function.results)
      results.push_back(build(result));
    for (const CacheInfo &cache : function.caches)
      caches.push_back(build(cache));
    if (llvm::any_of(function.bounds, [](int64_t bound) { return bound != 0; }))
      for (int64_t bound : function.bounds)
        bounds.push_back(i64(bound));
    return llvm::ConstantStruct::get(
        types.function,
        {text(function.name), i32(function.isStep ? HEED_STEP : HEED_PLAIN), i32(sizes.size()),
         i32(params.size()), i32(results.size()), i32(caches.size()),
         array(llvm::PointerType::getUnqual(context), sizes), array(types.tensor, params),
         array(types.tensor, results), array(types.cache, caches), i64(function.tokenLimit),
         i64(function.context), i64(function.chunk),
         array(llvm::Type::getInt64Ty(context), bounds)});
  }

  Constant *build(const InstructionSet &set) {
    llvm::Type *pointer = llvm::PointerType::getUnqual(context);
    auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context),
                                         {pointer, pointer, pointer}, /*isVarArg=*/false);
    std::vector<Constant *> entries;
    for (const FunctionInfo &function : info.functions) {
      auto callee = module.getOrInsertFunction(variantSymbol(function.entry(), set), type);
      cast<llvm::Function>(callee.getCallee())->setVisibility(llvm::GlobalValue::HiddenVisibility);
      entries.push_back(cast<llvm::Function>(callee.getCallee()));
    }
    return llvm::ConstantStruct::get(types.variant,
                                     {text(set.name), i64(set.features), array(pointer, entries)});
  }

  llvm::Module &module;
  const ArtifactInfo &info;
  llvm::LLVMContext &context;
  ArtifactTypes types;
};

/// Builds the C functions: each passes its arguments on to the runtime's C interface.
class WrapperBuilder {
public:
  WrapperBuilder(llvm::Module &module, const ArtifactInfo &info, Constant *artifact)
      : module(module), info(info), artifact(artifact), builder(module.getContext()),
        pointer(builder.getPtrTy()), i32(builder.getInt32Ty()), i64(builder.getInt64Ty()) {}

  void build(const ExportedSymbol &symbol) {
    using Kind = ExportedSymbol::Kind;
    llvm::Value *number = builder.getInt32(symbol.function);
    switch (symbol.kind) {
    case Kind::Open: {
      auto *f = define(symbol, i32, {pointer, pointer, pointer});
      return pass("heed_model_open", f, {artifact, f->getArg(0), f->getArg(1), f->getArg(2)});
    }
    case Kind::Close: {
      auto *f = define(symbol, builder.getVoidTy(), {pointer});
      return pass("heed_model_close", f, {f->getArg(0)});
    }
    case Kind::LastError:
      return pass("heed_last_error", define(symbol, pointer, {}), {});
    case Kind::SessionNew: {
      auto *f = define(symbol, i32, {pointer, i64, pointer});
      return pass("heed_session_new", f, {f->getArg(0), number, f->getArg(1), f->getArg(2)});
    }
    case Kind::SessionLength: {
      auto *f = define(symbol, i64, {pointer});
      return pass("heed_session_length", f, {f->getArg(0)});
    }
    case Kind::SessionTruncate: {
      auto *f = define(symbol, i32, {pointer, i64});
      return pass("heed_session_truncate", f, {f->getArg(0), f->getArg(1)});
    }
    case Kind::SessionFree: {
      auto *f = define(symbol, builder.getVoidTy(), {pointer});
      return pass("heed_session_free", f, {f->getArg(0)});
    }
    case Kind::Call:
      if (info.functions[symbol.function].isStep) {
        auto *f = define(symbol, i32, {pointer, pointer, i64, i64, pointer});
        return pass("heed_session_step", f, arguments(f));
      }
      return buildPlain(symbol, info.functions[symbol.function]);
    }
  }

private:
  llvm::Function *define(const ExportedSymbol &symbol, llvm::Type *result,
                         llvm::ArrayRef<llvm::Type *> params) {
    auto *function =
        llvm::Function::Create(llvm::FunctionType::get(result, params, false),
                               llvm::GlobalValue::ExternalLinkage, symbol.name, module);
    function->addFnAttr(llvm::Attribute::NoUnwind);
    builder.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "", function));
    return function;
  }

  static std::vector<llvm::Value *> arguments(llvm::Function *function) {
    std::vector<llvm::Value *> values;
    for (llvm::Argument &argument : function->args())
      values.push_back(&argument);
    return values;
  }

  /// Ends `function` with a call whose result is its own.
  void pass(llvm::StringRef callee, llvm::Function *function,
            llvm::ArrayRef<llvm::Value *> values) {
    std::vector<llvm::Type *> params;
    for (llvm::Value *value : values)
      params.push_back(value->getType());
    auto *type = llvm::FunctionType::get(function->getReturnType(), params, false);
    llvm::CallInst *call = builder.CreateCall(module.getOrInsertFunction(callee, type), values);
    call->setTailCallKind(llvm::CallInst::TCK_Tail);
    if (function->getReturnType()->isVoidTy())
      builder.CreateRetVoid();
    else
      builder.CreateRet(call);
  }

  /// (model, sizes…, params…, results…), which heed_call wants as three arrays.
  void buildPlain(const ExportedSymbol &symbol, const FunctionInfo &info) {
    std::vector<llvm::Type *> params = {pointer};
    params.insert(params.end(), info.sizes.size(), i64);
    params.insert(params.end(), info.params.size() + info.results.size(), pointer);
    llvm::Function *function = define(symbol, i32, params);
    unsigned next = 1;
    auto pack = [&](size_t count, llvm::Type *element) -> llvm::Value * {
      if (count == 0)
        return llvm::ConstantPointerNull::get(pointer);
      llvm::Value *array = builder.CreateAlloca(llvm::ArrayType::get(element, count));
      for (size_t i = 0; i != count; ++i)
        builder.CreateStore(function->getArg(next++),
                            builder.CreateConstInBoundsGEP1_64(element, array, i));
      return array;
    };
    llvm::Value *sizes = pack(info.sizes.size(), i64);
    llvm::Value *inputs = pack(info.params.size(), pointer);
    llvm::Value *outputs = pack(info.results.size(), pointer);
    auto *type = llvm::FunctionType::get(i32, {pointer, i32, pointer, pointer, pointer}, false);
    builder.CreateRet(builder.CreateCall(
        module.getOrInsertFunction("heed_call", type),
        {function->getArg(0), builder.getInt32(symbol.function), sizes, inputs, outputs}));
  }

  llvm::Module &module;
  const ArtifactInfo &info;
  Constant *artifact;
  llvm::IRBuilder<> builder;
  llvm::PointerType *pointer;
  llvm::Type *i32, *i64;
};

} // namespace

ErrorOr<void> heed::addArtifact(llvm::Module &module, const ArtifactInfo &info,
                                llvm::ArrayRef<const InstructionSet *> sets, ArtifactUse use) {
  auto symbols = exportedSymbols(info);
  if (!symbols)
    return symbols.error();
  llvm::GlobalVariable *artifact = ArtifactBuilder(module, info).build(sets);
  if (use != ArtifactUse::Object)
    llvm::GlobalAlias::create(artifact->getValueType(), 0, llvm::GlobalValue::ExternalLinkage,
                              use == ArtifactUse::Library ? "heed_artifact_export"
                                                          : "heed_artifact_main",
                              artifact, &module);
  // Only C callers need the functions.
  if (use == ArtifactUse::Executable)
    return {};
  WrapperBuilder wrappers(module, info, artifact);
  for (const ExportedSymbol &symbol : *symbols)
    wrappers.build(symbol);
  return {};
}
