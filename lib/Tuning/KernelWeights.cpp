//===- KernelWeights.cpp - weights to time a product with ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelWeights.h"

#include <cstring>
#include <span>

using namespace heed;
using namespace heed::tuning;

/// In every format this byte throughout makes finite, normal numbers: 1.06 in f16, 0.0115 in f32.
static constexpr char kByte = 0x3C;
static constexpr size_t kAlignment = 32; // GGUF's, where a file says nothing else

/// The number that GGUF files have for a storage.
static uint32_t ggmlNumber(StorageType storage) {
  uint32_t number = 0;
  while (fileStorageFromGgml(number).storage != storage)
    ++number;
  return number;
}

ErrorOr<std::unique_ptr<KernelWeights>> KernelWeights::make(StorageType storage, int64_t features,
                                                            int64_t columns, int64_t layers) {
  StorageInfo info = storageInfo(storage);
  uint64_t ofLayer = features * columns / info.blockElements * info.blockBytes;
  uint64_t stride = (ofLayer + kAlignment - 1) / kAlignment * kAlignment;
  std::string bytes = "GGUF";
  auto append = [&](auto number) {
    bytes.append(reinterpret_cast<const char *>(&number), sizeof(number));
  };
  append(uint32_t{3});
  append(static_cast<uint64_t>(layers));
  append(uint64_t{0}); // metadata
  for (int64_t layer = 0; layer < layers; ++layer) {
    std::string name = "W." + std::to_string(layer);
    append(static_cast<uint64_t>(name.size()));
    bytes += name;
    append(uint32_t{2}); // axes, the contiguous one first
    append(static_cast<uint64_t>(columns));
    append(static_cast<uint64_t>(features));
    append(ggmlNumber(storage));
    append(layer * stride);
  }
  bytes.resize((bytes.size() + kAlignment - 1) / kAlignment * kAlignment);
  bytes.append(layers * stride, kByte);
  auto opened = WeightsFile::fromBytes(std::as_bytes(std::span(bytes)), "weights to time");
  if (!opened)
    return opened.error();
  auto weights = std::make_unique<KernelWeights>();
  weights->opened = std::move(*opened);
  return weights;
}

std::optional<TensorHeader> KernelWeights::tensor(std::string_view name) const {
  const TensorInfo *info = opened->find(name);
  if (!info)
    return std::nullopt;
  return TensorHeader{info->shape, std::string(storageInfo(*info->storage).name)};
}
