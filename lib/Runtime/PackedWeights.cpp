//===- PackedWeights.cpp - a model's weights as its code reads them -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/PackedWeights.h"

#include "PackedFile.h"
#include "Placement.h"

#include "heed/Weights/Dequantize.h"
#include "heed/Weights/WeightsFile.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <tuple>

using namespace heed;

namespace {

constexpr int64_t kAlignment = 64;

/// Raised when what a description says comes to mean other bytes. How blocks are packed needs no
/// number: see packerFingerprint.
constexpr int kPackedVersion = 1;

/// Less than this is laid out faster than a file is looked for.
constexpr int64_t kPackedFrom = int64_t{1} << 20;

/// So much of the file, and what each thread more needs, is in memory at once while it is laid out.
constexpr int64_t kWindowBytes = int64_t{6} << 20, kWindowBytesOfThread = int64_t{1} << 20;

/// What tells two orders of axes apart.
std::vector<int64_t> orderOf(const Placement &placement) {
  std::vector<int64_t> order(placement.permutation.begin(),
                             placement.permutation.begin() + placement.rank);
  order.insert(order.end(), placement.shape.begin(), placement.shape.begin() + placement.rank);
  return order;
}

/// Packs sixteen rows of made-up blocks as `placement` is packed: a change of the packer or of the
/// layout changes this number, so nobody has to remember that files made before are stale.
uint64_t packerFingerprint(const Placement &placement) {
  constexpr int64_t rows = PanelLayout::lanes, cols = 256; // whole blocks of every format
  const StorageInfo info = storageInfo(placement.storage);
  std::vector<std::byte> blocks(rows * cols / info.blockElements * info.blockBytes);
  uint32_t state = 1;
  for (std::byte &byte : blocks) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>(state >> 24);
  }
  std::vector<std::byte> packed(rows * cols * sizeof(float));
  if (placement.panels) {
    packed.resize(panelBytes(placement.layout, rows, cols));
    packPanels(placement.storage, placement.layout, blocks.data(), rows, cols, packed.data(), 0, 1);
  } else {
    dequantize(placement.storage, blocks.data(), rows * cols,
               reinterpret_cast<float *>(packed.data()));
  }
  return fingerprint({reinterpret_cast<const char *>(packed.data()), packed.size()});
}

/// What is to be laid out, and where it then lies.
struct Plan {
  std::vector<Placement> placements;
  std::vector<size_t> placementOf; ///< for each address of the context
  std::string description;         ///< all that the bytes follow from, but for the file's contents
  int64_t bytes = 0;

  Status make(const heed_artifact &artifact, const WeightsFile &file);

private:
  Status add(const heed_weight &weight, Placement placement, std::string name,
             const WeightsFile &file);
  void describe(const heed_weight &weight, const Placement &placement, const TensorInfo &tensor);

  /// Weights are the same where tensor, layout and order of axes are.
  std::map<
      std::tuple<std::string, int32_t, uint32_t, int64_t, int64_t, int64_t, std::vector<int64_t>>,
      size_t>
      known;
  std::map<std::tuple<StorageType, int32_t, uint32_t>, uint64_t> packers;
};

void Plan::describe(const heed_weight &weight, const Placement &placement,
                    const TensorInfo &tensor) {
  auto [packer, isNew] =
      packers.try_emplace({placement.storage, weight.layout, weight.storages}, 0);
  if (isNew)
    packer->second = packerFingerprint(placement);
  std::string order;
  for (int64_t number : orderOf(placement))
    order += fmt::format(" {}", number);
  description += fmt::format(
      "at {}: tensor {} shard {} offset {} bytes {} as {}, {} of {} x {} x {}, order{}, packer "
      "{:016x}\n",
      placement.offset, tensor.name, tensor.shard, tensor.offset, tensor.bytes, tensor.storedAs,
      placement.panels ? "panels" : "dense", placement.matrices, placement.rows, placement.cols,
      order, packer->second);
}

Status Plan::add(const heed_weight &weight, Placement placement, std::string name,
                 const WeightsFile &file) {
  const TensorInfo &tensor = *file.find(name);
  auto [entry, isNew] =
      known.try_emplace({std::move(name), weight.layout, weight.storages, weight.rows, weight.cols,
                         weight.matrices, orderOf(placement)},
                        placements.size());
  placementOf.push_back(entry->second);
  if (!isNew)
    return {};
  int64_t size;
  placement.offset = bytes;
  if (!placement.packedBytes(size) || __builtin_add_overflow(bytes, size, &bytes) ||
      bytes > INT64_MAX - kAlignment)
    return Status::memory(fmt::format("{}: the weights pass what memory can address", file.path()));
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  describe(weight, placement, tensor);
  placements.push_back(placement);
  return {};
}

Status Plan::make(const heed_artifact &artifact, const WeightsFile &file) {
  for (int64_t w = 0; w < artifact.n_weights; ++w) {
    const heed_weight &weight = artifact.weights[w];
    for (int64_t layer = 0; layer < weight.layers; ++layer) {
      Placement placement;
      std::string name;
      if (Status status = place(weight, layer, file, name, placement); !status.ok())
        return status;
      if (Status status = add(weight, placement, std::move(name), file); !status.ok())
        return status;
    }
  }
  return {};
}

/// Lays everything out, a window after the other: what is done with leaves memory, so that the
/// weights are never there twice.
void layOutAll(const std::vector<Placement> &placements, const WeightsFile &file, std::byte *base,
               Pool &pool) {
  const int64_t window = kWindowBytes + pool.threads() * kWindowBytesOfThread;
  const std::vector<Piece> pieces = cut(placements);
  for (size_t begin = 0; begin < pieces.size();) {
    size_t end = begin;
    for (int64_t bytes = 0; end < pieces.size() && bytes < window; ++end)
      bytes += pieces[end].sourceBytes();
    file.releasePages();
    pool.parallelFor(static_cast<int64_t>(end - begin),
                     [&](int64_t p) { layOut(pieces[begin + p], base); });
    begin = end;
  }
  file.releasePages();
}

/// The file of `folder` that holds what `plan` lays out.
PackedFile packedFile(const std::string &folder, const heed_artifact &artifact,
                      const WeightsFile &file, const std::string &identity, const Plan &plan) {
  std::error_code error;
  const std::string path = std::filesystem::weakly_canonical(file.path(), error).string();
  // A file that is packed anew replaces the one before, so changed weights leave nothing behind.
  std::string subject =
      fmt::format("{}\n{}\n{} in {}", path, artifact.name, plan.bytes, plan.placements.size());
  std::string description = fmt::format("heed packed weights {}\n{}\n{}{}", kPackedVersion, subject,
                                        identity, plan.description);
  return PackedFile(folder, subject, std::move(description), plan.bytes);
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

std::string heed::packedFolder(std::string_view otherwise) {
  const char *set = std::getenv("HEED_PACKED");
  const std::string_view wanted = set && *set ? set : otherwise;
  if (wanted == "off")
    return {};
  if (wanted != "on")
    return std::string(wanted);
  // The XDG base directory specification: a path that isn't absolute is to be ignored.
  const char *cache = std::getenv("XDG_CACHE_HOME");
  if (cache && *cache == '/')
    return std::string(cache) + "/heed/packed";
  const char *home = std::getenv("HOME");
  return home && *home == '/' ? std::string(home) + "/.cache/heed/packed" : std::string();
}

Status PackedWeights::load(const heed_artifact &artifact, const WeightsFile *file, Pool &pool,
                           const std::string &packedFolder) {
  if (artifact.n_weights > 0 && !file)
    return Status::input(
        fmt::format("{} has weights, and no file of weights was given", artifact.name));
  Plan plan;
  if (file)
    if (Status status = plan.make(artifact, *file); !status.ok())
      return status;
  if (plan.placements.empty())
    return {};

  const bool isWorthIt = !packedFolder.empty() && plan.bytes >= kPackedFrom;
  const std::string identity = isWorthIt ? file->identity() : std::string();
  std::optional<PackedFile> packed;
  if (!identity.empty())
    packed = packedFile(packedFolder, artifact, *file, identity, plan);
  file->releasePages(); // its header has been read
  mapped = packed && packed->map(memory);
  if (!mapped) {
    if (!memory.allocate(plan.bytes, Region::Pages::Huge))
      return Status::memory(
          fmt::format("out of memory: the weights of {} need {} bytes", file->path(), plan.bytes));
    layOutAll(plan.placements, *file, memory.data(), pool);
    // What was written to meanwhile may be half old, half new: this load can't help it, later ones
    // can.
    if (packed && file->identity() == identity)
      packed->write(memory);
  }
  bases.clear();
  for (size_t index : plan.placementOf)
    bases.push_back(memory.data() + plan.placements[index].offset);
  return {};
}
