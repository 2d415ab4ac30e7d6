//===- PackedWeights.cpp - a model's weights as its code reads them -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/PackedWeights.h"

#include "heed/Weights/Dequantize.h"
#include "heed/Weights/PanelLayout.h"
#include "heed/Weights/WeightsFile.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <span>
#include <tuple>

using namespace heed;

namespace {

constexpr int64_t kAlignment = 64;

/// About so many elements are laid out by one task: enough to hide its start, few enough to share.
constexpr int64_t kTaskElements = int64_t{1} << 17;

/// One tensor's way from the file to memory.
struct Placement {
  std::span<const std::byte> source;
  StorageType storage;
  bool panels;
  int64_t rows, cols;
  int64_t offset; // in the region
};

/// A part of a placement: panels, or blocks of a dense weight.
struct Piece {
  const Placement *placement;
  int64_t begin, end;
};

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t a = 0; a < shape.size(); ++a)
    text += fmt::format("{}{}", a ? ", " : "", shape[a]);
  return text + "]";
}

/// Bytes of a placement in memory. False if they pass int64_t.
bool packedBytes(const Placement &placement, int64_t &bytes) {
  int64_t elements;
  if (!placement.panels)
    return !__builtin_mul_overflow(placement.rows, placement.cols, &elements) &&
           !__builtin_mul_overflow(elements, int64_t{sizeof(float)}, &bytes);
  PanelLayout layout = panelLayout(placement.storage);
  if (placement.rows > INT64_MAX - PanelLayout::lanes)
    return false;
  int64_t groups;
  return !__builtin_mul_overflow(layout.panels(placement.rows), layout.groups(placement.cols),
                                 &groups) &&
         !__builtin_mul_overflow(groups, layout.groupBytes, &bytes);
}

/// The tensor that weight `weight` has in layer `layer`, checked against the artefact.
Status place(const heed_weight &weight, int64_t layer, const WeightsFile &file, std::string &name,
             Placement &placement) {
  name = tensorName(weight.tensor, layer);
  const TensorInfo *tensor = file.find(name);
  if (!tensor && weight.fallback) {
    std::string second = tensorName(weight.fallback, layer);
    tensor = file.find(second);
    if (!tensor)
      return Status::input(fmt::format("{}: weight {} needs tensor '{}' or '{}', and the file has "
                                       "neither: recompile the program for this file",
                                       file.path(), weight.name, name, second));
    name = second;
  }
  if (!tensor)
    return Status::input(fmt::format("{}: weight {} needs tensor '{}', which the file lacks: "
                                     "recompile the program for this file",
                                     file.path(), weight.name, name));

  std::optional<StorageType> storage = storageTypeFromNumber(weight.storage);
  bool isPanels = weight.layout == HEED_LAYOUT_PANELS;
  if (!storage || (!isPanels && weight.layout != HEED_LAYOUT_DENSE_F32) || weight.rows < 1 ||
      weight.cols < 1)
    return Status::internal(fmt::format("the artefact describes weight {} with storage {}, layout "
                                        "{}, {} rows and {} columns",
                                        weight.name, weight.storage, weight.layout, weight.rows,
                                        weight.cols));
  if (tensor->storage != storage)
    return Status::input(fmt::format("{}: tensor '{}' is stored as {}, and the program was "
                                     "compiled for {}: recompile it for this file",
                                     file.path(), name, tensor->storedAs,
                                     storageInfo(*storage).name));
  int64_t elements;
  int64_t inner = tensor->shape.empty() ? 1 : tensor->shape.back();
  // A weight may split or join axes of the tensor, but not reorder them: either the rows are made
  // of whole innermost axes, or the innermost axis of whole rows.
  bool fits = !__builtin_mul_overflow(weight.rows, weight.cols, &elements) &&
              elements == tensor->elements() &&
              (weight.cols % inner == 0 || inner % weight.cols == 0);
  if (!fits)
    return Status::input(fmt::format("{}: tensor '{}' has shape {}, and the program was compiled "
                                     "for {} x {} elements: recompile it for this file",
                                     file.path(), name, shapeText(tensor->shape), weight.rows,
                                     weight.cols));
  if (isPanels && weight.cols % storageInfo(*storage).blockElements != 0)
    return Status::internal(fmt::format("weight {} has {} columns, which {} blocks can't hold",
                                        weight.name, weight.cols, storageInfo(*storage).name));
  ErrorOr<std::span<const std::byte>> data = file.data(*tensor);
  if (!data)
    return Status::input(data.error());
  placement = {*data, *storage, isPanels, weight.rows, weight.cols, 0};
  return {};
}

void layOut(const Piece &piece, std::byte *base) {
  const Placement &placement = *piece.placement;
  std::byte *target = base + placement.offset;
  if (placement.panels) {
    packPanels(placement.storage, placement.source.data(), placement.rows, placement.cols, target,
               piece.begin, piece.end);
    return;
  }
  StorageInfo info = storageInfo(placement.storage);
  dequantize(placement.storage, placement.source.data() + piece.begin * info.blockBytes,
             (piece.end - piece.begin) * info.blockElements,
             reinterpret_cast<float *>(target) + piece.begin * info.blockElements);
}

/// Cuts every placement into pieces of about kTaskElements.
std::vector<Piece> cut(const std::vector<Placement> &placements) {
  std::vector<Piece> pieces;
  for (const Placement &placement : placements) {
    int64_t unit = placement.panels ? placement.cols * PanelLayout::lanes
                                    : storageInfo(placement.storage).blockElements;
    int64_t count = placement.panels ? panelLayout(placement.storage).panels(placement.rows)
                                     : placement.rows * placement.cols / unit;
    int64_t step = std::max<int64_t>(1, kTaskElements / unit);
    for (int64_t begin = 0; begin < count; begin += step)
      pieces.push_back({&placement, begin, std::min(begin + step, count)});
  }
  return pieces;
}

} // namespace

std::string heed::tensorName(std::string_view pattern, int64_t layer) {
  constexpr std::string_view kLayer = "{l}";
  std::string name;
  for (size_t at; (at = pattern.find(kLayer)) != std::string_view::npos;
       pattern.remove_prefix(at + kLayer.size()))
    name.append(pattern.substr(0, at)).append(std::to_string(layer));
  return name.append(pattern);
}

Status PackedWeights::load(const heed_artifact &artifact, const WeightsFile &file, Pool &pool) {
  std::vector<Placement> placements;
  std::vector<size_t> placementOf; // for each address of the context
  std::map<std::tuple<std::string, int32_t, int64_t, int64_t>, size_t> known;
  int64_t total = 0;
  for (int64_t w = 0; w < artifact.n_weights; ++w) {
    const heed_weight &weight = artifact.weights[w];
    for (int64_t layer = 0; layer < weight.layers; ++layer) {
      Placement placement;
      std::string name;
      if (Status status = place(weight, layer, file, name, placement); !status.ok())
        return status;
      auto [entry, isNew] = known.try_emplace(
          {std::move(name), weight.layout, weight.rows, weight.cols}, placements.size());
      placementOf.push_back(entry->second);
      if (!isNew)
        continue;
      int64_t bytes;
      placement.offset = total;
      if (!packedBytes(placement, bytes) || __builtin_add_overflow(total, bytes, &total) ||
          total > INT64_MAX - kAlignment)
        return Status::memory(
            fmt::format("{}: the weights pass what memory can address", file.path()));
      total = (total + kAlignment - 1) / kAlignment * kAlignment;
      placements.push_back(placement);
    }
  }
  if (!memory.allocate(total, Region::Pages::Huge))
    return Status::memory(
        fmt::format("out of memory: the weights of {} need {} bytes", file.path(), total));

  std::vector<Piece> pieces = cut(placements);
  pool.parallelFor(static_cast<int64_t>(pieces.size()),
                   [&](int64_t p) { layOut(pieces[p], memory.data()); });
  bases.clear();
  for (size_t index : placementOf)
    bases.push_back(memory.data() + placements[index].offset);
  return {};
}
