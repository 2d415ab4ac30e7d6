//===- ArtifactInfo.cpp - what an artefact says of itself, to be written --===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/ArtifactInfo.h"

#include "heed/Conversion/ExportedFunction.h"
#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Runtime/Artifact.h"
#include "heed/Target/CPU/TokenLimit.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace heed;

std::string ArtifactInfo::stem() const {
  std::string stem;
  for (char c : name)
    stem += llvm::isAlnum(c) ? c : '_';
  if (stem.empty() || llvm::isDigit(stem.front()))
    stem.insert(0, "m");
  return stem;
}

/// The order of axes in which `op` is laid out, checked against what the runtime can do.
static LogicalResult readPermutation(attn::WeightOp op, WeightInfo &weight) {
  auto permuted = op->getAttrOfType<DenseI64ArrayAttr>("heed.permuted");
  if (!permuted || isIdentityPermutation(permuted.asArrayRef()))
    return success();
  ArrayRef<int64_t> order = permuted.asArrayRef(), shape = op.getWeightType().getShape();
  if (order.size() != shape.size() || !isPermutationVector(order))
    return op.emitError("heed.permuted [")
           << order << "] is no permutation of the weight's " << shape.size() << " axes";
  if (order.size() > HEED_MAX_RANK)
    return op.emitError("weight '") << weight.name << "' has " << order.size()
                                    << " axes in another order than the file's; at most "
                                    << HEED_MAX_RANK << " can be reordered";
  int64_t block = op.getWeightType().getBlockElements();
  if (block > 1 && (order.back() != int64_t(order.size()) - 1 || shape.back() % block != 0))
    return op.emitError("weight '")
           << weight.name << "' is stored in blocks of " << block
           << " elements along its last axis, and the order of axes [" << order
           << "] would break them up: store it as F16 or declare its axes in the order in which "
              "the formula sums them";
  weight.permutation.assign(order.begin(), order.end());
  weight.shape.assign(shape.begin(), shape.end());
  return success();
}

static FailureOr<WeightInfo> readWeight(attn::WeightOp op) {
  attn::WeightType type = op.getWeightType();
  WeightInfo weight;
  weight.name = op.getSymName().str();
  weight.tensor = op.getTensor().str();
  if (auto fallback = op.getFallback())
    weight.fallback = fallback->str();
  weight.storages = static_cast<uint32_t>(type.getStorage());
  weight.layers = std::max<int64_t>(1, op.getLayers());

  auto number = [&](StringRef attribute, int64_t otherwise) {
    auto value = op->getAttrOfType<IntegerAttr>(attribute);
    return value ? value.getInt() : otherwise;
  };
  int64_t elements = 1;
  for (int64_t size : type.getShape())
    if (llvm::MulOverflow(elements, size, elements))
      return op.emitError("weight has more elements than fit 63 bits");
  weight.layout = static_cast<int32_t>(number("heed.layout", HEED_LAYOUT_DENSE_F32));
  weight.rows = number("heed.rows", elements);
  weight.cols = number("heed.cols", 1);
  weight.matrices = number("heed.matrices", 1);
  int64_t product = 0;
  if (weight.rows <= 0 || weight.cols <= 0 ||
      llvm::MulOverflow(weight.rows, weight.cols, product) || product != elements)
    return op.emitError("heed.rows ") << weight.rows << " times heed.cols " << weight.cols
                                      << " must be the weight's " << elements << " elements";
  if (weight.matrices <= 0 || weight.rows % weight.matrices != 0)
    return op.emitError("heed.rows ")
           << weight.rows << " must be a multiple of heed.matrices " << weight.matrices;
  if (weight.layout < HEED_LAYOUT_DENSE_F32 || weight.layout > HEED_LAYOUT_ROWS)
    return op.emitError("heed.layout must be 0 (dense), 1 (panels) or 2 (rows), found ")
           << weight.layout;
  int64_t block = type.getBlockElements();
  if (weight.layout == HEED_LAYOUT_PANELS && weight.cols % block != 0)
    return op.emitError("weight '") << weight.name << "' has rows of " << weight.cols
                                    << " elements, which " << stringifyStorage(type.getStorage())
                                    << " blocks of " << block << " can't make up: store it as F16";
  if (failed(readPermutation(op, weight)))
    return failure();
  return weight;
}

/// A cache [layers, capacity, width] or [layers, heads, capacity, width].
static FailureOr<CacheInfo> readCache(func::FuncOp function, unsigned number,
                                      const ExportedArgument &argument) {
  CacheInfo cache;
  cache.name = argument.name;
  auto shaped = cast<ShapedType>(argument.type);
  Type element = shaped.getElementType();
  ArrayRef<int64_t> dims = argument.dims;
  int64_t rank = dims.size();
  bool isKnown = element.isF32() || element.isF16() || element.isBF16() || element.isInteger(8);
  bool isShaped = rank == 3 || rank == 4;
  for (auto [axis, dim] : llvm::enumerate(dims))
    isShaped &= dim > 0 || (dim == kDimCapacity && int64_t(axis) == rank - 2);
  if (!isKnown || !isShaped)
    return function.emitError("cache '") << argument.name
                                         << "' must hold f32, f16, bf16 or i8 and have 3 or 4 "
                                            "axes, of which the last but one, its "
                                            "capacity, alone may be dynamic, found "
                                         << argument.type;
  cache.element = element.isF32()    ? HEED_F32
                  : element.isF16()  ? HEED_F16
                  : element.isBF16() ? HEED_BF16
                                     : HEED_I8;
  cache.layers = dims[0];
  cache.heads = rank == 4 ? dims[1] : 1;
  cache.width = dims[rank - 1];
  cache.rows = std::max<int64_t>(dims[rank - 2], 0);
  if (auto window = function.getArgAttrOfType<IntegerAttr>(number, "heed.window"))
    cache.window = window.getInt();
  return cache;
}

static FailureOr<ArgumentInfo> readTensor(func::FuncOp function, const ExportedArgument &argument) {
  ArgumentInfo tensor;
  tensor.name = argument.name;
  Type element = cast<ShapedType>(argument.type).getElementType();
  if (!element.isF32() && !element.isSignlessInteger(32))
    return function.emitError("'")
           << argument.name << "' must hold f32 or i32 to be passed from C, found " << element;
  tensor.element = element.isF32() ? HEED_F32 : HEED_I32;
  if (argument.dims.size() > HEED_MAX_RANK)
    return function.emitError("'") << argument.name << "' has " << argument.dims.size()
                                   << " axes; an exported tensor has at most " << HEED_MAX_RANK;
  // The runtime knows that a step writes the rows it is asked for alone.
  for (int64_t dim : argument.dims)
    tensor.dims.push_back(dim == kDimNewRows ? runtimeDim(0) : dim);
  return tensor;
}

static FailureOr<FunctionInfo> readFunction(func::FuncOp op) {
  FailureOr<ExportedFunction> exported = readExportedFunction(op);
  if (failed(exported))
    return failure();
  FunctionInfo function;
  function.name = op.getSymName().str();
  if (auto comment = op->getAttrOfType<StringAttr>("heed.comment"))
    function.comment = comment.getValue().str();
  function.isStep = exported->isStep;
  function.sizes.assign(exported->sizes.begin(), exported->sizes.end());
  function.bounds.assign(exported->bounds.begin(), exported->bounds.end());
  if (!exported->bounds.empty())
    function.context = exported->bounds.front();
  if (auto chunk = op->getAttrOfType<IntegerAttr>("heed.chunk"))
    function.chunk = chunk.getInt();

  for (auto [number, argument] : llvm::enumerate(exported->arguments)) {
    if (argument.role == ArgumentRole::Cache) {
      FailureOr<CacheInfo> cache = readCache(op, number, argument);
      if (failed(cache))
        return failure();
      function.caches.push_back(*cache);
    } else if (argument.role == ArgumentRole::Param || argument.role == ArgumentRole::Result) {
      FailureOr<ArgumentInfo> tensor = readTensor(op, argument);
      if (failed(tensor))
        return failure();
      (argument.role == ArgumentRole::Param ? function.params : function.results)
          .push_back(*tensor);
    }
  }
  if (auto limit = op->getAttrOfType<IntegerAttr>("heed.token_limit"))
    function.tokenLimit = limit.getInt();
  else
    function.tokenLimit = findTokenLimit(op);
  return function;
}

FailureOr<ArtifactInfo> heed::collectArtifactInfo(ModuleOp module, std::string name) {
  ArtifactInfo info;
  info.name = std::move(name);
  for (auto op : module.getOps<attn::WeightOp>()) {
    FailureOr<WeightInfo> weight = readWeight(op);
    if (failed(weight))
      return failure();
    info.weights.push_back(*weight);
  }
  for (auto op : module.getOps<func::FuncOp>()) {
    if (!isExported(op))
      continue;
    FailureOr<FunctionInfo> function = readFunction(op);
    if (failed(function))
      return failure();
    info.functions.push_back(*function);
  }
  if (info.functions.empty())
    return module.emitError("the program exports no function");
  return info;
}
