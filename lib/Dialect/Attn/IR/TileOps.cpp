//===- TileOps.cpp - what is asked of a tile of keys -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

using namespace mlir;
using namespace heed::attn;

//===----------------------------------------------------------------------===//
// ClassifyKeysOp
//===----------------------------------------------------------------------===//

LogicalResult ClassifyKeysOp::verify() {
  auto heads = cast<ShapedType>(getHeads().getType());
  if (heads.getRank() != 1 || heads.isDynamicDim(0)) // C1
    return emitOpError() << "heads has shape " << shapeText(heads.getShape())
                         << ", expected a constant number of lanes";
  return expectShape(*this, "rows", getRows().getType(), heads.getShape()); // C1
}

LogicalResult ClassifyKeysOp::verifyRegions() {
  Block &block = getMask().front();
  Type index = IndexType::get(getContext());
  if (!llvm::equal(block.getArgumentTypes(), ArrayRef<Type>{index, index, index})) // C2
    return emitOpError() << "mask takes (" << block.getArgumentTypes()
                         << "), expected ('index', 'index', 'index')";
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield || yield.getNumOperands() != 1 || !yield.getOperand(0).getType().isInteger(1)) // C2
    return emitOpError() << "mask yields something else, expected one i1";
  return success();
}

void ClassifyKeysOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  for (auto [argument, name] : llvm::zip(region.getArguments(), ArrayRef<StringRef>{"h", "i", "j"}))
    setName(argument, name);
}

void ClassifyKeysOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand *operand : {&getHeadsMutable(), &getRowsMutable()})
    if (isa<MemRefType>(operand->get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), operand);
}

//===----------------------------------------------------------------------===//
// PairRowsOp
//===----------------------------------------------------------------------===//

LogicalResult PairRowsOp::verify() {
  auto rows = cast<ShapedType>(getRows().getType());
  if (rows.getRank() != 2 || rows.isDynamicDim(1)) // C1
    return emitOpError() << "rows has shape " << shapeText(rows.getShape())
                         << ", expected 2 axes, the last of them constant";
  int64_t count = rows.getDimSize(0), width = rows.getDimSize(1);
  if (!ShapedType::isDynamic(count))
    count = llvm::divideCeil(count, 2);
  if (failed(expectShape(*this, "into", getInto().getType(), {count, 2 * width}))) // C1
    return failure();
  return expectResultsLike(*this, getInto().getType(), "into"); // C2
}

void PairRowsOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  if (!isa<MemRefType>(getInto().getType()))
    return;
  effects.emplace_back(MemoryEffects::Read::get(), &getRowsMutable());
  effects.emplace_back(MemoryEffects::Write::get(), &getIntoMutable());
}

//===----------------------------------------------------------------------===//
// DotBytesOp, DotWordsOp, DotPairsOp
//===----------------------------------------------------------------------===//

/// Checks that `terms`, which are called `name`, are `perSum` (2 or 4) for each of `sums`.
static LogicalResult expectTerms(Operation *op, VectorType sums, VectorType terms, StringRef name,
                                 int64_t perSum) {
  int64_t count = sums.getNumElements();
  if (terms.getNumElements() == perSum * count)
    return success();
  return op->emitOpError() << "has " << terms.getNumElements() << " " << name << ", expected "
                           << (perSum == 2 ? "two" : "four") << " for each of the " << count
                           << " sums";
}

LogicalResult DotBytesOp::verify() {
  VectorType sums = getSum().getType();
  int64_t perSum = sums.getElementType().isInteger(16) ? 2 : 4;
  return expectTerms(*this, sums, getUnsignedBytes().getType(), "bytes", perSum); // C1
}

LogicalResult DotWordsOp::verify() {
  return expectTerms(*this, getSum().getType(), getLhs().getType(), "words", 2); // C1
}

LogicalResult DotPairsOp::verify() {
  return expectTerms(*this, getSum().getType(), getLhs().getType(), "factors", 2); // C1
}
