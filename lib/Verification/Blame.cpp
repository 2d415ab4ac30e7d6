//===- Blame.cpp - which pass changed a program's meaning -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/Blame.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

#include <cmath>

using namespace mlir;
using namespace heed;
using namespace heed::verification;

/// The place in the program; an op that a pass made up has none, and what it stands in has one.
static Location placeOf(Operation *op) {
  for (Operation *at = op; at; at = at->getParentOp())
    if (auto place = at->getLoc()->findInstanceOf<FileLineColLoc>())
      return place;
  return op->getLoc();
}

/// What a difference is shown at where no op computes it: the function's last one that has a place.
static Operation *lastOp(ModuleOp module, StringRef name) {
  for (auto function : module.getOps<func::FuncOp>()) {
    auto entry = function->getAttrOfType<StringAttr>("heed.entry");
    if (function.getSymName() != name && !(entry && entry.getValue() == name))
      continue;
    if (!function.isExternal())
      if (Operation *last = function.front().getTerminator()->getPrevNode();
          last && last->getLoc()->findInstanceOf<FileLineColLoc>())
        return last;
    return function;
  }
  return module;
}

/// Writes `text` to a new file beside other temporary ones; "" where that fails.
static std::string writeTemporary(StringRef stem, StringRef extension, StringRef text) {
  int descriptor;
  SmallString<128> path;
  if (llvm::sys::fs::createTemporaryFile(stem, extension, descriptor, path))
    return {};
  llvm::raw_fd_ostream file(descriptor, /*shouldClose=*/true);
  file << text;
  return std::string(path);
}

static Reproducer writeReproducer(StringRef pipeline, ModuleOp before,
                                  const NumericChecker &checker, const Difference &difference,
                                  StringRef weightsPath) {
  Reproducer reproducer;
  const NumericChecker::Function &function = checker.functionOf(difference);
  Split split = checker.splitOf(difference);
  reproducer.input = writeTemporary(
      "heed-input", "json",
      writeInput(function.program, function.cases[difference.input].input, &split, weightsPath));
  reproducer.isEvaluable = llvm::none_of(before.getOps<func::FuncOp>(), [](func::FuncOp entry) {
    return entry->hasAttr("heed.entry");
  });
  std::string text;
  llvm::raw_string_ostream out(text);
  before->print(out, OpPrintingFlags().printGenericOpForm(false).enableDebugInfo());
  out << "\n{-#\n  external_resources: {\n    mlir_reproducer: {\n      pipeline: \"" << pipeline
      << "\",\n      disable_threading: true,\n      verify_each: true\n    }\n  }\n#-}\n";
  reproducer.module = writeTemporary("heed-reproducer", "mlir", text);
  return reproducer;
}

Blame verification::blamePass(StringRef pass, StringRef pipeline, ModuleOp before, ModuleOp after,
                              NumericChecker &checker, const Difference &difference,
                              StringRef weightsPath) {
  Operation *op = difference.failedOp;
  if (!op)
    op = findDifferingOp(before, after, checker, difference);
  if (!op)
    op = lastOp(after, difference.function);
  Blame blame{
      pass.str(), pipeline.str(), difference, op->getName().getStringRef().str(), placeOf(op), {}};
  blame.difference.failedOp = nullptr; // its module may go
  blame.reproducer = writeReproducer(pipeline, before, checker, difference, weightsPath);
  return blame;
}

std::string verification::describe(const NumericChecker &checker, const Difference &difference) {
  const NumericChecker::Function &function = checker.functionOf(difference);
  Split split = checker.splitOf(difference);
  std::string input = describe(function.program, function.cases[difference.input].input, &split);
  if (!difference.failure.empty())
    return llvm::formatv("'{0}' can't be computed any more for {1}: {2}", difference.function,
                         input, difference.failure);
  const ProgramTensor &result = function.program.results[difference.result];
  std::string what = function.program.results.size() == 1
                         ? "'" + difference.function + "'"
                         : "'" + result.name + "' of '" + difference.function + "'";
  if (std::isinf(difference.error))
    return llvm::formatv("{0} has numbers where it had none, or none where it had some, for {1}",
                         what, input);
  return llvm::formatv("{0} is off by {1:e2} (allowed: {2:e0}) for {3}", what, difference.error,
                       difference.allowed, input);
}

void verification::report(const NumericChecker &checker, const Blame &blame) {
  InFlightDiagnostic diagnostic = emitError(blame.place)
                                  << "after the pass " << blame.pass << ", "
                                  << describe(checker, blame.difference)
                                  << "; the first op that differs is " << blame.op << " [E0902]";
  const Reproducer &files = blame.reproducer;
  if (files.module.empty() || files.input.empty())
    return;
  Diagnostic &note = diagnostic.attachNote(UnknownLoc::get(blame.place.getContext()));
  if (files.isEvaluable)
    note << "`heed-opt --run-reproducer --verify-each-numerically=" << files.input << " "
         << files.module << "` repeats it";
  else
    note << "`heed-opt --run-reproducer " << files.module << "` runs the pass; the input is in "
         << files.input;
}
