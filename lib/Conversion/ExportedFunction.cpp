//===- ExportedFunction.cpp - what an exported function's arguments are ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Conversion/ExportedFunction.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/Twine.h"

#include <optional>

using namespace mlir;
using namespace heed;

static std::optional<ArgumentRole> parseRole(StringRef role) {
  return llvm::StringSwitch<std::optional<ArgumentRole>>(role)
      .Case("param", ArgumentRole::Param)
      .Case("past", ArgumentRole::Past)
      .Case("first", ArgumentRole::First)
      .Case("cache", ArgumentRole::Cache)
      .Case("result", ArgumentRole::Result)
      .Default(std::nullopt);
}

bool heed::isExported(func::FuncOp function) {
  for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i)
    if (function.getArgAttr(i, "heed.arg"))
      return true;
  return false;
}

static LogicalResult readSizes(func::FuncOp function, ExportedFunction &exported) {
  if (auto sizes = function->getAttrOfType<ArrayAttr>("heed.sizes"))
    for (Attribute size : sizes) {
      auto name = dyn_cast<StringAttr>(size);
      if (!name)
        return function.emitError("heed.sizes must hold strings, found ") << size;
      exported.sizes.push_back(name.getValue().str());
    }
  if (auto bounds = function->getAttrOfType<DenseI64ArrayAttr>("heed.bounds"))
    exported.bounds.assign(bounds.asArrayRef().begin(), bounds.asArrayRef().end());
  if (exported.bounds.size() > exported.sizes.size())
    return function.emitError("heed.bounds has ")
           << exported.bounds.size() << " entries for " << exported.sizes.size() << " sizes";
  exported.bounds.resize(exported.sizes.size(), 0);
  return success();
}

/// The size that a dynamic axis has by its place, where `heed.dims` does not say: with one run-time
/// size there is no choice, and parameters that have one dynamic axis for each size have them in
/// order.
static std::optional<int64_t> sizeByPlace(const ExportedFunction &exported, ArgumentRole role,
                                          unsigned axis, int64_t &nextSize, bool oneAxisEach) {
  if (role == ArgumentRole::Cache)
    return kDimCapacity;
  if (role == ArgumentRole::Result && exported.isStep && axis == 0)
    return kDimNewRows;
  if (exported.sizes.size() == 1)
    return runtimeDim(0);
  if (role == ArgumentRole::Param && oneAxisEach)
    return runtimeDim(nextSize++);
  return std::nullopt;
}

static LogicalResult readDims(func::FuncOp function, unsigned number,
                              const ExportedFunction &exported, int64_t &nextSize, bool oneAxisEach,
                              ExportedArgument &argument) {
  auto shaped = cast<ShapedType>(argument.type);
  auto given = function.getArgAttrOfType<DenseI64ArrayAttr>(number, "heed.dims");
  if (given && given.size() != shaped.getRank())
    return function.emitError("argument ") << number << " has rank " << shaped.getRank()
                                           << " but heed.dims has " << given.size() << " entries";
  for (unsigned axis = 0, rank = shaped.getRank(); axis != rank; ++axis) {
    if (!shaped.isDynamicDim(axis)) {
      argument.dims.push_back(shaped.getDimSize(axis));
      continue;
    }
    std::optional<int64_t> dim;
    if (given && given[axis] < 0)
      dim = given[axis];
    else
      dim = sizeByPlace(exported, argument.role, axis, nextSize, oneAxisEach);
    if (!dim)
      return function.emitError("axis ") << axis << " of argument '" << argument.name
                                         << "' is dynamic and nothing says which size it is: give "
                                            "the argument heed.dims";
    bool isSize = *dim < 0 && *dim >= -int64_t(exported.sizes.size());
    if (!isSize && *dim != kDimCapacity && *dim != kDimNewRows)
      return function.emitError("axis ")
             << axis << " of argument '" << argument.name << "' has heed.dims " << *dim
             << ", but the function has " << exported.sizes.size() << " run-time sizes";
    if (!isSize && !exported.isStep)
      return function.emitError("axis ")
             << axis << " of argument '" << argument.name
             << "' depends on a cache, but the function is not heed.kind = \"step\"";
    argument.dims.push_back(*dim);
  }
  return success();
}

static std::string defaultName(ArgumentRole role, unsigned number) {
  switch (role) {
  case ArgumentRole::Param:
    return ("param" + Twine(number)).str();
  case ArgumentRole::Past:
    return "past";
  case ArgumentRole::First:
    return "first";
  case ArgumentRole::Cache:
    return ("cache" + Twine(number)).str();
  case ArgumentRole::Result:
    return number == 0 ? std::string("result") : ("result" + Twine(number)).str();
  }
  return {};
}

/// Reads roles, names and types; sizes need all of them first.
static LogicalResult readRoles(func::FuncOp function, ExportedFunction &exported) {
  unsigned counts[5] = {};
  for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i) {
    auto attribute = function.getArgAttrOfType<StringAttr>(i, "heed.arg");
    auto role = attribute ? parseRole(attribute.getValue()) : std::nullopt;
    if (!role)
      return function.emitError("argument ")
             << i << " of an exported function needs heed.arg = \"param\", \"past\", \"first\", "
             << "\"cache\" or \"result\", found " << function.getArgAttr(i, "heed.arg");
    if (!exported.arguments.empty() && exported.arguments.back().role > *role)
      return function.emitError("argument ")
             << i << " is a " << attribute
             << " but must come before the one in front of it: the order is params, past, first, "
                "caches, results";
    Type type = function.getArgumentTypes()[i];
    bool isNumber = *role == ArgumentRole::Past || *role == ArgumentRole::First;
    auto shaped = dyn_cast<ShapedType>(type);
    if (isNumber ? !(type.isIndex() || type.isInteger(64)) : !(shaped && shaped.hasRank()))
      return function.emitError("argument ")
             << i << " is a " << attribute << " and so must be "
             << (isNumber ? "an index" : "a memref or a tensor") << ", found " << type;
    if (isNumber && !exported.isStep)
      return function.emitError("argument ")
             << i << " is a " << attribute << " but the function is not heed.kind = \"step\"";
    auto name = function.getArgAttrOfType<StringAttr>(i, "heed.name");
    unsigned number = counts[unsigned(*role)]++;
    exported.arguments.push_back(
        {*role, name ? name.getValue().str() : defaultName(*role, number), type, {}});
  }
  return success();
}

FailureOr<ExportedFunction> heed::readExportedFunction(func::FuncOp function) {
  ExportedFunction exported;
  if (auto kind = function->getAttrOfType<StringAttr>("heed.kind"))
    exported.isStep = kind.getValue() == "step";
  if (failed(readSizes(function, exported)) || failed(readRoles(function, exported)))
    return failure();

  size_t dynamicAxes = 0;
  for (const ExportedArgument &argument : exported.arguments)
    if (argument.role == ArgumentRole::Param)
      dynamicAxes += cast<ShapedType>(argument.type).getNumDynamicDims();
  int64_t nextSize = 0;
  for (auto [number, argument] : llvm::enumerate(exported.arguments))
    if (isa<ShapedType>(argument.type) &&
        failed(readDims(function, number, exported, nextSize, dynamicAxes == exported.sizes.size(),
                        argument)))
      return failure();
  return exported;
}
