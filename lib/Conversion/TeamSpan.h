//===- TeamSpan.h - the part of a function that a team runs -----*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_TEAMSPAN_H
#define HEED_CONVERSION_TEAMSPAN_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace heed {

/// Whether all threads may run `op` at any time: it writes nothing, and reads at most what never
/// changes.
bool isPureInTeam(mlir::Operation &op);

/// Ops of a block, `first` … `last`, that every thread of a team may run: outside `scf.forall` they
/// have no effects and read nothing that may change. No op behind them uses their results.
struct TeamSpan {
  mlir::Operation *first, *last;

  llvm::iterator_range<mlir::Block::iterator> ops() const {
    return {first->getIterator(), std::next(last->getIterator())};
  }
  bool contains(mlir::Operation *op) const;
  bool contains(mlir::Value value) const;
};

/// Finds spans that hold all parallel loops of `entry`, as few as possible, and makes them such:
/// memory is allocated in front of them and freed behind them, and what has other effects becomes a
/// parallel loop of one task.
llvm::SmallVector<TeamSpan> formTeams(mlir::func::FuncOp entry);

} // namespace heed

#endif // HEED_CONVERSION_TEAMSPAN_H
