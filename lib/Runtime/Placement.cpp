//===- Placement.cpp - where a weight comes from and goes to ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Placement.h"

#include "heed/Runtime/PackedWeights.h"
#include "heed/Weights/Dequantize.h"
#include "heed/Weights/WeightsFile.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

using namespace heed;

namespace {

/// About so many elements are laid out by one task: enough to hide its start, few enough to share.
constexpr int64_t kTaskElements = int64_t{1} << 17;

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

} // namespace

bool Placement::packedBytes(int64_t &bytes) const {
  int64_t elements;
  if (!panels)
    return !__builtin_mul_overflow(rows, cols, &elements) &&
           !__builtin_mul_overflow(elements, int64_t{sizeof(float)}, &bytes);
  if (rows > INT64_MAX - PanelLayout::lanes)
    return false;
  int64_t groups, ofMatrix;
  return !__builtin_mul_overflow(layout.panels(rows), layout.groups(cols), &groups) &&
         !__builtin_mul_overflow(groups, layout.groupBytes, &ofMatrix) &&
         !__builtin_mul_overflow(ofMatrix, matrices, &bytes);
}

int64_t Piece::sourceBytes() const {
  StorageInfo info = storageInfo(placement->storage);
  int64_t blocks = end - begin;
  if (placement->panels)
    blocks *= PanelLayout::lanes * (placement->cols / info.blockElements);
  return blocks * info.blockBytes;
}

Status heed::place(const heed_weight &weight, int64_t layer, const WeightsFile &file,
                   std::string &name, Placement &placement) {
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
  bool isRows = weight.layout == HEED_LAYOUT_ROWS;
  bool isPanels = weight.layout == HEED_LAYOUT_PANELS || isRows;
  PanelLayout::Quant quant = storages ? panelLayout(*storages).quant : PanelLayout::Quant::F32;
  bool isHalf = quant == PanelLayout::Quant::F16 || quant == PanelLayout::Quant::BF16;
  if (!storages || (!isPanels && weight.layout != HEED_LAYOUT_DENSE_F32) || weight.rows < 1 ||
      weight.cols < 1 || weight.matrices < 1 || weight.rows % weight.matrices != 0 ||
      ((!isPanels || isRows) && weight.matrices != 1) || (isRows && (!isHalf || weight.rank != 0)))
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
  PanelLayout layout = panelLayout(*storages);
  // The panels of a matrix as narrow as a column, or a pair of them, are its elements in order.
  int64_t cols = isRows ? layout.groupColumns : weight.cols;
  placement = {.source = *data,
               .storage = *tensor->storage,
               .panels = isPanels,
               .layout = layout,
               .rows = elements / cols / weight.matrices,
               .cols = cols,
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

void heed::layOut(const Piece &piece, std::byte *base) {
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

std::vector<Piece> heed::cut(const std::vector<Placement> &placements) {
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
