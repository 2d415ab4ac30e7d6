//===- NumericInstrumentation.cpp - --verify-each-numerically -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/NumericInstrumentation.h"

#include "heed/Verification/FileWeights.h"

#include "mlir/IR/OperationSupport.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace heed;
using namespace heed::verification;

namespace {

class NumericInstrumentation : public PassInstrumentation {
public:
  NumericInstrumentation(NumericVerificationOptions options, bool &found)
      : options(std::move(options)), found(found) {}

  void runBeforePass(Pass *pass, Operation *op) override {
    ModuleOp module = moduleOf(op);
    if (isOver || !module || pass->getArgument().empty())
      return;
    if (!checker && !begin(module)) {
      isOver = true;
      return;
    }
    before = cast<ModuleOp>(module->clone());
    print.emplace(module);
  }

  void runAfterPass(Pass *pass, Operation *op) override {
    ModuleOp module = moduleOf(op);
    if (isOver || !module || !before || pass->getArgument().empty() ||
        *print == OperationFingerPrint(module))
      return;
    auto function = dyn_cast<func::FuncOp>(op);
    // A private function is computed by those that call it.
    Verdict verdict =
        checker->check(module, function && function.isPublic() ? function.getSymName() : "");
    if (verdict.kind == Verdict::Kind::Agrees)
      return;
    isOver = true;
    if (verdict.kind == Verdict::Kind::Unknown) {
      emitRemark(op->getLoc()) << "not verified from the pass " << pass->getArgument()
                               << " on: " << verdict.reason;
      return;
    }
    found = true;
    std::string pipeline;
    llvm::raw_string_ostream out(pipeline);
    out << "builtin.module(";
    if (op != module)
      out << op->getName() << '(';
    pass->printAsTextualPipeline(out);
    out << (op != module ? "))" : ")");
    Blame blame = blamePass(pass->getArgument(), pipeline, *before, module, *checker,
                            verdict.difference, options.weightsPath);
    report(*checker, blame);
  }

  void runAfterPassFailed(Pass *, Operation *) override { isOver = true; }

private:
  static ModuleOp moduleOf(Operation *op) {
    auto module = dyn_cast<ModuleOp>(op);
    return module ? module : op->getParentOfType<ModuleOp>();
  }

  bool begin(ModuleOp module) {
    auto fail = [&](const llvm::Twine &message) {
      found = true;
      module.emitError(message);
      return false;
    };
    std::string saved;
    if (!options.savedInput.empty()) {
      auto file = llvm::MemoryBuffer::getFile(options.savedInput);
      if (!file)
        return fail("can't read '" + options.savedInput + "': " + file.getError().message());
      saved = (*file)->getBuffer();
      if (options.weightsPath.empty())
        options.weightsPath = savedWeightsPath(saved);
    }
    auto opened = openWeights(options.weightsPath);
    if (!opened)
      return fail(llvm::toString(opened.takeError()));
    weights = std::move(*opened);
    checker.emplace(*weights, options.checker);
    auto begun = saved.empty() ? checker->begin(module) : checker->begin(module, saved);
    if (!begun) {
      for (const std::string &reason : checker->skippedFunctions())
        emitRemark(module.getLoc()) << "not verified: " << reason;
      return true;
    }
    std::string reason = llvm::toString(std::move(begun));
    if (!saved.empty())
      return fail(reason);
    emitRemark(module.getLoc()) << "not verified: " << reason;
    return false;
  }

  NumericVerificationOptions options;
  bool &found;
  bool isOver = false;
  std::unique_ptr<reference::WeightSource> weights;
  std::optional<NumericChecker> checker;
  OwningOpRef<ModuleOp> before;
  std::optional<OperationFingerPrint> print;
};

} // namespace

void verification::verifyNumerically(PassManager &manager,
                                     const NumericVerificationOptions &options, bool &found) {
  manager.getContext()->disableMultithreading();
  manager.addInstrumentation(std::make_unique<NumericInstrumentation>(options, found));
}
