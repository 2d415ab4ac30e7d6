//===- FunctionForm.cpp - drives a function in any form -------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/FunctionForm.h"

using namespace mlir;
using namespace heed;
using namespace heed::verification;
using reference::Array;

FunctionForm::~FunctionForm() = default;

namespace {

/// A function of tensors or of memrefs: its arguments say what they are.
class FuncForm : public FunctionForm {
public:
  FuncForm(func::FuncOp function, reference::Evaluator &evaluator)
      : function(function), evaluator(evaluator) {}

  bool isStep() const override {
    auto kind = function->getAttrOfType<StringAttr>("heed.kind");
    return kind && kind.getValue() == "step";
  }

  llvm::Error call(Call &call) override {
    SmallVector<reference::Value> arguments;
    size_t nextParam = 0, nextCache = 0, nextResult = 0;
    for (unsigned number = 0; number != function.getNumArguments(); ++number) {
      switch (roleOf(function, number)) {
      case ArgumentRole::Param:
        arguments.push_back(argument(call.params[nextParam++], number));
        break;
      case ArgumentRole::Past:
        arguments.push_back(call.past);
        break;
      case ArgumentRole::First:
        arguments.push_back(call.first);
        break;
      case ArgumentRole::Cache:
        arguments.push_back(call.caches[nextCache++]);
        break;
      case ArgumentRole::Result:
        arguments.push_back(call.results[nextResult++]);
        break;
      }
    }
    auto returned = evaluator.call(function.getSymName(), arguments);
    if (!returned)
      return returned.takeError();
    // Tensors come back: results, then caches. Memory was written in place.
    for (auto [number, value] : llvm::enumerate(*returned)) {
      size_t own = call.results.size() - nextResult;
      Array &to = number < own ? call.results[nextResult + number] : call.caches[number - own];
      to = asArray(value, to);
    }
    return llvm::Error::success();
  }

private:
  /// A parameter is an array of rank 0 where the function takes a number.
  reference::Value argument(const reference::Value &param, unsigned number) {
    Type type = function.getArgumentTypes()[number];
    if (isa<ShapedType>(type))
      return param;
    const Array &array = std::get<Array>(param);
    return array.isFloat() ? reference::Value(array.at({}).asFloat())
                           : reference::Value(array.at({}).asInt());
  }
  static Array asArray(const reference::Value &value, const Array &like) {
    if (auto *array = std::get_if<Array>(&value))
      return *array;
    if (auto *number = std::get_if<double>(&value))
      return Array::filled(like.element, {}, reference::Scalar(*number));
    return Array::filled(like.element, {}, reference::Scalar(std::get<int64_t>(value)));
  }

  func::FuncOp function;
  reference::Evaluator &evaluator;
};

/// What the runtime calls.
class EntryForm : public FunctionForm {
public:
  EntryForm(const ProgramFunction &function, reference::Evaluator &evaluator)
      : function(function), evaluator(evaluator) {}

  bool isStep() const override { return function.isStep; }

  llvm::Error call(Call &call) override {
    SmallVector<int64_t> numbers = call.sizes;
    if (function.isStep)
      numbers.append({call.past, call.first, call.capacity});
    SmallVector<Array> buffers;
    for (const reference::Value &param : call.params)
      buffers.push_back(std::get<Array>(param));
    buffers.append(call.caches.begin(), call.caches.end());
    buffers.append(call.results.begin(), call.results.end());
    return evaluator.callEntry(function.name, numbers, buffers);
  }

private:
  const ProgramFunction &function;
  reference::Evaluator &evaluator;
};

} // namespace

std::unique_ptr<FunctionForm> verification::findForm(ModuleOp module,
                                                     const ProgramFunction &function,
                                                     reference::Evaluator &evaluator) {
  for (auto candidate : module.getOps<func::FuncOp>()) {
    if (auto entry = candidate->getAttrOfType<StringAttr>("heed.entry");
        entry && entry.getValue() == function.name)
      return std::make_unique<EntryForm>(function, evaluator);
    if (candidate.getSymName() == function.name && !candidate.isExternal())
      return std::make_unique<FuncForm>(candidate, evaluator);
  }
  return nullptr;
}

/// The part of a parameter that belongs to rows `begin` to `end` of the text.
static reference::Value rowsOf(const ProgramTensor &tensor, const reference::Value &param,
                               int64_t begin, int64_t end) {
  const auto *axis = llvm::find(tensor.dims, runtimeDim(0));
  const Array &array = std::get<Array>(param);
  if (axis == tensor.dims.end())
    return array.clone();
  return slice(array, axis - tensor.dims.begin(), begin, end);
}

static Array emptyCache(const CacheTensor &cache, int64_t capacity) {
  SmallVector<int64_t> shape = cache.dims;
  for (int64_t &dim : shape)
    if (dim == kDimCapacity)
      dim = capacity;
  return Array::uninitialised(cache.element, shape);
}

/// Parts that are larger than what a call may bring are given in several.
static Split fitted(const ProgramFunction &function, const Split &split) {
  int64_t most = function.chunk > 0 ? function.chunk : INT64_MAX;
  Split parts;
  for (Piece piece : split) {
    while (piece.rows > most) {
      parts.push_back({most, std::min(piece.skipped, most)});
      piece.rows -= most;
      piece.skipped -= parts.back().skipped;
    }
    parts.push_back(piece);
  }
  return parts;
}

llvm::Expected<std::vector<Array>> verification::run(FunctionForm &form,
                                                     const ProgramFunction &function,
                                                     const Input &input, const Split &split) {
  bool isStep = form.isStep();
  std::vector<Array> caches;
  int64_t capacity = input.rows() + 3; // more than is used
  if (isStep)
    for (const CacheTensor &cache : function.caches)
      caches.push_back(emptyCache(cache, capacity));

  std::vector<Array> results;
  std::vector<std::vector<reference::Scalar>> elements(function.results.size());
  int64_t past = 0, rows = 0;
  for (const Piece &piece : isStep ? fitted(function, split) : Split{{input.rows()}}) {
    Call call{input.sizes, past, piece.skipped, capacity, {}, caches, {}};
    if (!call.sizes.empty())
      call.sizes[0] = piece.rows;
    for (auto [tensor, param] : llvm::zip(function.params, input.params))
      call.params.push_back(rowsOf(tensor, param, past, past + piece.rows));
    for (const ProgramTensor &result : function.results) {
      SmallVector<int64_t> shape = ProgramFunction::shape(result, call.sizes);
      if (isStep)
        shape[0] = piece.rows - call.first;
      call.results.push_back(Array::uninitialised(result.element, shape));
    }
    if (auto failed = form.call(call))
      return std::move(failed);
    if (!isStep)
      return std::move(call.results);
    past += piece.rows;
    rows += piece.rows - call.first;
    for (auto [number, result] : llvm::enumerate(call.results))
      llvm::append_range(elements[number], result.toScalars());
    results = std::move(call.results);
  }
  for (auto [result, all] : llvm::zip(results, elements)) {
    SmallVector<int64_t> shape(result.shape);
    shape[0] = rows;
    result = Array::uninitialised(result.element, shape);
    *result.storage = std::move(all);
  }
  return results;
}
