//===- NumericChecker.cpp - whether a module still means the same ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/NumericChecker.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace heed;
using namespace heed::verification;
using reference::Array;
using reference::Evaluator;
using reference::EvaluatorOptions;

NumericChecker::NumericChecker(reference::WeightSource &weights, Options options)
    : weights(weights), options(options) {}

NumericChecker::~NumericChecker() = default;

static std::vector<double> numbersOf(const Array &array) {
  if (array.isFloat())
    return array.toFloats();
  std::vector<int64_t> integers = array.toIntegers();
  return std::vector<double>(integers.begin(), integers.end());
}

double verification::relativeError(const Array &actual, const Array &expected) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (actual.shape != expected.shape)
    return kInfinite;
  double difference = 0, size = 0;
  for (auto [is, should] : llvm::zip(numbersOf(actual), numbersOf(expected))) {
    if (is == should || (std::isnan(is) && std::isnan(should)))
      continue;
    if (!std::isfinite(is) || !std::isfinite(should))
      return kInfinite;
    difference += (is - should) * (is - should);
  }
  if (difference == 0)
    return 0;
  for (double should : numbersOf(expected))
    size += std::isfinite(should) ? should * should : 0;
  return size == 0 ? kInfinite : std::sqrt(difference / size);
}

/// The whole text at once.
static Split whole(const Input &input) { return {{input.rows()}}; }

llvm::Error NumericChecker::addFunction(func::FuncOp function, std::vector<Input> inputs) {
  auto program = readProgramFunction(function);
  if (!program)
    return program.takeError();
  Function added{std::move(*program), {}, 0};
  if (inputs.empty())
    inputs = makeInputs(added.program);
  Evaluator evaluator(*original, weights);
  std::unique_ptr<FunctionForm> form = findForm(*original, added.program, evaluator);
  double stepsPerRow = 0;
  for (Input &input : inputs) {
    // What a row costs grows with their number, if at all.
    double rows = static_cast<double>(input.rows());
    uint64_t before = evaluator.steps();
    if (!added.cases.empty() && before + stepsPerRow * rows > options.maxSteps) {
      ++added.leftOut;
      continue;
    }
    auto expected = run(*form, added.program, input, whole(input));
    if (!expected)
      return expected.takeError();
    if (rows > 0)
      stepsPerRow = std::max(stepsPerRow, (evaluator.steps() - before) / rows);
    added.cases.push_back({std::move(input), std::move(*expected)});
  }
  known.push_back(std::move(added));
  return llvm::Error::success();
}

llvm::Error NumericChecker::begin(ModuleOp module) {
  original = cast<ModuleOp>(module->clone());
  known.clear();
  skipped.clear();
  for (func::FuncOp function : publicFunctions(*original))
    if (auto failed = addFunction(function, {}))
      skipped.push_back(llvm::toString(std::move(failed)));
  if (known.empty())
    return llvm::createStringError(
        skipped.empty() ? std::string("the module has no public function") : skipped.front());
  return llvm::Error::success();
}

llvm::Error NumericChecker::begin(ModuleOp module, StringRef savedInput) {
  original = cast<ModuleOp>(module->clone());
  known.clear();
  skipped.clear();
  std::vector<ProgramFunction> programs;
  std::vector<func::FuncOp> functions = publicFunctions(*original);
  for (func::FuncOp function : functions) {
    auto program = readProgramFunction(function);
    if (!program)
      return program.takeError();
    programs.push_back(std::move(*program));
  }
  auto saved = readInput(savedInput, [&](StringRef name) {
    auto found = llvm::find_if(programs, [&](auto &program) { return program.name == name; });
    return found == programs.end() ? nullptr : &*found;
  });
  if (!saved)
    return saved.takeError();
  for (func::FuncOp function : functions)
    if (function.getSymName() == saved->function)
      return addFunction(function, {std::move(saved->input)});
  return llvm::Error::success();
}

const NumericChecker::Function &NumericChecker::functionOf(const Difference &difference) const {
  return *llvm::find_if(
      known, [&](const Function &one) { return one.program.name == difference.function; });
}

Split NumericChecker::splitOf(const Difference &difference) const {
  const Input &input = functionOf(difference).cases[difference.input].input;
  return difference.split ? input.splits[*difference.split] : whole(input);
}

Verdict NumericChecker::compare(FunctionForm &form, const Function &function,
                                llvm::function_ref<double(const Case &)> allowed,
                                llvm::function_ref<void(size_t, size_t)> before) const {
  Verdict verdict;
  auto differs = [&](size_t input, size_t split, double budget) -> Difference & {
    verdict.kind = Verdict::Kind::Differs;
    verdict.difference.function = function.program.name;
    verdict.difference.input = input;
    if (form.isStep())
      verdict.difference.split = split;
    verdict.difference.allowed = budget;
    return verdict.difference;
  };
  for (auto [number, tried] : llvm::enumerate(function.cases)) {
    // What a step computes doesn't depend on how it is given the text; others get it whole.
    double budget = allowed(tried);
    for (size_t part = 0, parts = form.isStep() ? tried.input.splits.size() : 1; part != parts;
         ++part) {
      if (before)
        before(number, part);
      const Split split = form.isStep() ? tried.input.splits[part] : whole(tried.input);
      auto results = run(form, function.program, tried.input, split);
      if (!results) {
        differs(number, part, budget).failure = llvm::toString(results.takeError());
        return verdict;
      }
      for (auto [result, actual] : llvm::enumerate(*results)) {
        const Array &all = tried.expected[result];
        double error = relativeError(actual, form.isStep() ? askedRows(all, split) : all);
        verdict.worst = std::max(verdict.worst, error);
        if (error <= budget)
          continue;
        Difference &difference = differs(number, part, budget);
        difference.result = result;
        difference.error = error;
        return verdict;
      }
    }
  }
  return verdict;
}

static bool hasWeights(ModuleOp module) { return !module.getOps<attn::WeightOp>().empty(); }

Verdict NumericChecker::check(ModuleOp module, StringRef only) {
  Verdict all;
  if (hasWeights(*original) && !hasWeights(module)) {
    all.kind = Verdict::Kind::Unknown;
    all.reason = "weights are addresses now";
    return all;
  }
  for (Function &function : known) {
    if (!only.empty() && function.program.name != only)
      continue;
    double allowed = ErrorBudget::kRewrites;
    for (auto candidate : module.getOps<func::FuncOp>()) {
      if (candidate.getSymName() == function.program.name)
        function.program.update(candidate);
      if (candidate->hasAttr("heed.entry"))
        allowed = ErrorBudget::kKernels;
    }
    Evaluator evaluator(module, weights);
    std::unique_ptr<FunctionForm> form = findForm(module, function.program, evaluator);
    if (!form) {
      all.kind = Verdict::Kind::Unknown;
      all.reason = "function '" + function.program.name + "' is no func.func any more";
      return all;
    }
    Verdict one = compare(*form, function, [&](const Case &) { return allowed; });
    all.worst = std::max(all.worst, one.worst);
    if (one.kind == Verdict::Kind::Agrees)
      continue;
    one.worst = all.worst;
    if (!one.difference.failure.empty()) {
      one.difference.failedOp = evaluator.failedOp();
      if (evaluator.failedByIgnorance()) {
        one.kind = Verdict::Kind::Unknown;
        one.reason = one.difference.failure;
      }
    }
    return one;
  }
  return all;
}

llvm::Error NumericChecker::measureRounding() {
  EvaluatorOptions rounding;
  rounding.precision = reference::Precision::AsTyped;
  for (Function &function : known) {
    Evaluator evaluator(*original, weights, rounding);
    std::unique_ptr<FunctionForm> form = findForm(*original, function.program, evaluator);
    for (Case &tried : function.cases) {
      auto results = run(*form, function.program, tried.input, whole(tried.input));
      if (!results)
        return results.takeError();
      for (auto [result, expected] : llvm::zip_equal(*results, tried.expected))
        tried.roundingError = std::max(tried.roundingError, relativeError(result, expected));
    }
  }
  return llvm::Error::success();
}
