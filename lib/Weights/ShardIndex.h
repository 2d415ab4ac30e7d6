//===- ShardIndex.h - which safetensors file holds which tensor -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_WEIGHTS_SHARDINDEX_H
#define HEED_LIB_WEIGHTS_SHARDINDEX_H

#include "heed/Support/ErrorOr.h"

#include <string>
#include <string_view>
#include <vector>

namespace heed {

/// A model.safetensors.index.json: for each tensor, the file that it lies in.
struct ShardIndex {
  struct Entry {
    std::string tensor;
    size_t shard; ///< an index into `shards`
  };
  std::vector<std::string> shards; ///< plain file names: no folder, nothing outside the index's own
  std::vector<Entry> entries;      ///< in the index's order; names are unique
};

/// Reads an index. Errors don't name the file.
ErrorOr<ShardIndex> parseShardIndex(std::string_view json);

} // namespace heed

#endif // HEED_LIB_WEIGHTS_SHARDINDEX_H
