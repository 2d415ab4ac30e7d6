//===- ProductKind.cpp - what the cost model is told of a projection ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/ProductKind.h"

#include "heed/Weights/PanelLayout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace heed;
using namespace heed::attn;

static_assert(cost::kPanelFeatures == PanelLayout::lanes);

static int64_t product(ArrayRef<int64_t> sizes) { return llvm::product_of(sizes); }

/// The columns of the op's matrices, and the features of one.
static std::pair<int64_t, int64_t> sizesOf(ProjectOp op) {
  ArrayRef<int64_t> weight = op.getWeight().getType().getShape();
  int64_t contracted = op.getContracted();
  return {product(weight.take_back(contracted)),
          product(weight.drop_back(contracted).drop_front(op.getPerHead() ? 1 : 0))};
}

cost::Projection heed::attn::costOf(ProjectOp op) {
  auto x = cast<ShapedType>(op.getX().getType());
  auto set = StorageSet::fromBits(static_cast<uint32_t>(op.getWeight().getType().getStorage()));
  PanelLayout layout = panelLayout(*set);
  cost::Projection projection;
  std::tie(projection.columns, projection.features) = sizesOf(op);
  projection.weights = op.getWeights().size();
  int64_t heads = op.getPerHead() ? op.getWeight().getType().getShape().front() : 1;
  projection.rowStride = heads * projection.columns * x.getElementTypeBitWidth() / 8;
  ArrayRef<int64_t> rows = x.getShape().drop_back(op.getContracted() + (op.getPerHead() ? 1 : 0));
  if (!ShapedType::isDynamicShape(rows))
    projection.rows = std::max<int64_t>(1, product(rows));
  bool isPaired = x.getElementType().isBF16() && layout.quant == PanelLayout::Quant::BF16 &&
                  projection.columns % 2 == 0;
  projection.product = x.getElementType().isInteger(16)          ? cost::Product::Words
                       : op.getScales()                          ? cost::Product::Bytes
                       : isPaired                                ? cost::Product::Pairs
                       : layout.quant == PanelLayout::Quant::F32 ? cost::Product::F32
                                                                 : cost::Product::Widened;
  projection.scalesOfGroup = std::max(1, layout.scalesPerGroup());
  projection.isCentred = op.getCentres() != nullptr;
  projection.hasOffset = layout.hasMin || projection.isCentred;
  return projection;
}

std::string heed::attn::kindOf(ProjectOp op) {
  auto [columns, features] = sizesOf(op);
  std::string type;
  llvm::raw_string_ostream(type) << cast<ShapedType>(op.getX().getType()).getElementType();
  std::string weights;
  if (!op.getBeside().empty())
    weights = llvm::formatv("{0}*", op.getWeights().size());
  return llvm::formatv("{0}{1}x{2}:{3}:{4}", weights, features, columns,
                       stringifyStorage(op.getWeight().getType().getStorage()), type);
}

std::optional<cost::ProjectTile> heed::attn::parseTile(StringRef text) {
  SmallVector<StringRef> parts;
  text.split(parts, 'x');
  cost::ProjectTile tile;
  if (parts.size() != 3 || parts[0].getAsInteger(10, tile.rows) ||
      parts[1].getAsInteger(10, tile.panels) || parts[2].getAsInteger(10, tile.part) ||
      tile.rows < 1 || tile.panels < 1 || tile.part < 1 || tile.part % tile.panels != 0)
    return std::nullopt;
  return tile;
}

std::string heed::attn::printTile(const cost::ProjectTile &tile) {
  return llvm::formatv("{0}x{1}x{2}", tile.rows, tile.panels, tile.part);
}
