//===- TileFile.h - the tiles that were found best, kept for each processor ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TUNING_TILEFILE_H
#define HEED_TUNING_TILEFILE_H

#include "heed/CostModel/ProjectCost.h"
#include "heed/Support/ErrorOr.h"
#include "heed/Target/CPU/InstructionSet.h"

#include <map>
#include <string>
#include <vector>

namespace heed::tuning {

/// What `heed tune` found on one processor for one instruction set: a file
/// `tiles/<vendor>-<signature>-<set>.json` in the folder of compiled models.
class TileFile {
public:
  /// This processor's. Without a file it is empty; an error where the file can't be read.
  static ErrorOr<TileFile> ofHost(const InstructionSet &set);

  explicit TileFile(std::string path) : filePath(std::move(path)) {}

  /// Reads what the file holds, if there is one.
  ErrorOr<void> read();
  /// Keeps the best tile of a kind, and how much faster it was than the model's.
  void set(const std::string &kind, const cost::ProjectTile &tile, double gain);
  /// Replaces the file. One that another process reads meanwhile stays whole.
  ErrorOr<void> write() const;

  /// As attn-choose-tiles takes them.
  std::vector<std::string> tiles() const;
  const std::string &path() const { return filePath; }

private:
  struct Entry {
    cost::ProjectTile tile;
    double gain;
  };
  std::string filePath;
  std::map<std::string, Entry> entries;
};

} // namespace heed::tuning

#endif // HEED_TUNING_TILEFILE_H
