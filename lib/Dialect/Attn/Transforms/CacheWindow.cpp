//===- CacheWindow.cpp - how far back an attention reads ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheWindow.h"

#include "MaskPredicate.h"

using namespace mlir;
using namespace heed::attn;

/// The window of the masks before `softmax`, each of which applies: the narrowest.
static std::optional<int64_t> windowBefore(const RowAnalysis &rows, SoftmaxOp softmax) {
  int64_t keyAxis = softmax.getDimension();
  std::optional<int64_t> narrowest;
  for (auto mask = softmax.getScores().getDefiningOp<MaskOp>(); mask;
       mask = mask.getScores().getDefiningOp<MaskOp>())
    for (int64_t axis = 0; axis < mask.getScores().getType().getRank(); ++axis) {
      if (rows.ofAxis(mask.getScores(), axis) != Rows::Query)
        continue;
      std::optional<int64_t> window = MaskPredicate(mask, axis, keyAxis).rowsBack();
      if (window && (!narrowest || *window < *narrowest))
        narrowest = window;
    }
  return narrowest;
}

std::optional<int64_t> heed::attn::windowOf(const RowAnalysis &rows, OpOperand &reader) {
  if (auto weigh = dyn_cast<WeighOp>(reader.getOwner())) {
    auto softmax = weigh.getPattern().getDefiningOp<SoftmaxOp>();
    return softmax ? windowBefore(rows, softmax) : std::nullopt;
  }
  // From the scores on through their modifiers and masks to every softmax that reads them.
  int64_t widest = 0;
  SmallVector<Value> pending{reader.getOwner()->getResult(0)};
  DenseSet<Value> seen;
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    for (Operation *user : value.getUsers()) {
      if (auto softmax = dyn_cast<SoftmaxOp>(user)) {
        std::optional<int64_t> window = windowBefore(rows, softmax);
        if (!window)
          return std::nullopt;
        widest = std::max(widest, *window);
      } else if (isa<MaskOp, linalg::GenericOp>(user)) {
        pending.push_back(user->getResult(0));
      } else if (!isa<tensor::DimOp>(user)) {
        return std::nullopt;
      }
    }
  }
  return std::max<int64_t>(widest, 1);
}
