//===- NumericInstrumentationTest.cpp - --verify-each-numerically ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/NumericInstrumentation.h"

#include "heed/Pipelines/RegisterInterfaces.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"

#include <cstdio>
#include <gtest/gtest.h>

using namespace heed;
using namespace heed::verification;

namespace {

/// Does what the test wants to functions.
class AnyPass : public mlir::PassWrapper<AnyPass, mlir::OperationPass<mlir::func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AnyPass)

  using Work = std::function<void(mlir::func::FuncOp)>;
  explicit AnyPass(Work work) : work(std::move(work)) {}
  llvm::StringRef getArgument() const override { return "any"; }
  void runOnOperation() override { work(getOperation()); }

private:
  Work work;
};

constexpr const char *kModule = R"(
func.func @twice(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = arith.addf %x, %x : tensor<?xf32>
  return %0 : tensor<?xf32>
}
)";

struct Outcome {
  bool found = false;
  std::vector<std::string> messages;
};

Outcome runOn(const char *text, AnyPass::Work work) {
  mlir::DialectRegistry registry;
  registerInterfaces(registry);
  mlir::MLIRContext context(registry);
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
  Outcome outcome;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    outcome.messages.push_back(diagnostic.str());
    return mlir::success();
  });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  EXPECT_TRUE(bool(module));
  mlir::PassManager manager(&context);
  manager.addNestedPass<mlir::func::FuncOp>(std::make_unique<AnyPass>([](mlir::func::FuncOp) {}));
  manager.addNestedPass<mlir::func::FuncOp>(std::make_unique<AnyPass>(std::move(work)));
  verifyNumerically(manager, {}, outcome.found);
  EXPECT_TRUE(succeeded(manager.run(*module)));
  return outcome;
}

/// x + x becomes x - x or x * 2.
void replaceSum(mlir::func::FuncOp function, bool rightly) {
  auto sum = *function.getOps<mlir::arith::AddFOp>().begin();
  mlir::OpBuilder builder(sum);
  mlir::Value other;
  if (rightly)
    other = mlir::arith::AddFOp::create(builder, sum.getLoc(), sum.getRhs(), sum.getLhs());
  else
    other = mlir::arith::SubFOp::create(builder, sum.getLoc(), sum.getLhs(), sum.getRhs());
  sum.getResult().replaceAllUsesWith(other);
  sum.erase();
}

TEST(NumericInstrumentation, NamesTheWrongPass) {
  Outcome outcome = runOn(kModule, [](mlir::func::FuncOp f) { replaceSum(f, false); });
  EXPECT_TRUE(outcome.found);
  ASSERT_EQ(outcome.messages.size(), 1u);
  EXPECT_NE(outcome.messages[0].find("after the pass any, 'twice' is off by 1.00e+00"),
            std::string::npos)
      << outcome.messages[0];
  EXPECT_NE(outcome.messages[0].find("[E0902]"), std::string::npos);
}

TEST(NumericInstrumentation, AcceptsRewrites) {
  Outcome outcome = runOn(kModule, [](mlir::func::FuncOp f) { replaceSum(f, true); });
  EXPECT_FALSE(outcome.found);
  EXPECT_TRUE(outcome.messages.empty());
}

TEST(NumericInstrumentation, SaysWhatItCannotEvaluate) {
  Outcome outcome = runOn(R"(
func.func @f(%x: !llvm.ptr) -> tensor<2xf32> {
  %0 = arith.constant dense<1.0> : tensor<2xf32>
  %1 = arith.addf %0, %0 : tensor<2xf32>
  return %1 : tensor<2xf32>
})",
                          [](mlir::func::FuncOp f) { replaceSum(f, false); });
  EXPECT_FALSE(outcome.found);
  ASSERT_EQ(outcome.messages.size(), 1u);
  EXPECT_NE(outcome.messages[0].find("not verified: function 'f'"), std::string::npos)
      << outcome.messages[0];
}

} // namespace
