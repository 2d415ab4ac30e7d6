//===- Evaluator.cpp - computes what a phase's IR means, in f64 -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Reference/Evaluator.h"

#include "Machine.h"
#include "Views.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace heed;
using namespace heed::reference;

class Evaluator::Impl : public Machine {
public:
  using Machine::Machine;

  /// Reports a result of `function` that isn't complete.
  LogicalResult checkWritten(func::FuncOp function, const reference::Value &value,
                             const llvm::Twine &name) {
    const Array *array = std::get_if<Array>(&value);
    int64_t unwritten = array ? array->countPoison() : 0;
    if (!array && !std::holds_alternative<Record>(value))
      unwritten = toScalar(value).isPoison();
    if (unwritten == 0)
      return success();
    return fail(function, name + " of '" + function.getSymName() + "' has " +
                              llvm::Twine(unwritten) + " of " +
                              llvm::Twine(array ? array->numElements() : 1) +
                              " elements that nothing wrote");
  }
};

Evaluator::Evaluator(ModuleOp module, WeightSource &weights, EvaluatorOptions options)
    : impl(std::make_unique<Impl>(module, weights, std::move(options))) {}

Evaluator::~Evaluator() = default;

llvm::Expected<SmallVector<reference::Value>>
Evaluator::call(StringRef name, ArrayRef<reference::Value> arguments) {
  FailureOr<const Code *> code = impl->code(name, impl->module);
  if (failed(code))
    return impl->takeError();
  FailureOr<SmallVector<reference::Value>> results = impl->call(**code, arguments);
  if (failed(results))
    return impl->takeError();
  func::FuncOp function = (*code)->function;
  auto hasRole = [&](size_t number, StringRef role) {
    auto found = function.getArgAttrOfType<StringAttr>(number, "heed.arg");
    return found && found.getValue() == role;
  };
  // The last results of a step are its caches, which have room for rows that are still to come.
  size_t caches = llvm::count_if(llvm::seq<size_t>(0, arguments.size()),
                                 [&](size_t number) { return hasRole(number, "cache"); });
  for (size_t number = 0; number + caches < results->size(); ++number)
    if (failed(impl->checkWritten(function, (*results)[number], "result " + llvm::Twine(number))))
      return impl->takeError();
  for (auto [number, argument] : llvm::enumerate(arguments))
    if (hasRole(number, "result") &&
        failed(impl->checkWritten(function, argument, "argument " + llvm::Twine(number))))
      return impl->takeError();
  return std::move(*results);
}

llvm::Error Evaluator::callEntry(StringRef name, ArrayRef<int64_t> numbers,
                                 ArrayRef<Array> buffers) {
  Record context, ints, addresses;
  context.fields = std::make_shared<std::vector<reference::Value>>();
  ints.fields = std::make_shared<std::vector<reference::Value>>(numbers.begin(), numbers.end());
  addresses.fields =
      std::make_shared<std::vector<reference::Value>>(buffers.begin(), buffers.end());
  for (auto function : impl->module.getOps<func::FuncOp>()) {
    auto entry = function->getAttrOfType<StringAttr>("heed.entry");
    if (!entry || entry.getValue() != name)
      continue;
    FailureOr<const Code *> code = impl->code(function.getSymName(), impl->module);
    if (failed(code) || failed(impl->call(**code, {context, ints, addresses})))
      return impl->takeError();
    return llvm::Error::success();
  }
  (void)impl->fail(impl->module, "there is no entry of a function '" + name + "'");
  return impl->takeError();
}

Operation *Evaluator::failedOp() const { return impl->failedOp; }

bool Evaluator::failedByIgnorance() const { return impl->isUnknown; }

uint64_t Evaluator::steps() const { return impl->steps; }
