//===- DifferingOp.cpp - the first op that computes something else --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Values keep the names of the program through all phases, so what `Q` is can be
// compared before and after a pass. Passes do lay values out anew, split loops
// and compute in place; so the values of one name and one number of elements are
// compared as sets, by sums that don't depend on the elements' order.
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/NumericChecker.h"

#include "mlir/IR/Location.h"
#include "llvm/ADT/MapVector.h"

#include <cmath>

using namespace mlir;
using namespace heed;
using namespace heed::verification;
using reference::Array;

namespace {

/// What stays of a value's elements in any order.
struct Sums {
  double sum = 0, magnitude = 0, squares = 0;

  bool isNear(const Sums &other) const {
    // A value that is off by less did no harm, and kernels are approximate.
    double tolerance = 10 * ErrorBudget::kKernels;
    auto near = [](double a, double b, double allowed) {
      return a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= allowed;
    };
    return near(sum, other.sum, tolerance * (magnitude + other.magnitude)) &&
           near(magnitude, other.magnitude, tolerance * (magnitude + other.magnitude)) &&
           near(squares, other.squares, tolerance * (squares + other.squares));
  }
};

using Key = std::pair<StringAttr, int64_t>; // a name and a number of elements

/// All values of one key that one evaluation gave.
struct Given {
  Operation *first = nullptr;
  std::vector<Sums> values;
};
using Trace = llvm::MapVector<Key, Given>;

} // namespace

/// The name of an op's result in the program, or null.
static StringAttr nameOf(Operation *op) {
  auto named = op->getLoc()->findInstanceOf<NameLoc>();
  return named ? named.getName() : StringAttr();
}

static std::optional<Sums> sumsOf(const reference::Value &value) {
  auto *array = std::get_if<Array>(&value);
  if (!array || !array->isFloat() || array->countPoison() != 0)
    return std::nullopt;
  Sums sums;
  for (double element : array->toFloats()) {
    sums.sum += element;
    sums.magnitude += std::abs(element);
    sums.squares += element * element;
  }
  return sums;
}

/// The named values that `module` computes for the input of the difference.
static Trace trace(ModuleOp module, NumericChecker &checker, const Difference &difference) {
  Trace trace;
  reference::EvaluatorOptions options;
  options.observe = [&](Operation *op, unsigned, const reference::Value &value) {
    StringAttr name = nameOf(op);
    auto sums = name ? sumsOf(value) : std::nullopt;
    if (!sums)
      return;
    Given &given = trace[{name, std::get<Array>(value).numElements()}];
    if (!given.first)
      given.first = op;
    given.values.push_back(*sums);
  };
  reference::Evaluator evaluator(module, checker.weightSource(), options);
  const NumericChecker::Function &function = checker.functionOf(difference);
  if (auto form = findForm(module, function.program, evaluator)) {
    auto results = run(*form, function.program, function.cases[difference.input].input,
                       checker.splitOf(difference));
    // What was computed until an error is worth comparing too.
    if (!results)
      llvm::consumeError(results.takeError());
  }
  return trace;
}

Operation *verification::findDifferingOp(ModuleOp before, ModuleOp after, NumericChecker &checker,
                                         const Difference &difference) {
  Trace earlier = trace(before, checker, difference);
  for (auto &[key, given] : trace(after, checker, difference)) {
    auto known = earlier.find(key);
    if (known == earlier.end())
      continue;
    bool isKept = llvm::any_of(given.values, [&](const Sums &value) {
      return llvm::any_of(known->second.values,
                          [&](const Sums &other) { return value.isNear(other); });
    });
    if (!isKept)
      return given.first;
  }
  return nullptr;
}
