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
#include "llvm/ADT/StringExtras.h"
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
    if (unseen.empty())
      before = cast<ModuleOp>(module->clone());
    print.emplace(module);
  }

  void runAfterPass(Pass *pass, Operation *op) override {
    ModuleOp module = moduleOf(op);
    if (isOver || !module || !before || pass->getArgument().empty() ||
        *print == OperationFingerPrint(module))
      return;
    unseen.push_back(pipelineOf(pass, op));
    auto function = dyn_cast<func::FuncOp>(op);
    // A private function is computed by those that call it.
    bool isAlone = unseen.size() == 1 && function && function.isPublic();
    Verdict verdict = checker->check(module, isAlone ? function.getSymName() : "");
    switch (verdict.kind) {
    case Verdict::Kind::Agrees:
      unseen.clear();
      return;
    case Verdict::Kind::Unknown:
      if (unseen.size() == 1)
        emitRemark(op->getLoc()) << "what the pass " << pass->getArgument()
                                 << " leaves isn't verified by itself: " << verdict.reason;
      return;
    case Verdict::Kind::Differs:
      break;
    }
    isOver = found = true;
    std::string name = pass->getArgument().str();
    if (unseen.size() > 1)
      name += " or one that was run before it and could not be verified";
    Blame blame = blamePass(name, "builtin.module(" + llvm::join(unseen, ",") + ")", *before,
                            module, *checker, verdict.difference, options.weightsPath);
    report(*checker, blame);
  }

  void runAfterPassFailed(Pass *, Operation *) override { isOver = true; }

private:
  /// A pass with its options and the op that it runs on, inside of builtin.module(…).
  static std::string pipelineOf(Pass *pass, Operation *op) {
    std::string text;
    llvm::raw_string_ostream out(text);
    if (!isa<ModuleOp>(op))
      out << op->getName() << '(';
    pass->printAsTextualPipeline(out);
    if (!isa<ModuleOp>(op))
      out << ')';
    return text;
  }
  static ModuleOp moduleOf(Operation *op) {
    auto module = dyn_cast<ModuleOp>(op);
    return module ? module : op->getParentOfType<ModuleOp>();
  }

  bool begin(ModuleOp module) {
    auto fail = [&](const llvm::Twine &message) {
      found = true;
      emitError(module.getLoc()) << message;
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
  OwningOpRef<ModuleOp> before;    ///< the last module that was evaluated
  std::vector<std::string> unseen; ///< passes since then
  std::optional<OperationFingerPrint> print;
};

} // namespace

void verification::verifyNumerically(PassManager &manager,
                                     const NumericVerificationOptions &options, bool &found) {
  manager.getContext()->disableMultithreading();
  manager.addInstrumentation(std::make_unique<NumericInstrumentation>(options, found));
}
