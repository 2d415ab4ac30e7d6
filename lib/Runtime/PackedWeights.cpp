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
#include <array>
#include <cstring>
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
  PanelLayout layout; // if panels
  int64_t rows, cols; // of one matrix
  int64_t matrices;
  int64_t offset; // in the region
  /// The file's order of axes and the wanted one; rank 0 where they are the same.
  int32_t rank;
  std::array<int32_t, HEED_MAX_RANK> permutation;
  std::array<int64_t, HEED_MAX_RANK> shape; // in units of storage: blocks along the last axis
};

/// A part of a placement: panels of one of its matrices, or blocks of a dense weight.
struct Piece {
  const Placement *placement;
  int64_t matrix, begin, end;
};

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t a = 0; a < shape.size(); ++a)
    text += fmt::format("{}{}", a ? ", " : "", shape[a]);
  return text + "]";
}

/// Takes the order of axes from `weight`. False if the artefact describes none that can be laid
/// out.
bool takePermutation(const heed_weight &weight, int64_t elements, Placement &placement) {
  placement.rank = weight.rank;
  if (weight.rank == 0)
    return true;
  if (weight.rank < 0 || weight.rank > HEED_MAX_RANK)
    return false;
  int64_t product = 1;
  unsigned seen = 0;
  for (int32_t a = 0; a < weight.rank; ++a) {
    int32_t from = weight.permutation[a];
    if (from < 0 || from >= weight.rank || (seen >> from & 1) || weight.shape[a] < 1 ||
        __builtin_mul_overflow(product, weight.shape[a], &product))
      return false;
    seen |= 1u << from;
    placement.permutation[a] = from;
    placement.shape[a] = weight.shape[a];
  }
  int64_t unit = storageInfo(placement.storage).blockElements;
  int32_t last = weight.rank - 1;
  bool isWhole =
      unit == 1 || (placement.permutation[last] == last && placement.shape[last] % unit == 0);
  placement.shape[last] /= unit;
  return product == elements && isWhole;
}

/// Copies units begin … end-1 of a placement, counted in the wanted order, to `out`.
void gather(const Placement &placement, int64_t begin, int64_t end, std::byte *out) {
  int64_t unitBytes = storageInfo(placement.storage).blockBytes;
  int32_t rank = placement.rank, last = rank - 1;
  std::array<int64_t, HEED_MAX_RANK> extent{}, stride{}, at{};
  for (int32_t a = 0; a < rank; ++a) {
    int32_t inFile = placement.permutation[a];
    extent[a] = placement.shape[inFile];
    stride[a] = 1;
    for (int32_t inner = inFile + 1; inner < rank; ++inner)
      stride[a] *= placement.shape[inner];
  }
  int64_t rest = begin, source = 0;
  for (int32_t a = last; a >= 0; --a) {
    at[a] = rest % extent[a];
    rest /= extent[a];
    source += at[a] * stride[a];
  }
  while (begin < end) {
    // Along the last axis at once, then one step on the others.
    int64_t run = std::min(end - begin, extent[last] - at[last]);
    const std::byte *from = placement.source.data() + source * unitBytes;
    if (stride[last] == 1)
      std::memcpy(out, from, run * unitBytes);
    else
      for (int64_t u = 0; u < run; ++u)
        std::memcpy(out + u * unitBytes, from + u * stride[last] * unitBytes, unitBytes);
    out += run * unitBytes;
    begin += run;
    source -= at[last] * stride[last];
    at[last] = 0;
    for (int32_t a = last - 1; a >= 0; --a) {
      source += stride[a];
      if (++at[a] < extent[a])
        break;
      source -= extent[a] * stride[a];
      at[a] = 0;
    }
  }
}

/// Bytes of a placement in memory. False if they pass int64_t.
bool packedBytes(const Placement &placement, int64_t &bytes) {
  int64_t elements;
  if (!placement.panels)
    return !__builtin_mul_overflow(placement.rows, placement.cols, &elements) &&
           !__builtin_mul_overflow(elements, int64_t{sizeof(float)}, &bytes);
  const PanelLayout &layout = placement.layout;
  if (placement.rows > INT64_MAX - PanelLayout::lanes)
    return false;
  int64_t groups, ofMatrix;
  return !__builtin_mul_overflow(layout.panels(placement.rows), layout.groups(placement.cols),
                                 &groups) &&
         !__builtin_mul_overflow(groups, layout.groupBytes, &ofMatrix) &&
         !__builtin_mul_overflow(ofMatrix, placement.matrices, &bytes);
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

  std::optional<StorageSet> storages = StorageSet::fromBits(weight.storages);
  bool isPanels = weight.layout == HEED_LAYOUT_PANELS;
  if (!storages || (!isPanels && weight.layout != HEED_LAYOUT_DENSE_F32) || weight.rows < 1 ||
      weight.cols < 1 || weight.matrices < 1 || weight.rows % weight.matrices != 0 ||
      (!isPanels && weight.matrices != 1))
    return Status::internal(fmt::format(
        "the artefact describes weight {} with storage {:#x}, layout "
        "{}, {} rows and {} columns in {} matrices",
        weight.name, weight.storages, weight.layout, weight.rows, weight.cols, weight.matrices));
  if (!tensor->storage || !storages->contains(*tensor->storage))
    return Status::input(fmt::format("{}: tensor '{}' is stored as {}, and the program was "
                                     "compiled for {}: recompile it for this file",
                                     file.path(), name, tensor->storedAs, spellStorage(*storages)));
  int64_t elements;
  int64_t inner = tensor->shape.empty() ? 1 : tensor->shape.back();
  bool isPermuted = weight.rank > 0 && weight.rank <= HEED_MAX_RANK;
  int64_t innermost = isPermuted ? weight.shape[weight.rank - 1] : weight.cols;
  // A weight may split or join axes of the tensor, but not reorder them: either the rows are made
  // of whole innermost axes, or the innermost axis of whole rows.
  bool fits = !__builtin_mul_overflow(weight.rows, weight.cols, &elements) &&
              elements == tensor->elements() && innermost > 0 &&
              (innermost % inner == 0 || inner % innermost == 0);
  if (!fits)
    return Status::input(fmt::format("{}: tensor '{}' has shape {}, and the program was compiled "
                                     "for {} x {} elements: recompile it for this file",
                                     file.path(), name, shapeText(tensor->shape), weight.rows,
                                     weight.cols));
  if (isPanels && weight.cols % storages->blockElements() != 0)
    return Status::internal(fmt::format("weight {} has {} columns, which {} blocks can't hold",
                                        weight.name, weight.cols, spellStorage(*storages)));
  ErrorOr<std::span<const std::byte>> data = file.data(*tensor);
  if (!data)
    return Status::input(data.error());
  placement = {.source = *data,
               .storage = *tensor->storage,
               .panels = isPanels,
               .layout = panelLayout(*storages),
               .rows = weight.rows / weight.matrices,
               .cols = weight.cols,
               .matrices = weight.matrices,
               .offset = 0,
               .rank = 0,
               .permutation = {},
               .shape = {}};
  if (!takePermutation(weight, elements, placement))
    return Status::internal(fmt::format("the artefact describes weight {} with an order of {} axes "
                                        "that {} can't be laid out in",
                                        weight.name, weight.rank, tensor->storedAs));
  return {};
}

/// Lays out a piece whose axes are reordered: gathers its part of the file, then as below.
void layOutPermuted(const Piece &piece, std::byte *target) {
  const Placement &placement = *piece.placement;
  StorageInfo info = storageInfo(placement.storage);
  if (placement.panels) {
    int64_t first = piece.begin * PanelLayout::lanes;
    int64_t rows = std::min(piece.end * PanelLayout::lanes, placement.rows) - first;
    int64_t rowUnits = placement.cols / info.blockElements;
    std::vector<std::byte> gathered(rows * rowUnits * info.blockBytes);
    int64_t inWeight = piece.matrix * placement.rows + first;
    gather(placement, inWeight * rowUnits, (inWeight + rows) * rowUnits, gathered.data());
    packPanels(placement.storage, placement.layout, gathered.data(), rows, placement.cols,
               target + panelBytes(placement.layout, first, placement.cols), 0,
               piece.end - piece.begin);
    return;
  }
  std::vector<std::byte> gathered((piece.end - piece.begin) * info.blockBytes);
  gather(placement, piece.begin, piece.end, gathered.data());
  dequantize(placement.storage, gathered.data(), (piece.end - piece.begin) * info.blockElements,
             reinterpret_cast<float *>(target) + piece.begin * info.blockElements);
}

void layOut(const Piece &piece, std::byte *base) {
  const Placement &placement = *piece.placement;
  std::byte *target = base + placement.offset;
  if (placement.panels)
    target += piece.matrix * panelBytes(placement.layout, placement.rows, placement.cols);
  if (placement.rank != 0)
    return layOutPermuted(piece, target);
  if (placement.panels) {
    StorageInfo info = storageInfo(placement.storage);
    int64_t rowBytes = placement.cols / info.blockElements * info.blockBytes;
    packPanels(placement.storage, placement.layout,
               placement.source.data() + piece.matrix * placement.rows * rowBytes, placement.rows,
               placement.cols, target, piece.begin, piece.end);
    return;
  }
  StorageInfo info = storageInfo(placement.storage);
  dequantize(placement.storage, placement.source.data() + piece.begin * info.blockBytes,
             (piece.end - piece.begin) * info.blockElements,
             reinterpret_cast<float *>(target) + piece.begin * info.blockElements);
}

/// What tells two orders of axes apart.
std::vector<int64_t> orderOf(const Placement &placement) {
  std::vector<int64_t> order(placement.permutation.begin(),
                             placement.permutation.begin() + placement.rank);
  order.insert(order.end(), placement.shape.begin(), placement.shape.begin() + placement.rank);
  return order;
}

/// Cuts every placement into pieces of about kTaskElements.
std::vector<Piece> cut(const std::vector<Placement> &placements) {
  std::vector<Piece> pieces;
  for (const Placement &placement : placements) {
    int64_t unit = placement.panels ? placement.cols * PanelLayout::lanes
                                    : storageInfo(placement.storage).blockElements;
    int64_t count = placement.panels ? placement.layout.panels(placement.rows)
                                     : placement.rows * placement.cols / unit;
    int64_t step = std::max<int64_t>(1, kTaskElements / unit);
    for (int64_t matrix = 0; matrix < placement.matrices; ++matrix)
      for (int64_t begin = 0; begin < count; begin += step)
        pieces.push_back({&placement, matrix, begin, std::min(begin + step, count)});
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

Status PackedWeights::load(const heed_artifact &artifact, const WeightsFile *file, Pool &pool) {
  if (artifact.n_weights > 0 && !file)
    return Status::input(
        fmt::format("{} has weights, and no file of weights was given", artifact.name));
  std::vector<Placement> placements;
  std::vector<size_t> placementOf; // for each address of the context
  // Weights are the same where tensor, layout and order of axes are.
  std::map<
      std::tuple<std::string, int32_t, uint32_t, int64_t, int64_t, int64_t, std::vector<int64_t>>,
      size_t>
      known;
  int64_t total = 0;
  for (int64_t w = 0; w < artifact.n_weights; ++w) {
    const heed_weight &weight = artifact.weights[w];
    for (int64_t layer = 0; layer < weight.layers; ++layer) {
      Placement placement;
      std::string name;
      if (Status status = place(weight, layer, *file, name, placement); !status.ok())
        return status;
      auto [entry, isNew] =
          known.try_emplace({std::move(name), weight.layout, weight.storages, weight.rows,
                             weight.cols, weight.matrices, orderOf(placement)},
                            placements.size());
      placementOf.push_back(entry->second);
      if (!isNew)
        continue;
      int64_t bytes;
      placement.offset = total;
      if (!packedBytes(placement, bytes) || __builtin_add_overflow(total, bytes, &total) ||
          total > INT64_MAX - kAlignment)
        return Status::memory(
            fmt::format("{}: the weights pass what memory can address", file->path()));
      total = (total + kAlignment - 1) / kAlignment * kAlignment;
      placements.push_back(placement);
    }
  }
  if (placements.empty())
    return {};
  if (!memory.allocate(total, Region::Pages::Huge))
    return Status::memory(
        fmt::format("out of memory: the weights of {} need {} bytes", file->path(), total));

  std::vector<Piece> pieces = cut(placements);
  pool.parallelFor(static_cast<int64_t>(pieces.size()),
                   [&](int64_t p) { layOut(pieces[p], memory.data()); });
  bases.clear();
  for (size_t index : placementOf)
    bases.push_back(memory.data() + placements[index].offset);
  return {};
}
