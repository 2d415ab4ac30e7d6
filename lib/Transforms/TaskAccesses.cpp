//===- TaskAccesses.cpp - which memory the tasks of a parallel loop touch ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TaskAccesses.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heed;

/// The buffer that `memref` is a view of, and which of its axes is `axis` of the view: -1 where a
/// view renumbers it. Null for memory of unknown origin.
static Value bufferOf(Value memref, int64_t &axis) {
  while (Operation *op = memref.getDefiningOp()) {
    if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op)) {
      if (axis >= 0) {
        ReassociationIndices group = collapse.getReassociationIndices()[axis];
        axis = group.size() == 1 ? group.front() : -1;
      }
      memref = collapse.getSrc();
    } else if (auto view = dyn_cast<ViewLikeOpInterface>(op)) {
      axis = -1;
      memref = view.getViewSource();
    } else {
      // Allocations, and the entry's arguments, which the runtime keeps apart.
      bool isOrigin = isa<memref::AllocOp, memref::AllocaOp>(op) ||
                      isa<UnrealizedConversionCastOp>(op) ||
                      op->getDialect()->getNamespace() == "attn";
      return isOrigin ? memref : Value();
    }
  }
  return {};
}

/// Whether an address is that of a weight, which nothing writes.
static bool isOfWeight(Value address) {
  while (auto place = address.getDefiningOp<LLVM::GEPOp>())
    address = place.getBase();
  auto origin = address.getDefiningOp<UnrealizedConversionCastOp>();
  return origin && origin.getNumOperands() == 1 &&
         !isa<LLVM::LLVMStructType, MemRefType>(origin.getOperand(0).getType());
}

void TaskAccesses::findChunks(scf::ForallOp loop) {
  if (loop.getRank() != 1)
    return;
  Value number = loop.getInductionVar(0);
  for (auto begin : loop.getBody()->getOps<arith::MulIOp>()) {
    std::optional<int64_t> size = getConstantIntValue(begin.getRhs());
    if (begin.getLhs() != number || !size)
      continue;
    for (auto end : loop.getBody()->getOps<arith::MinUIOp>()) {
      auto next = end.getLhs().getDefiningOp<arith::AddIOp>();
      if (next && next.getLhs() == begin.getResult() &&
          getConstantIntValue(next.getRhs()) == size) {
        chunkBegin = begin;
        chunkEnd = end;
        rows = end.getRhs();
        chunk = *size;
        return;
      }
    }
  }
}

bool TaskAccesses::isRow(Value index) const {
  auto argument = dyn_cast<BlockArgument>(index);
  auto loop = argument ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()) : scf::ForOp();
  return loop && index == loop.getInductionVar() && loop.getLowerBound() == chunkBegin &&
         loop.getUpperBound() == chunkEnd;
}

bool TaskAccesses::add(Value memref, bool isWrite, ValueRange indices) {
  int64_t axis = -1;
  if (rows)
    for (auto [place, index] : llvm::enumerate(indices))
      if (isRow(index))
        axis = place;
  Value buffer = bufferOf(memref, axis);
  if (!buffer)
    return false;
  uses[buffer].add(isWrite, axis);
  return true;
}

bool TaskAccesses::visit(Operation *op) {
  // The parts of a loop are visited by themselves, scratch of a task is its own, and memory that is
  // only asked for isn't touched.
  if (op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
      isa<memref::AllocaOp, memref::PrefetchOp>(op))
    return true;
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return add(load.getMemref(), false, load.getIndices());
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return add(store.getMemref(), true, store.getIndices());
  if (auto load = dyn_cast<vector::LoadOp>(op))
    return add(load.getBase(), false, load.getIndices());
  if (auto store = dyn_cast<vector::StoreOp>(op))
    return add(store.getBase(), true, store.getIndices());
  if (auto load = dyn_cast<vector::MaskedLoadOp>(op))
    return add(load.getBase(), false, load.getIndices());
  if (auto store = dyn_cast<vector::MaskedStoreOp>(op))
    return add(store.getBase(), true, store.getIndices());
  if (auto copy = dyn_cast<memref::CopyOp>(op))
    return add(copy.getSource(), false, {}) && add(copy.getTarget(), true, {});
  if (auto load = dyn_cast<LLVM::LoadOp>(op))
    return isOfWeight(load.getAddr());
  if (isa<memref::AllocOp, attn::AnnounceOp, attn::PrefetchOp>(op))
    return true;
  return isMemoryEffectFree(op);
}

std::optional<TaskAccesses> TaskAccesses::of(Operation *op) {
  TaskAccesses accesses;
  if (auto loop = dyn_cast<scf::ForallOp>(op)) {
    if (loop.getNumResults() != 0 || !loop.isNormalized())
      return std::nullopt;
    accesses.findChunks(loop);
  }
  bool isKnown = true;
  op->walk([&](Operation *inner) { isKnown = isKnown && accesses.visit(inner); });
  if (!isKnown)
    return std::nullopt;
  // What tasks allocate is theirs alone.
  accesses.uses.remove_if(
      [&](const auto &use) { return op->isAncestor(use.first.getDefiningOp()); });
  return accesses;
}

bool TaskAccesses::conflictsWith(const TaskAccesses &other) const {
  return llvm::any_of(uses, [&](const auto &use) {
    auto found = other.uses.find(use.first);
    return found != other.uses.end() && (use.second.writes || found->second.writes);
  });
}

bool TaskAccesses::conflictsByRow(const TaskAccesses &other) const {
  return llvm::all_of(uses, [&](const auto &use) {
    auto found = other.uses.find(use.first);
    if (found == other.uses.end() || (!use.second.writes && !found->second.writes))
      return true;
    return use.second.rowAxis >= 0 && use.second.rowAxis == found->second.rowAxis;
  });
}
