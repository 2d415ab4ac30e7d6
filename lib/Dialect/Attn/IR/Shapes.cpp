//===- Shapes.cpp - what verifiers and shape reification share -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace heed::attn {

bool mayBeEqual(int64_t a, int64_t b) {
  return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b);
}

std::string shapeText(ArrayRef<int64_t> shape) {
  auto sizes = llvm::map_range(shape, [](int64_t size) {
    return ShapedType::isDynamic(size) ? std::string("?") : std::to_string(size);
  });
  return "[" + llvm::join(sizes, ", ") + "]";
}

LogicalResult expectShape(Operation *op, StringRef what, Type found, ArrayRef<int64_t> expected) {
  ArrayRef<int64_t> shape = cast<ShapedType>(found).getShape();
  if (shape.size() == expected.size() && llvm::all_of_zip(shape, expected, mayBeEqual))
    return success();
  return op->emitOpError() << what << " has shape " << shapeText(shape) << ", expected "
                           << shapeText(expected);
}

LogicalResult expectSameRank(Operation *op, StringRef nameOfA, Type a, StringRef nameOfB, Type b) {
  int64_t rankOfA = cast<ShapedType>(a).getRank(), rankOfB = cast<ShapedType>(b).getRank();
  if (rankOfA < 2 || rankOfA > 4)
    return op->emitOpError() << nameOfA << " has rank " << rankOfA
                             << ", expected 2, 3 with heads, or 4 with a batch of heads";
  if (rankOfA != rankOfB)
    return op->emitOpError() << nameOfB << " has rank " << rankOfB << ", expected " << rankOfA
                             << " as " << nameOfA << " has";
  return success();
}

LogicalResult expectGroupedHeads(Operation *op, StringRef nameOfMany, Type many,
                                 StringRef nameOfShared, Type shared) {
  ArrayRef<int64_t> ofMany = cast<ShapedType>(many).getShape().drop_back(2);
  ArrayRef<int64_t> ofShared = cast<ShapedType>(shared).getShape().drop_back(2);
  if (ofMany.empty())
    return success();
  int64_t heads = ofMany.back(), groups = ofShared.back();
  if (!ShapedType::isDynamic(heads) && !ShapedType::isDynamic(groups) &&
      (groups <= 0 || heads % groups != 0))
    return op->emitOpError() << nameOfMany << " has " << heads
                             << " heads, expected a multiple of the " << groups << " of "
                             << nameOfShared;
  if (ofMany.size() == 2 && ofShared.front() != 1 && !mayBeEqual(ofMany.front(), ofShared.front()))
    return op->emitOpError() << nameOfShared << " has a batch of " << ofShared.front()
                             << ", expected the " << ofMany.front() << " of " << nameOfMany
                             << " or 1";
  return success();
}

SmallVector<OpFoldResult> reifySizes(OpBuilder &builder, Value result, ArrayRef<AxisOf> origins) {
  auto type = cast<ShapedType>(result.getType());
  SmallVector<OpFoldResult> sizes;
  for (auto [axis, origin] : llvm::enumerate(origins)) {
    if (!type.isDynamicDim(axis)) {
      sizes.push_back(builder.getIndexAttr(type.getDimSize(axis)));
      continue;
    }
    OpFoldResult size = tensor::getMixedSize(builder, result.getLoc(), origin.operand, origin.axis);
    // A dynamic axis is given as a value, even where the operand knows its size.
    sizes.push_back(getValueOrCreateConstantIndexOp(builder, result.getLoc(), size));
  }
  return sizes;
}

LogicalResult reifyAsOperand(OpBuilder &builder, Operation *op, Value operand,
                             ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<AxisOf> origins;
  for (int64_t axis = 0; axis < cast<ShapedType>(operand.getType()).getRank(); ++axis)
    origins.push_back({operand, axis});
  shapes.push_back(reifySizes(builder, op->getResult(0), origins));
  return success();
}

LogicalResult expectResultsLike(Operation *op, ArrayRef<Type> made, StringRef names) {
  if (llvm::all_of(made, llvm::IsaPred<MemRefType>)) {
    if (op->getNumResults() != 0)
      return op->emitOpError() << "has " << op->getNumResults()
                               << " results, expected none in memref form";
  } else if (!llvm::equal(op->getResultTypes(), made)) {
    return op->emitOpError() << "has results (" << op->getResultTypes() << "), expected (" << made
                             << "), the types of " << names;
  }
  return success();
}

LogicalResult expectRegion(Operation *op, StringRef name, Region &region, TypeRange takes,
                           Type yields) {
  if (region.empty())
    return success();
  if (!region.hasOneBlock())
    return op->emitOpError() << name << " has " << region.getBlocks().size()
                             << " blocks, expected one";
  Block &block = region.front();
  if (!llvm::equal(block.getArgumentTypes(), takes))
    return op->emitOpError() << name << " takes (" << block.getArgumentTypes() << "), expected ("
                             << takes << ")";
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield)
    return op->emitOpError() << name << " has no attn.yield, expected one at its end";
  if (yield.getNumOperands() != 1 || yield.getOperand(0).getType() != yields)
    return op->emitOpError() << name << " yields (" << yield.getOperandTypes() << "), expected one "
                             << yields;
  return success();
}

} // namespace heed::attn
