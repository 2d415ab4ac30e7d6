//===- Exp2Test.cpp - how close the kernels' 2^x is, over every float -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnToVector/Lowerings.h"

#include "heed/Pipelines/Pipelines.h"
#include "heed/Pipelines/RegisterInterfaces.h"
#include "heed/Target/CPU/CodeGen.h"
#include "heed/Target/CPU/InstructionSet.h"
#include "heed/Verification/LoadedObject.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/TargetSelect.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace mlir;
using namespace heed;

namespace {

/// values[0 … count-1] become their powers of two, 16 at a time.
using Powers = void (*)(float *values, int64_t count);

/// exp2OfNonPositive as code for an instruction set.
class Compiled {
public:
  explicit Compiled(const InstructionSet &set) { compile(set); }

  /// Null where the code can't be made, which the test has reported.
  Powers powers = nullptr;

private:
  void compile(const InstructionSet &set) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    DialectRegistry registry;
    registerInterfaces(registry);
    MLIRContext context(registry);
    context.loadDialect<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect,
                        math::MathDialect, scf::SCFDialect, vector::VectorDialect>();
    OwningOpRef<ModuleOp> module = build(context);
    PassManager manager(&context);
    PipelineOptions options;
    options.nativeLanes = set.vectorBits / 32;
    buildPipeline(manager, Phase::Vector, Phase::LLVM, options);
    ASSERT_TRUE(succeeded(manager.run(*module)));
    llvm::LLVMContext llvmContext;
    auto compiled = compileVariant(*module, llvmContext, set, {"powers"});
    ASSERT_TRUE(compiled) << compiled.message();
    auto object = emitCode(**compiled, CodeFormat::Object);
    ASSERT_TRUE(object) << object.message();
    auto loaded = verification::LoadedObject::load(*object, {});
    ASSERT_TRUE(static_cast<bool>(loaded)) << llvm::toString(loaded.takeError());
    code = std::move(*loaded);
    auto address = code->find(variantSymbol("powers", set));
    ASSERT_TRUE(static_cast<bool>(address)) << llvm::toString(address.takeError());
    powers = reinterpret_cast<Powers>(*address);
  }

  static OwningOpRef<ModuleOp> build(MLIRContext &context) {
    OpBuilder builder(&context);
    Location loc = builder.getUnknownLoc();
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    builder.setInsertionPointToEnd(module->getBody());
    Type pointer = LLVM::LLVMPointerType::get(&context), i64 = builder.getI64Type();
    auto function =
        func::FuncOp::create(builder, loc, "powers", builder.getFunctionType({pointer, i64}, {}));
    builder.setInsertionPointToStart(function.addEntryBlock());
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(value));
    };
    auto lanes = VectorType::get({attn::kLanes}, builder.getF32Type());
    scf::ForOp::create(builder, loc, number(0), function.getArgument(1), number(attn::kLanes),
                       ValueRange{}, [&](OpBuilder &body, Location, Value first, ValueRange) {
                         Value place =
                             LLVM::GEPOp::create(body, loc, pointer, body.getF32Type(),
                                                 function.getArgument(0), LLVM::GEPArg(first));
                         Value x = LLVM::LoadOp::create(body, loc, lanes, place, /*alignment=*/4);
                         LLVM::StoreOp::create(body, loc, attn::exp2OfNonPositive(body, loc, x),
                                               place, /*alignment=*/4);
                         scf::YieldOp::create(body, loc);
                       });
    func::ReturnOp::create(builder, loc);
    return module;
  }

  std::unique_ptr<verification::LoadedObject> code;
};

/// The distance of `found` from the power, in units of its last place.
double ulps(float found, double exact) {
  int exponent = std::max(std::ilogb(exact), -126);
  return std::abs(found - exact) / std::ldexp(1.0, exponent - 23);
}

/// Calls `check(x, 2^x)` for every float from -`low` to -`high`, low <= high.
template <typename Check> void forEachFloat(Powers powers, float low, float high, Check check) {
  std::vector<float> values(1 << 14), xs;
  uint64_t next = std::bit_cast<uint32_t>(-low), last = std::bit_cast<uint32_t>(-high);
  while (next <= last) {
    xs.clear();
    for (; xs.size() < values.size(); ++next) // the last ones, again and again
      xs.push_back(std::bit_cast<float>(static_cast<uint32_t>(std::min(next, last))));
    values = xs;
    powers(values.data(), static_cast<int64_t>(values.size()));
    for (size_t i = 0; i < xs.size(); ++i)
      check(xs[i], values[i]);
  }
}

std::vector<const InstructionSet *> setsOfThisMachine() {
  auto best = hostInstructionSet();
  std::vector<const InstructionSet *> sets;
  for (const InstructionSet &set : allInstructionSets())
    if (best && ((*best)->features & set.features) == set.features)
      if (sets.empty() || sets.back()->vectorBits != set.vectorBits)
        sets.push_back(&set);
  return sets;
}

} // namespace

// 2^x is within an ulp of its value for every float from -126 to -2^-26, and 1 for every one
// closer to 0: an error of half an ulp there.
TEST(Exp2, WithinOneUlpOverEveryFloat) {
  for (const InstructionSet *set : setsOfThisMachine()) {
    Compiled compiled(*set);
    ASSERT_TRUE(compiled.powers);
    double worst = 0;
    float where = 0;
    forEachFloat(compiled.powers, 0x1p-26f, 126, [&](float x, float found) {
      if (double error = ulps(found, std::exp2(double(x))); error > worst)
        worst = error, where = x;
    });
    EXPECT_LE(worst, 1) << set->name << ": at " << where;
    RecordProperty((std::string("worst_ulps_") + set->name).c_str(), std::to_string(worst));
    int64_t others = 0;
    forEachFloat(compiled.powers, 0, 0x1p-26f, [&](float, float found) { others += found != 1; });
    EXPECT_EQ(others, 0) << set->name;
  }
}

// A hidden score weighs nothing at all, and neither does one that is out of a float's range.
TEST(Exp2, ZeroFarBelow) {
  for (const InstructionSet *set : setsOfThisMachine()) {
    Compiled compiled(*set);
    ASSERT_TRUE(compiled.powers);
    int64_t others = 0;
    forEachFloat(compiled.powers, 126.5f, std::numeric_limits<float>::infinity(),
                 [&](float x, float found) { others += x < -126.5f && found != 0; });
    EXPECT_EQ(others, 0) << set->name;
  }
}
