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
  std::map<std::string, std::vector<std::string>> ofSets;
  std::string text;
  for (const InstructionSet *set : options.sets) {
    auto file = tuning::TileFile::ofHost(*set);
    if (!file)
      return file.error();
    std::vector<std::string> tiles = file->tiles();
    if (tiles.empty())
      continue;
    text += std::string(set->name) + " " + llvm::join(tiles, ",") + "\n";
    ofSets[set->name] = std::move(tiles);
  }
  if (!ofSets.empty())
    options.tiles = [ofSets](const InstructionSet &set) {
      auto found = ofSets.find(set.name);
      return found == ofSets.end() ? std::vector<std::string>() : found->second;
    };
  return text;
}
