//===- SavedInput.cpp - inputs as files -----------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/Inputs.h"

#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace heed;
using namespace heed::verification;
using reference::Array;
namespace json = llvm::json;

std::string verification::writeInput(const ProgramFunction &function, const Input &input,
                                     const Split *split, llvm::StringRef weights) {
  json::Array params, pieces;
  for (const reference::Value &param : input.params) {
    const Array &array = std::get<Array>(param);
    json::Array elements;
    if (array.isFloat())
      for (double element : array.toFloats())
        elements.push_back(element);
    else
      for (int64_t element : array.toIntegers())
        elements.push_back(element);
    params.push_back(std::move(elements));
  }
  if (split)
    for (const Piece &piece : *split)
      pieces.push_back(json::Object{{"rows", piece.rows}, {"skipped", piece.skipped}});
  json::Value all = json::Object{{"function", function.name},
                                 {"weights", weights},
                                 {"sizes", json::Array(input.sizes)},
                                 {"pieces", std::move(pieces)},
                                 {"params", std::move(params)}};
  std::string text;
  llvm::raw_string_ostream(text) << all << '\n';
  return text;
}

static llvm::Error malformed(const llvm::Twine &what) {
  return llvm::createStringError("the input's file has " + what);
}

static llvm::Expected<reference::Value>
readParam(const ProgramTensor &tensor, ArrayRef<int64_t> sizes, const json::Array &elements) {
  SmallVector<int64_t> shape = ProgramFunction::shape(tensor, sizes);
  uint64_t count = 1;
  for (int64_t size : shape)
    if (size < 0 || __builtin_mul_overflow(count, static_cast<uint64_t>(size), &count))
      return malformed("a size that can't be");
  if (count != elements.size())
    return malformed(llvm::Twine(elements.size()) + " elements for parameter '" + tensor.name +
                     "', expected " + llvm::Twine(count));
  std::vector<double> floats;
  std::vector<int64_t> integers;
  for (const json::Value &element : elements) {
    if (auto number = element.getAsNumber())
      floats.push_back(*number);
    if (auto number = element.getAsInteger())
      integers.push_back(*number);
  }
  if (isa<FloatType>(tensor.element) && floats.size() == count)
    return Array::floats(tensor.element, shape, floats);
  if (!isa<FloatType>(tensor.element) && integers.size() == count)
    return Array::integers(tensor.element, shape, integers);
  return malformed("something else than numbers for parameter '" + tensor.name + "'");
}

llvm::Expected<SavedInput>
verification::readInput(llvm::StringRef text,
                        llvm::function_ref<const ProgramFunction *(llvm::StringRef)> find) {
  auto parsed = json::parse(text);
  if (!parsed)
    return parsed.takeError();
  const json::Object *all = parsed->getAsObject();
  const json::Array *sizes = all ? all->getArray("sizes") : nullptr;
  const json::Array *pieces = all ? all->getArray("pieces") : nullptr;
  const json::Array *params = all ? all->getArray("params") : nullptr;
  std::optional<llvm::StringRef> name = all ? all->getString("function") : std::nullopt;
  if (!sizes || !pieces || !params || !name)
    return malformed("no function, sizes, pieces or params");
  const ProgramFunction *function = find(*name);
  if (!function)
    return malformed("an input for function '" + *name + "', which the module doesn't have");
  if (function->sizes.size() != sizes->size() || function->params.size() != params->size())
    return malformed("other sizes or parameters than function '" + *name + "'");

  SavedInput saved;
  saved.function = name->str();
  saved.weights = all->getString("weights").value_or("").str();
  for (const json::Value &size : *sizes)
    saved.input.sizes.push_back(size.getAsInteger().value_or(-1));
  for (auto [tensor, elements] : llvm::zip(function->params, *params)) {
    auto param = readParam(tensor, saved.input.sizes,
                           elements.getAsArray() ? *elements.getAsArray() : json::Array());
    if (!param)
      return param.takeError();
    saved.input.params.push_back(std::move(*param));
  }
  Split split;
  int64_t total = 0;
  for (const json::Value &piece : *pieces) {
    const json::Object *fields = piece.getAsObject();
    int64_t rows = fields ? fields->getInteger("rows").value_or(0) : 0;
    int64_t skipped = fields ? fields->getInteger("skipped").value_or(0) : 0;
    if (rows < 0 || rows > saved.input.rows() - total || skipped < 0 || skipped > rows)
      return malformed("pieces that aren't parts of the text");
    total += rows;
    split.push_back({rows, skipped});
  }
  if (total != saved.input.rows())
    split = {{saved.input.rows()}};
  saved.input.splits.push_back(std::move(split));
  return saved;
}
