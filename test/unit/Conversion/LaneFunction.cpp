//===- LaneFunction.cpp - a piece of a kernel, compiled to be called ------- -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LaneFunction.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Pipelines/Pipelines.h"
#include "heed/Pipelines/RegisterInterfaces.h"
#include "heed/Target/CPU/CodeGen.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/TargetSelect.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace heed;

static constexpr int64_t kLanes = 16;

/// `function(values, count)`, which applies what is built to 16 values after the other.
static OwningOpRef<ModuleOp> loopOver(MLIRContext &context, LaneFunction::Build build) {
  OpBuilder builder(&context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  Type pointer = LLVM::LLVMPointerType::get(&context), i64 = builder.getI64Type();
  auto function =
      func::FuncOp::create(builder, loc, "function", builder.getFunctionType({pointer, i64}, {}));
  builder.setInsertionPointToStart(function.addEntryBlock());
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(value));
  };
  auto lanes = VectorType::get({kLanes}, builder.getF32Type());
  scf::ForOp::create(builder, loc, number(0), function.getArgument(1), number(kLanes), ValueRange{},
                     [&](OpBuilder &body, Location, Value first, ValueRange) {
                       Value place =
                           LLVM::GEPOp::create(body, loc, pointer, body.getF32Type(),
                                               function.getArgument(0), LLVM::GEPArg(first));
                       Value x = LLVM::LoadOp::create(body, loc, lanes, place, /*alignment=*/4);
                       LLVM::StoreOp::create(body, loc, build(body, loc, x), place,
                                             /*alignment=*/4);
                       scf::YieldOp::create(body, loc);
                     });
  func::ReturnOp::create(builder, loc);
  return module;
}

LaneFunction::LaneFunction(const InstructionSet &set, Build build) { compile(set, build); }

void LaneFunction::compile(const InstructionSet &set, Build build) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  DialectRegistry registry;
  registerInterfaces(registry);
  MLIRContext context(registry);
  context.loadDialect<arith::ArithDialect, attn::AttnDialect, func::FuncDialect, LLVM::LLVMDialect,
                      math::MathDialect, scf::SCFDialect, vector::VectorDialect>();
  OwningOpRef<ModuleOp> module = loopOver(context, build);
  PassManager manager(&context);
  PipelineOptions options;
  options.nativeLanes = set.vectorBits / 32;
  buildPipeline(manager, Phase::Vector, Phase::LLVM, options);
  ASSERT_TRUE(succeeded(manager.run(*module)));
  llvm::LLVMContext llvmContext;
  auto compiled = compileVariant(*module, llvmContext, set, {"function"});
  ASSERT_TRUE(compiled) << compiled.message();
  auto object = emitCode(**compiled, CodeFormat::Object);
  ASSERT_TRUE(object) << object.message();
  auto loaded = verification::LoadedObject::load(*object, {});
  ASSERT_TRUE(static_cast<bool>(loaded)) << llvm::toString(loaded.takeError());
  code = std::move(*loaded);
  auto address = code->find(variantSymbol("function", set));
  ASSERT_TRUE(static_cast<bool>(address)) << llvm::toString(address.takeError());
  run = reinterpret_cast<void (*)(float *, int64_t)>(*address);
}

std::vector<const InstructionSet *> heed::setsOfThisMachine() {
  auto best = hostInstructionSet();
  std::vector<const InstructionSet *> sets;
  for (const InstructionSet &set : allInstructionSets())
    if (best && ((*best)->features & set.features) == set.features)
      if (sets.empty() || sets.back()->vectorBits != set.vectorBits)
        sets.push_back(&set);
  return sets;
}

double heed::ulps(float found, double exact) {
  int exponent = exact == 0 ? -126 : std::max(std::ilogb(exact), -126);
  return std::abs(found - exact) / std::ldexp(1.0, exponent - 23);
}
