//===- ChooseTiles.cpp - decides how products of many rows are cut --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Dialect/Attn/Transforms/ProductKind.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#define DEBUG_TYPE "attn-choose-tiles"

namespace heed::attn {
#define GEN_PASS_DEF_CHOOSETILESPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed;
using namespace heed::attn;

namespace {

struct ChooseTilesPass : attn::impl::ChooseTilesPassBase<ChooseTilesPass> {
  using ChooseTilesPassBase::ChooseTilesPassBase;

  void runOnOperation() override {
    llvm::StringMap<cost::ProjectTile> named;
    for (StringRef entry : tiles) {
      auto [kind, text] = entry.split('=');
      std::optional<cost::ProjectTile> tile = parseTile(text);
      if (!tile) {
        getOperation().emitError()
            << "'" << entry << "' names no tile, expected such as 1536x576:q4_1:i8=6x2x2";
        return signalPassFailure();
      }
      named[kind] = *tile;
    }
    cost::Processor processor = cost::Processor::withLanes(nativeLanes);
    // A model's layers repeat a few kinds.
    llvm::StringMap<cost::ProjectTile> cheapest;
    getOperation().walk([&](ProjectOp op) {
      if (op.getTile())
        return;
      std::string kind = kindOf(op);
      auto known = named.find(kind);
      if (known != named.end()) {
        ++numNamed;
      } else {
        auto [entry, isNew] = cheapest.try_emplace(kind);
        if (isNew)
          entry->second = cost::tilesOf(costOf(op), processor).front();
        known = entry;
      }
      const cost::ProjectTile &tile = known->second;
      op.setTileAttr(ProjectTileAttr::get(&getContext(), tile.rows, tile.panels, tile.part));
      ++numTiles;
    });
  }
};

} // namespace
