//===- fuzz-safetensors.cpp - any bytes as a safetensors file or an index -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightsUse.h"

#include "Weights/ShardIndex.h"
#include "heed/Weights/JsonEntries.h"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size != 0 && data[0] == '{') {
    std::string_view json(reinterpret_cast<const char *>(data), size);
    heed::ErrorOr<heed::ShardIndex> index = heed::parseShardIndex(json);
    if (index)
      for (const std::string &shard : index->shards)
        if (shard.find('/') != std::string::npos)
          std::abort();
    heed::ErrorOr<heed::JsonEntries> entries = heed::readJsonEntries(json);
    if (entries)
      for (const auto &[key, value] : *entries)
        if (key.size() > 256)
          std::abort();
  }
  auto file = heed::WeightsFile::fromBytes(std::as_bytes(std::span(data, size)), "fuzz");
  if (file)
    heed::useWeights(**file);
  else if (file.message().empty())
    std::abort();
  return 0;
}
