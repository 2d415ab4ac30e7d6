//===- ProductKind.h - what the cost model is told of a projection --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_PRODUCTKIND_H
#define HEED_DIALECT_ATTN_TRANSFORMS_PRODUCTKIND_H

#include "heed/CostModel/ProjectCost.h"
#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include <string>

namespace heed::attn {

/// The product as lib/CostModel sees it.
cost::Projection costOf(ProjectOp op);

/// What products of one kind have in common, and with it the tile that is best for them:
/// "1536x576:q4_1:i8" has 1,536 features (of a head, where each has its own matrix) of 576 columns,
/// stored as Q4_1, and rows in eight bits; "2*1536x576:q4_1:i8" two such weights beside each other.
std::string kindOf(ProjectOp op);

/// "12x2x8" as rows, panels and panels of a part; nothing where it isn't of that form.
std::optional<cost::ProjectTile> parseTile(llvm::StringRef text);
/// The reverse.
std::string printTile(const cost::ProjectTile &tile);

} // namespace heed::attn

#endif // HEED_DIALECT_ATTN_TRANSFORMS_PRODUCTKIND_H
