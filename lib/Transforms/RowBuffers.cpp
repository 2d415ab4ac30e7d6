//===- RowBuffers.cpp - buffers of which a task needs one row --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowBuffers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace {

/// Longer rows are no longer near when they are read.
constexpr int64_t kMostElements = 8192;

/// A read or a write of one place.
struct Access {
  Operation *op = nullptr;
  Value memref;
  MutableOperandRange indices;
  bool isWrite;
};

std::optional<Access> accessOf(Operation *op) {
  auto make = [&](auto access, Value memref, bool isWrite) {
    return Access{op, memref, access.getIndicesMutable(), isWrite};
  };
  return llvm::TypeSwitch<Operation *, std::optional<Access>>(op)
      .Case([&](memref::LoadOp load) { return make(load, load.getMemref(), false); })
      .Case([&](memref::StoreOp store) { return make(store, store.getMemref(), true); })
      .Case([&](vector::LoadOp load) { return make(load, load.getBase(), false); })
      .Case([&](vector::StoreOp store) { return make(store, store.getBase(), true); })
      .Default(std::nullopt);
}

/// The loop whose rounds `index` counts, or null.
scf::ForOp loopOf(Value index) {
  auto argument = dyn_cast<BlockArgument>(index);
  auto loop = argument ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()) : scf::ForOp();
  return loop && loop.getInductionVar() == index ? loop : scf::ForOp();
}

/// What one loop over rows does with a buffer.
struct RowUse {
  scf::ForOp rows;
  int64_t axis;
  SmallVector<Access> accesses;

  /// Whether the first part of a row's work that touches the buffer writes all of the row and reads
  /// nothing of it. What was there before is then nobody's concern.
  bool isWrittenFirst(MemRefType type) {
    Operation *first = nullptr;
    for (const Access &access : accesses) {
      Operation *part = rows.getBody()->findAncestorOpInBlock(*access.op);
      if (!first || part->isBeforeInBlock(first))
        first = part;
    }
    bool isWhole = false;
    for (const Access &access : accesses) {
      if (!first->isAncestor(access.op))
        continue;
      if (!access.isWrite)
        return false;
      isWhole = isWhole || (isa<memref::StoreOp>(access.op) && coversRow(access, type));
    }
    return isWhole;
  }

  /// Whether the loops around a store run over all of each axis, and nothing else is around it.
  bool coversRow(const Access &access, MemRefType type) const {
    SmallVector<scf::ForOp> around;
    OperandRange indices = access.indices;
    for (auto [place, index] : llvm::enumerate(indices)) {
      if (static_cast<int64_t>(place) == axis)
        continue;
      scf::ForOp loop = loopOf(index);
      if (!loop || llvm::is_contained(around, loop) ||
          !isConstantIntValue(loop.getLowerBound(), 0) || !isConstantIntValue(loop.getStep(), 1) ||
          !isConstantIntValue(loop.getUpperBound(), type.getDimSize(place)))
        return false;
      around.push_back(loop);
    }
    for (Operation *op = access.op->getParentOp(); op != rows; op = op->getParentOp())
      if (!llvm::is_contained(around, dyn_cast<scf::ForOp>(op)))
        return false;
    return true;
  }
};

/// One buffer and everybody who touches it.
class RowBuffer {
public:
  explicit RowBuffer(memref::AllocOp alloc) : alloc(alloc), type(alloc.getType()) {}

  bool canShrink() {
    if (alloc->getParentOfType<scf::ForallOp>() || !type.getLayout().isIdentity())
      return false;
    for (Operation *user : alloc->getUsers()) {
      std::optional<Access> access = accessOf(user);
      if (!access || access->memref != alloc.getMemref() || !addToUses(*access))
        return false;
    }
    return !uses.empty() &&
           llvm::all_of(uses, [&](RowUse &use) { return use.isWrittenFirst(type); });
  }

  void shrink() {
    for (RowUse &use : uses) {
      OpBuilder builder = OpBuilder::atBlockBegin(use.rows->getBlock());
      Value row =
          memref::AllocOp::create(builder, alloc.getLoc(), rowType(use), alloc.getAlignmentAttr());
      Value zero = arith::ConstantIndexOp::create(builder, alloc.getLoc(), 0);
      for (Access &access : use.accesses) {
        access.indices.slice(use.axis, 1).assign(zero);
        access.op->replaceUsesOfWith(alloc, row);
      }
    }
    alloc.erase();
  }

private:
  MemRefType rowType(const RowUse &use) const {
    SmallVector<int64_t> shape(type.getShape());
    shape[use.axis] = 1;
    return MemRefType::get(shape, type.getElementType());
  }

  /// Finds the loop over rows at whose current row the access is; each on one axis only.
  bool addToUses(const Access &access) {
    OperandRange indices = access.indices;
    for (auto [place, index] : llvm::enumerate(indices)) {
      scf::ForOp loop = loopOf(index);
      if (!loop || !isa<scf::ForallOp>(loop->getParentOp()))
        continue;
      RowUse *use = llvm::find_if(uses, [&](const RowUse &other) { return other.rows == loop; });
      if (use == uses.end()) {
        RowUse added{loop, static_cast<int64_t>(place), {}};
        MemRefType row = rowType(added);
        if (!row.hasStaticShape() || row.getNumElements() > kMostElements)
          return false;
        uses.push_back(std::move(added));
        use = &uses.back();
      }
      use->accesses.push_back(access);
      return use->axis == static_cast<int64_t>(place);
    }
    return false;
  }

  memref::AllocOp alloc;
  MemRefType type;
  SmallVector<RowUse, 2> uses;
};

} // namespace

unsigned heed::shrinkToRows(Operation *root) {
  SmallVector<memref::AllocOp> allocs;
  root->walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
  unsigned count = 0;
  for (memref::AllocOp alloc : allocs) {
    RowBuffer buffer(alloc);
    if (!buffer.canShrink())
      continue;
    buffer.shrink();
    ++count;
  }
  return count;
}
