//===- WeightSource.cpp - where the evaluator's weights come from ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Reference/WeightSource.h"

#include "RandomBlocks.h"
#include "Views.h"

#include "heed/Weights/Dequantize.h"
#include "heed/Weights/PanelLayout.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace heed;
using namespace heed::reference;

WeightSource::~WeightSource() = default;

/// The bytes of `stored`, whose elements have the shape `shape`, with the axes in the order
/// `permuted`. Blocks stay whole: the last axis is the last in both where there are any.
static std::vector<std::byte> permutedBytes(const StoredWeight &stored, ArrayRef<int64_t> shape,
                                            ArrayRef<int64_t> permuted) {
  StorageInfo info = storageInfo(stored.storage);
  SmallVector<int64_t> units(shape);
  units.back() /= info.blockElements;
  SmallVector<int64_t> strides = rowMajorStrides(units);
  SmallVector<int64_t> wanted;
  for (int64_t from : permuted)
    wanted.push_back(units[from]);
  std::vector<std::byte> bytes;
  bytes.reserve(stored.bytes.size());
  forEachIndex(wanted, [&](ArrayRef<int64_t> indices) {
    int64_t unit = 0;
    for (auto [index, from] : llvm::zip_equal(indices, permuted))
      unit += index * strides[from];
    ArrayRef<std::byte> block = stored.bytes.slice(unit * info.blockBytes, info.blockBytes);
    bytes.insert(bytes.end(), block.begin(), block.end());
    return true;
  });
  return bytes;
}

llvm::Expected<std::vector<std::byte>>
heed::reference::packWeight(WeightSource &source, attn::WeightOp weight, int64_t layer) {
  auto fail = [&](const llvm::Twine &message) {
    return llvm::createStringError("weight '" + weight.getSymName() + "' " + message);
  };
  llvm::Expected<StoredWeight> given = source.stored(weight, layer);
  if (!given)
    return given.takeError();
  StoredWeight stored = *given;
  ArrayRef<int64_t> shape = weight.getWeightType().getShape();
  StorageInfo info = storageInfo(stored.storage);
  int64_t elements = elementCount(shape);
  if (elements % info.blockElements != 0 ||
      static_cast<int64_t>(stored.bytes.size()) != elements / info.blockElements * info.blockBytes)
    return fail("came with " + llvm::Twine(stored.bytes.size()) + " bytes for " +
                llvm::Twine(elements) + " elements");
  std::vector<std::byte> ordered(stored.bytes.begin(), stored.bytes.end());
  if (auto permuted = weight->getAttrOfType<DenseI64ArrayAttr>("heed.permuted")) {
    bool movesBlocks = info.blockElements > 1 &&
                       (permuted.asArrayRef().back() + 1 != weight.getWeightType().getRank() ||
                        shape.back() % info.blockElements != 0);
    if (permuted.size() != weight.getWeightType().getRank() ||
        !isPermutationVector(permuted.asArrayRef()) || movesBlocks)
      return fail("has an order of axes that it can't be packed in");
    ordered = permutedBytes(stored, shape, permuted.asArrayRef());
  }

  auto layout = weight->getAttrOfType<IntegerAttr>("heed.layout"),
       rows = weight->getAttrOfType<IntegerAttr>("heed.rows"),
       cols = weight->getAttrOfType<IntegerAttr>("heed.cols");
  if (!layout || !rows || !cols)
    return fail("has no layout: attn-assign-layouts gives it one");
  if (layout.getInt() == 0) { // dense f32
    std::vector<std::byte> bytes(elements * sizeof(float));
    dequantize(stored.storage, ordered.data(), elements, reinterpret_cast<float *>(bytes.data()));
    return bytes;
  }
  std::optional<StorageSet> set =
      StorageSet::fromBits(static_cast<uint32_t>(weight.getWeightType().getStorage()));
  if (!set || !set->contains(stored.storage))
    return fail("is stored in a format that its type doesn't have");
  if (layout.getInt() == 2) // rows
    return ordered;
  PanelLayout panels = panelLayout(*set);
  // Each head may be a matrix of its own, which begins with a panel of its own.
  auto heads = weight->getAttrOfType<IntegerAttr>("heed.matrices");
  int64_t matrices = heads ? heads.getInt() : 1;
  if (rows.getInt() < 1 || cols.getInt() < 1 || matrices < 1 || rows.getInt() % matrices != 0 ||
      (panels.isQuantised() && cols.getInt() % panels.groupColumns != 0) ||
      cols.getInt() % info.blockElements != 0 || elements % cols.getInt() != 0 ||
      elements / cols.getInt() != rows.getInt())
    return fail("has " + llvm::Twine(elements) + " elements, which aren't " +
                llvm::Twine(matrices) + " matrices of " + llvm::Twine(rows.getInt()) +
                " rows together and " + llvm::Twine(cols.getInt()) + " columns");
  int64_t rowsOfEach = rows.getInt() / matrices,
          storedOfEach = static_cast<int64_t>(ordered.size()) / matrices,
          bytesOfEach = panelBytes(panels, rowsOfEach, cols.getInt());
  std::vector<std::byte> bytes(matrices * bytesOfEach);
  for (int64_t matrix = 0; matrix < matrices; ++matrix)
    packPanels(stored.storage, panels, ordered.data() + matrix * storedOfEach, rowsOfEach,
               cols.getInt(), bytes.data() + matrix * bytesOfEach, 0, panels.panels(rowsOfEach));
  return bytes;
}

//===----------------------------------------------------------------------===//
// RandomWeights
//===----------------------------------------------------------------------===//

/// The storage types that a weight's type allows, in order.
static SmallVector<StorageType> storageTypes(attn::WeightOp weight) {
  std::optional<StorageSet> set =
      StorageSet::fromBits(static_cast<uint32_t>(weight.getWeightType().getStorage()));
  SmallVector<StorageType> types;
  for (StorageType type : allStorageTypes)
    if (set && set->contains(type))
      types.push_back(type);
  return types;
}

const RandomWeights::Tensor &RandomWeights::tensor(attn::WeightOp weight, int64_t layer) {
  bool isVector = weight.getWeightType().getRank() == 1;
  // Two declarations of a tensor, as passes make for two layouts, have the same elements.
  std::string name =
      (weight.getTensor() + (isVector ? " vector " : " ") + llvm::Twine(layer)).str();
  auto [entry, isNew] = tensors.try_emplace(name);
  Tensor &tensor = entry->second;
  if (!isNew)
    return tensor;
  SmallVector<StorageType> types = storageTypes(weight);
  int64_t elements = elementCount(weight.getWeightType().getShape());
  tensor.storage = types[layer % types.size()];
  RandomNumbers random(seed, name);
  double deviation = isVector ? 0.5 / std::sqrt(3.0) : 1 / std::sqrt(std::sqrt(elements));
  tensor.bytes = randomBlocks(tensor.storage, elements, deviation, isVector ? 1 : 0, random);
  std::vector<float> values(elements);
  dequantize(tensor.storage, tensor.bytes.data(), elements, values.data());
  tensor.values.assign(values.begin(), values.end());
  return tensor;
}

llvm::Expected<ArrayRef<double>> RandomWeights::dense(attn::WeightOp weight, int64_t layer) {
  return ArrayRef<double>(tensor(weight, layer).values);
}

llvm::Expected<StoredWeight> RandomWeights::stored(attn::WeightOp weight, int64_t layer) {
  const Tensor &found = tensor(weight, layer);
  return StoredWeight{found.storage, found.bytes};
}
