//===- AttnCacheOps.cpp - what ops on caches mean -------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnShapes.h"
#include "Views.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace heed;
using namespace heed::reference;

namespace {

/// A cache's layer: `[heads…, capacity, width]`, and for i8 its scales, `[heads…, capacity, 1]`.
struct Layer {
  Array rows;
  std::optional<Array> scales;
  bool isRing = false; ///< a static capacity: rows wrap around

  int64_t capacity() const { return rows.shape[rows.rank() - 2]; }
};

FailureOr<Array> layerOf(Step &step, const Array &cache, int64_t layer) {
  if (layer < 0 || layer >= cache.shape.front())
    return step.fail("reads layer " + llvm::Twine(layer) + " of a cache of " +
                     listText(cache.shape));
  Array view = cache;
  view.offset += layer * cache.strides.front();
  view.shape.erase(view.shape.begin());
  view.strides.erase(view.strides.begin());
  return view;
}

FailureOr<Layer> readLayer(Step &step, const Array &cache, const Array *scales, Type type,
                           int64_t layer) {
  FailureOr<Array> rows = layerOf(step, cache, layer);
  if (failed(rows))
    return failure();
  auto shape = cast<ShapedType>(type).getShape();
  Layer result{*rows, std::nullopt, !ShapedType::isDynamic(shape[shape.size() - 2])};
  if (scales) {
    FailureOr<Array> ofLayer = layerOf(step, *scales, layer);
    if (failed(ofLayer))
      return failure();
    result.scales = *ofLayer;
  }
  return result;
}

/// Stores one row, whose indices but the last are `place`.
void storeRow(Step &step, const Layer &layer, SmallVector<int64_t> place, ArrayRef<Scalar> row) {
  Format format = Format::of(layer.rows.element);
  double scale = 0;
  place.push_back(0);
  if (layer.scales) {
    for (Scalar element : row)
      scale = std::max(scale, std::abs(element.asFloat()) / 127);
    scale = step.machine.rounded(Format::of(layer.scales->element), scale);
    layer.scales->at(place) = Scalar(scale);
  }
  for (Scalar element : row) {
    Scalar &stored = layer.rows.at(place);
    if (layer.scales)
      stored = Scalar(scale == 0 ? int64_t{0}
                                 : static_cast<int64_t>(std::nearbyint(element.asFloat() / scale)));
    else
      stored = format.isHalf() ? Scalar(format.rounded(element.asFloat())) : element;
    ++place.back();
  }
}

/// Operands: rows, cache, scales if there are any, layer, past.
LogicalResult append(Step &step) {
  bool hasScales = step.instruction.operands.size() > 4;
  FailureOr<SmallVector<int64_t>> numbers = step.integers(hasScales ? 3 : 2, 2);
  if (failed(readFloats(step, 0)) || failed(numbers))
    return failure();
  const Array &rows = step.array(0);
  Array cache = step.array(1).clone();
  std::optional<Array> scales;
  if (hasScales)
    scales = step.array(2).clone();
  int64_t past = (*numbers)[1], count = rows.shape[rows.rank() - 2];
  FailureOr<Layer> layer =
      readLayer(step, cache, scales ? &*scales : nullptr,
                step.instruction.op->getOperand(1).getType(), numbers->front());
  if (failed(layer))
    return failure();
  int64_t capacity = layer->capacity();
  if (past < 0 || count > capacity || (!layer->isRing && past > capacity - count))
    return step.fail("stores " + llvm::Twine(count) + " rows behind " + llvm::Twine(past) +
                     " in a cache for " + llvm::Twine(capacity));
  std::vector<Scalar> elements = rows.toScalars();
  int64_t width = rows.shape.back(), next = 0;
  forEachIndex(ArrayRef(rows.shape).drop_back(), [&](ArrayRef<int64_t> indices) {
    SmallVector<int64_t> place(indices);
    place.back() = (past + place.back()) % capacity;
    storeRow(step, *layer, place, ArrayRef(elements).slice(next, width));
    next += width;
    return true;
  });
  step.set(std::move(cache), 0);
  if (scales)
    step.set(std::move(*scales), 1);
  return success();
}

/// Operands: cache, scales if there are any, layer, length.
LogicalResult read(Step &step) {
  bool hasScales = step.instruction.operands.size() > 3;
  FailureOr<SmallVector<int64_t>> numbers = step.integers(hasScales ? 2 : 1, 2);
  if (failed(numbers))
    return failure();
  FailureOr<Layer> layer =
      readLayer(step, step.array(0), hasScales ? &step.array(1) : nullptr,
                step.instruction.op->getOperand(0).getType(), numbers->front());
  if (failed(layer))
    return failure();
  int64_t length = (*numbers)[1], capacity = layer->capacity();
  if (length < 0 || (length > capacity && (!layer->isRing || capacity == 0)))
    return step.fail("reads " + llvm::Twine(length) + " rows of a cache for " +
                     llvm::Twine(capacity));
  auto type = cast<ShapedType>(step.instruction.op->getResult(0).getType());
  SmallVector<int64_t> shape(layer->rows.shape);
  shape[shape.size() - 2] = length;
  FailureOr<SmallVector<int64_t>> checked =
      step.shape(RankedTensorType::get(shape, type.getElementType()), 0);
  if (failed(checked))
    return failure();
  Array result = Array::uninitialised(type.getElementType(), shape);
  forEachIndex(shape, [&](ArrayRef<int64_t> indices) {
    SmallVector<int64_t> place(indices);
    int64_t &row = place[place.size() - 2];
    row %= capacity;
    Scalar element = layer->rows.at(place);
    if (layer->scales && !element.isPoison()) {
      place.back() = 0;
      Scalar scale = layer->scales->at(place);
      element = scale.isPoison() ? scale
                                 : Scalar(step.machine.rounded(step.instruction.resultFormat,
                                                               element.asInt() * scale.asFloat()));
    }
    result.at(indices) = element;
    return true;
  });
  step.set(std::move(result));
  return success();
}

} // namespace

void heed::reference::addAttnCacheOps(OpTable &table) {
  table["attn.cache_append"] = {append};
  table["attn.cache_read"] = {read};
}
