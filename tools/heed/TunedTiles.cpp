//===- TunedTiles.cpp - what heed tune found on this machine --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TunedTiles.h"

#include "heed/Tuning/TileFile.h"

#include "llvm/ADT/StringExtras.h"

using namespace heed;

ErrorOr<std::string> heed::useTunedTiles(CompilerOptions &options) {
  std::string text;
  for (const InstructionSet *set : options.sets) {
    auto file = tuning::TileFile::ofHost(*set);
    if (!file)
      return file.error();
    std::vector<std::string> tiles = file->tiles();
    if (tiles.empty())
      continue;
    text += std::string(set->name) + " " + llvm::join(tiles, ",") + "\n";
    options.tiles[set->name] = std::move(tiles);
  }
  return text;
}
