//===- ProgramFunction.cpp - a function as its caller knows it ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/ProgramFunction.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace heed;
using namespace heed::verification;

static llvm::Error error(func::FuncOp function, const Twine &what) {
  return llvm::createStringError("function '" + function.getSymName() + "': " + what);
}

SmallVector<int64_t> ProgramFunction::shape(const ProgramTensor &tensor, ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> shape;
  for (int64_t dim : tensor.dims)
    shape.push_back(dim >= 0 ? dim : sizes[-1 - dim]);
  return shape;
}

ArgumentRole verification::roleOf(func::FuncOp function, unsigned number) {
  auto role = function.getArgAttrOfType<StringAttr>(number, "heed.arg");
  return llvm::StringSwitch<ArgumentRole>(role ? role.getValue() : "param")
      .Case("past", ArgumentRole::Past)
      .Case("first", ArgumentRole::First)
      .Case("cache", ArgumentRole::Cache)
      .Case("result", ArgumentRole::Result)
      .Default(ArgumentRole::Param);
}

void ProgramFunction::update(func::FuncOp function) {
  if (auto kind = function->getAttrOfType<StringAttr>("heed.kind"))
    isStep = kind.getValue() == "step";
  if (auto most = function->getAttrOfType<IntegerAttr>("heed.chunk"))
    chunk = most.getInt();
  std::vector<CacheTensor> found;
  for (auto [number, type] : llvm::enumerate(function.getArgumentTypes())) {
    auto shaped = dyn_cast<ShapedType>(type);
    if (!shaped || roleOf(function, number) != ArgumentRole::Cache)
      continue;
    CacheTensor cache{shaped.getElementType(), SmallVector<int64_t>(shaped.getShape())};
    for (int64_t &dim : cache.dims)
      if (ShapedType::isDynamic(dim))
        dim = kDimCapacity;
    found.push_back(std::move(cache));
  }
  if (!found.empty())
    caches = std::move(found);
}

/// The axes of one parameter or result, from `dims` (heed.dims) or `shape` (heed.shape) where the
/// function has them. A dynamic axis is the function's only size otherwise.
static llvm::Error readDims(func::FuncOp function, const ProgramFunction &program, ShapedType type,
                            Attribute dims, Attribute shape, ProgramTensor &tensor) {
  auto numbers = dyn_cast_or_null<DenseI64ArrayAttr>(dims);
  auto names = dyn_cast_or_null<ArrayAttr>(shape);
  for (auto [axis, dim] : llvm::enumerate(type.getShape())) {
    int64_t size = -1;
    if (!ShapedType::isDynamic(dim)) {
      tensor.dims.push_back(dim);
      continue;
    }
    if (numbers && axis < size_t(numbers.size()) && numbers[axis] < 0) {
      size = numbers[axis] == kDimNewRows ? 0 : -1 - numbers[axis];
    } else if (auto name = names && axis < names.size() ? dyn_cast<StringAttr>(names[axis])
                                                        : StringAttr()) {
      auto found = llvm::find(program.sizes, name.getValue());
      size = found == program.sizes.end() ? -1 : found - program.sizes.begin();
    } else if (program.sizes.size() == 1) {
      size = 0;
    }
    if (size < 0 || size >= int64_t(program.sizes.size()))
      return error(function, "nothing says which size axis " + Twine(axis) + " of '" + tensor.name +
                                 "' is; heed.shape does");
    tensor.dims.push_back(runtimeDim(size));
  }
  return llvm::Error::success();
}

static llvm::Expected<ProgramTensor> readTensor(func::FuncOp function,
                                                const ProgramFunction &program, Type type,
                                                DictionaryAttr attributes, std::string name) {
  ProgramTensor tensor;
  if (auto given = attributes ? attributes.getAs<StringAttr>("heed.name") : StringAttr())
    name = given.getValue();
  tensor.name = std::move(name);
  auto shaped = dyn_cast<ShapedType>(type);
  tensor.element = shaped ? shaped.getElementType() : type;
  if ((shaped && !shaped.hasRank()) || !tensor.element.isIntOrIndexOrFloat())
    return error(function, "'" + tensor.name + "' is neither a tensor nor a number");
  if (!shaped)
    return tensor;
  if (auto failed = readDims(function, program, shaped,
                             attributes ? attributes.get("heed.dims") : Attribute(),
                             attributes ? attributes.get("heed.shape") : Attribute(), tensor))
    return std::move(failed);
  return tensor;
}

llvm::Expected<ProgramFunction> verification::readProgramFunction(func::FuncOp function) {
  ProgramFunction program;
  program.name = function.getSymName();
  if (auto sizes = function->getAttrOfType<ArrayAttr>("heed.sizes"))
    for (StringAttr size : sizes.getAsRange<StringAttr>())
      program.sizes.push_back(size.getValue().str());
  else
    program.sizes.push_back("n"); // hand-written: all dynamic axes are one size
  if (auto bounds = function->getAttrOfType<DenseI64ArrayAttr>("heed.bounds"))
    program.bounds.assign(bounds.asArrayRef().begin(), bounds.asArrayRef().end());
  program.bounds.resize(program.sizes.size(), 0);
  if (auto limit = function->getAttrOfType<IntegerAttr>("heed.token_limit"))
    program.tokenLimit = limit.getInt();
  program.update(function);

  for (auto [number, type] : llvm::enumerate(function.getArgumentTypes())) {
    ArgumentRole role = roleOf(function, number);
    if (role != ArgumentRole::Param && role != ArgumentRole::Result)
      continue;
    auto tensor = readTensor(function, program, type, function.getArgAttrDict(number),
                             ("argument " + Twine(number)).str());
    if (!tensor)
      return tensor.takeError();
    (role == ArgumentRole::Param ? program.params : program.results).push_back(std::move(*tensor));
  }
  size_t own = function.getNumResults();
  if (own >= program.caches.size())
    own -= program.caches.size();
  for (size_t number = 0; number != own; ++number) {
    auto tensor = readTensor(function, program, function.getResultTypes()[number],
                             function.getResultAttrDict(number), ("result " + Twine(number)).str());
    if (!tensor)
      return tensor.takeError();
    program.results.push_back(std::move(*tensor));
  }
  if (program.results.empty())
    return error(function, "it has no result");
  return program;
}

std::vector<func::FuncOp> verification::publicFunctions(ModuleOp module) {
  std::vector<func::FuncOp> functions;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic() && !function.isExternal())
      functions.push_back(function);
  return functions;
}
