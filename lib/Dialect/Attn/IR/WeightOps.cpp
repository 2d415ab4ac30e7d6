//===- WeightOps.cpp - weights, embeddings and projections -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

#include "heed/Weights/PanelLayout.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace heed::attn;

//===----------------------------------------------------------------------===//
// WeightOp
//===----------------------------------------------------------------------===//

LogicalResult WeightOp::verify() {
  int64_t layers = getLayers();
  if (layers < 0) // C1
    return emitOpError() << "has " << layers << " layers, expected none (0) or more";
  bool namesLayer = getTensor().contains("{l}");
  if (namesLayer != (layers > 0)) // C2
    return emitOpError() << (namesLayer ? "names a layer in tensor \""
                                        : "names no layer in tensor \"")
                         << getTensor() << "\", expected "
                         << (namesLayer ? "layers, or a name without {l}"
                                        : "{l} in it, since there is one a layer");
  return success();
}

//===----------------------------------------------------------------------===//
// GetWeightOp
//===----------------------------------------------------------------------===//

LogicalResult GetWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight) // C1
    return emitOpError() << "names @" << getWeight() << ", which is no attn.weight";
  WeightType declared = weight.getWeightType();
  SmallVector<int64_t> shape(declared.getShape());
  if (std::optional<ArrayRef<int64_t>> order = getPermuted()) {
    if (static_cast<int64_t>(order->size()) != declared.getRank() || !isPermutationVector(*order))
      return emitOpError() << "permuted [" << *order << "] is no permutation of the weight's "
                           << declared.getRank() << " axes"; // C3
    if (declared.getBlockElements() > 1 && order->back() != declared.getRank() - 1)
      return emitOpError() << "permuted [" << *order << "] moves the last axis, along which "
                           << stringifyStorage(declared.getStorage()) << " has its blocks"; // C3
    shape = applyPermutation(declared.getShape(), *order);
  }
  auto expected = WeightType::get(getContext(), shape, declared.getStorage());
  if (getType() != expected) { // C1
    InFlightDiagnostic error = emitOpError()
                               << "has type " << getType() << "; expected " << expected;
    error.attachNote(weight.getLoc()) << "the weight is declared here";
    return error;
  }
  if (static_cast<bool>(getLayer()) != (weight.getLayers() > 0)) // C2
    return emitOpError() << (getLayer() ? "gives a layer, but @" : "gives no layer, but @")
                         << getWeight() << (getLayer() ? " is not per layer" : " is per layer");
  return success();
}

/// Axes that stay where they are need no `permuted`.
OpFoldResult GetWeightOp::fold(FoldAdaptor) {
  std::optional<ArrayRef<int64_t>> order = getPermuted();
  if (!order || !isIdentityPermutation(*order))
    return {};
  removePermutedAttr();
  return getResult();
}

//===----------------------------------------------------------------------===//
// DequantizeOp
//===----------------------------------------------------------------------===//

LogicalResult DequantizeOp::verify() {
  // C1; the operand's type constraint sees to f32.
  ArrayRef<int64_t> found = cast<ShapedType>(getResult().getType()).getShape();
  ArrayRef<int64_t> expected = getWeight().getType().getShape();
  if (found != expected)
    return emitOpError() << "result has shape " << shapeText(found) << ", expected "
                         << shapeText(expected) << ", the weight's";
  return success();
}

LogicalResult PrefetchOp::verify() {
  if (int64_t bytes = getBytesAttr().getInt(); bytes <= 0) // C1
    return emitOpError() << "asks for " << bytes << " bytes, expected 1 at least";
  if (int64_t level = getLevel(); level != 1 && level != 2) // C1
    return emitOpError() << "asks for level " << level << ", expected 1 or 2";
  return success();
}

LogicalResult AnnounceOp::verify() {
  if (int64_t bytes = getBytesAttr().getInt(); bytes <= 0) // C1
    return emitOpError() << "announces " << bytes << " bytes, expected 1 at least";
  return success();
}

//===----------------------------------------------------------------------===//
// Destinations
//===----------------------------------------------------------------------===//

/// Checks the two forms of an op that reads `input`: the memref form writes `into` and has no
/// result; the tensor form has a result, of the type of `into` where that is given.
static LogicalResult expectForm(Operation *op, Value input, Value into, Value result) {
  if (isa<MemRefType>(input.getType())) {
    if (result)
      return op->emitOpError() << "has a result of type " << result.getType()
                               << ", expected none in memref form";
    if (!into)
      return op->emitOpError() << "has no 'into', expected one in memref form";
    if (!isa<MemRefType>(into.getType()))
      return op->emitOpError() << "'into' has type " << into.getType()
                               << ", expected a memref as the other operands are";
    return success();
  }
  if (!result)
    return op->emitOpError() << "has no result, expected one in tensor form";
  if (into && into.getType() != result.getType())
    return op->emitOpError() << "result has type " << result.getType() << ", expected "
                             << into.getType() << ", the type of 'into'";
  return success();
}

/// Checks the shape of what is made: the result, or what is written in its place.
static LogicalResult expectMade(Operation *op, Value into, Value result,
                                ArrayRef<int64_t> expected) {
  if (result)
    return expectShape(op, "result", result.getType(), expected);
  return expectShape(op, "'into'", into.getType(), expected);
}

//===----------------------------------------------------------------------===//
// EmbedOp
//===----------------------------------------------------------------------===//

LogicalResult EmbedOp::verify() {
  auto ids = cast<ShapedType>(getIds().getType());
  if (ids.getRank() != 1) // C1
    return emitOpError() << "ids have rank " << ids.getRank() << ", expected 1";
  if (failed(expectForm(*this, getIds(), getInto(), getResult()))) // C3
    return failure();
  SmallVector<int64_t> expected{ids.getDimSize(0)};
  llvm::append_range(expected, getTable().getType().getShape().drop_front());
  if (failed(expectMade(*this, getInto(), getResult(), expected))) // C2
    return failure();
  if (getInRows() && !canBeInRows(getTable().getType())) // C4
    return emitOpError() << "reads rows of " << getTable().getType()
                         << ", expected f16 or bf16, and a multiple of " << kRowElements
                         << " elements in each";
  return success();
}

bool EmbedOp::canBeInRows(WeightType table) {
  Storage storage = table.getStorage();
  return (storage == Storage::F16 || storage == Storage::BF16) &&
         llvm::product_of(table.getShape().drop_front()) % kRowElements == 0;
}

LogicalResult EmbedOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  if (!getResult())
    return success();
  // Only the axis of ids can be dynamic: the table's are constants.
  SmallVector<AxisOf> origins(getResult().getType().getRank(), {getIds(), 0});
  shapes.push_back(reifySizes(builder, getResult(), origins));
  return success();
}

//===----------------------------------------------------------------------===//
// QuantizeOp
//===----------------------------------------------------------------------===//

/// The shape `leading` ++ [columns of `x` / `perColumns`], where `leading` are x's axes without the
/// last `contracted`. These are all known: a weight has as many.
static SmallVector<int64_t> blockedShape(ArrayRef<int64_t> x, int64_t contracted,
                                         int64_t perColumns) {
  SmallVector<int64_t> shape(x.drop_back(contracted));
  shape.push_back(llvm::product_of(x.take_back(contracted)) / perColumns);
  return shape;
}

/// Centres and crosses of an x of shape `x`: both, or neither.
template <typename Op>
static LogicalResult verifyCentred(Op op, ArrayRef<int64_t> x, int64_t contracted) {
  constexpr int64_t block = QuantizeOp::kBlock;
  if (!op.getCentres() != !op.getCrosses())
    return op.emitOpError() << "has centres or crosses alone, expected both or neither";
  if (!op.getCentres())
    return success();
  if (failed(expectShape(op, "centres", op.getCentres().getType(),
                         blockedShape(x, contracted, block / 2))))
    return failure();
  return expectShape(op, "crosses", op.getCrosses().getType(), blockedShape(x, contracted, block));
}

LogicalResult QuantizeOp::verify() {
  ArrayRef<int64_t> x = cast<ShapedType>(getX().getType()).getShape();
  int64_t contracted = getContracted(), rank = x.size(), group = getGroup();
  if (contracted < 1 || contracted > rank) // C1
    return emitOpError() << "contracts " << contracted
                         << " axes, expected at least 1 and no more than the " << rank << " of x";
  ArrayRef<int64_t> columns = x.take_back(contracted);
  if (ShapedType::isDynamicShape(columns) || llvm::product_of(columns) % kBlock != 0) // C1
    return emitOpError() << "has rows of " << shapeText(columns) << ", expected a multiple of "
                         << kBlock << " columns";
  if (group != kBlock && group != kBlock / 2) // C2
    return emitOpError() << "has sums of " << group << " columns, expected 32 or 16";
  if (failed(expectShape(*this, "quants", getQuants().getType(), x)) ||
      failed(expectShape(*this, "scales", getScales().getType(),
                         blockedShape(x, contracted, kBlock))) ||
      failed(expectShape(*this, "sums", getSums().getType(),
                         blockedShape(x, contracted, group)))) // C2
    return failure();
  if (failed(verifyCentred(*this, x, contracted)))
    return failure();
  if (getCentres() && !cast<ShapedType>(getQuants().getType()).getElementType().isInteger(8)) // C4
    return emitOpError() << "is centred with quants of type " << getQuants().getType()
                         << ", expected i8";
  if (getCentres() && (group != kBlock ||
                       !cast<ShapedType>(getSums().getType()).getElementType().isInteger(32))) // C4
    return emitOpError() << "is centred with sums of " << group << " columns of type "
                         << getSums().getType() << ", expected i32 of 32 columns";
  auto times = static_cast<int32_t>(getTimes());
  if (getCentres() && (times < -64 || times > -1)) // C4
    return emitOpError() << "is centred with sums times " << times << ", expected from -64 to -1";
  SmallVector<Type> made;
  for (OpOperand *destination : getDestinations())
    made.push_back(destination->get().getType());
  return expectResultsLike(*this, made, "what is written"); // C3
}

int64_t QuantizeOp::getReach() {
  if (getCentres())
    return kByteReach + static_cast<int32_t>(getTimes());
  return int64_t{1} << (cast<ShapedType>(getQuants().getType()).getElementTypeBitWidth() - 1);
}

SmallVector<OpOperand *> QuantizeOp::getDestinations() {
  SmallVector<OpOperand *> written{&getQuantsMutable(), &getScalesMutable(), &getSumsMutable()};
  for (MutableOperandRange range : {getCentresMutable(), getCrossesMutable()})
    for (OpOperand &operand : range)
      written.push_back(&operand);
  return written;
}

//===----------------------------------------------------------------------===//
// ProjectOp
//===----------------------------------------------------------------------===//

/// C7: scales and sums of an x of integers.
static LogicalResult verifyQuants(ProjectOp op) {
  auto x = cast<ShapedType>(op.getX().getType());
  bool isQuantized = x.getElementType().isInteger();
  if (isQuantized != (op.getScales() && op.getSums()))
    return op.emitOpError() << "x has type " << x << ", expected "
                            << (isQuantized ? "scales and sums beside it"
                                            : "i8 or i16 beside scales");
  if (!x.getElementType().isInteger(8) && op.getCentres())
    return op.emitOpError() << "x has type " << x << ", expected i8 beside centres";
  if (!isQuantized)
    return success();
  WeightType weight = op.getWeight().getType();
  int64_t contracted = op.getContracted(), block = QuantizeOp::kBlock;
  int64_t columns = llvm::product_of(weight.getShape().take_back(contracted));
  if (weight.getBlockElements() == 1 || columns % block != 0)
    return op.emitOpError() << "multiplies integers by " << weight
                            << ", expected a quantised weight with a multiple of " << block
                            << " columns";
  heed::PanelLayout layout = heed::panelLayout(
      heed::StorageSet::fromBits(static_cast<uint32_t>(weight.getStorage())).value());
  if (op.getCentres() && (!layout.hasNibbles() || layout.scaleGroup != block))
    return op.emitOpError() << "multiplies centred numbers by " << weight
                            << ", expected a weight of four or five bits with a scale for each "
                            << block << " columns";
  ArrayRef<int64_t> sums = cast<ShapedType>(op.getSums().getType()).getShape();
  int64_t group = !sums.empty() && sums.back() == columns / (block / 2) ? block / 2 : block;
  if (failed(expectShape(op, "scales", op.getScales().getType(),
                         blockedShape(x.getShape(), contracted, block))) ||
      failed(verifyCentred(op, x.getShape(), contracted)))
    return failure();
  return expectShape(op, "sums", op.getSums().getType(),
                     blockedShape(x.getShape(), contracted, group));
}

SmallVector<OpOperand *> ProjectOp::getReadOperands() {
  SmallVector<OpOperand *> read{&getXMutable()};
  for (MutableOperandRange range : {getScalesMutable(), getSumsMutable(), getCentresMutable(),
                                    getCrossesMutable(), getJoinedMutable()})
    for (OpOperand &operand : range)
      read.push_back(&operand);
  return read;
}

SmallVector<Value> ProjectOp::getWeights() {
  SmallVector<Value> weights{getWeight()};
  llvm::append_range(weights, getBeside());
  return weights;
}

ShapedType ProjectOp::getMadeType() {
  return cast<ShapedType>((getResult() ? getResult() : getInto()).getType());
}

AffineMap ProjectOp::getWholeMap() {
  return AffineMap::getMultiDimIdentityMap(getMadeType().getRank(), getContext());
}
AffineMap ProjectOp::getFeatureMap() {
  AffineMap map = getWholeMap();
  if (getHeadsFirst()) // [h, i, k]
    return map.dropResult(1);
  return map.getMinorSubMap(getFeatureAxes());
}
AffineMap ProjectOp::getRowMap() {
  AffineMap map = getWholeMap();
  if (getHeadsFirst())
    return map.getSubMap({1});
  return map.getMajorSubMap(getRowAxes());
}

/// C9: what belongs to a sum of each joined operand.
static LogicalResult verifyJoined(ProjectOp op) {
  size_t maps = op.getMaps() ? op.getMaps()->size() : 0;
  if (maps != op.getJoined().size())
    return op.emitOpError() << "has " << maps << " maps for " << op.getJoined().size()
                            << " joined operands, expected one for each";
  ArrayRef<int64_t> made = op.getMadeType().getShape();
  for (auto [number, operand] : llvm::enumerate(op.getJoined())) {
    AffineMap map = op.getMap(number);
    if (map != op.getWholeMap() && map != op.getFeatureMap() && map != op.getRowMap())
      return op.emitOpError() << "joins operand " << number << " by " << AffineMapAttr::get(map)
                              << ", expected all axes of the result, those of features or those "
                                 "of rows";
    SmallVector<int64_t> expected;
    for (AffineExpr axis : map.getResults())
      expected.push_back(made[cast<AffineDimExpr>(axis).getPosition()]);
    if (failed(expectShape(op, "joined operand " + std::to_string(number), operand.getType(),
                           expected)))
      return failure();
    if (isa<MemRefType>(operand.getType()) != isa<MemRefType>(op.getX().getType()))
      return op.emitOpError() << "joins " << operand.getType() << ", expected a "
                              << (isa<MemRefType>(op.getX().getType()) ? "memref" : "tensor")
                              << " as the other operands are";
  }
  return success();
}

/// C11: weights beside the first.
static LogicalResult verifyBeside(ProjectOp op) {
  for (Value weight : op.getBeside())
    if (weight.getType() != op.getWeight().getType())
      return op.emitOpError() << "has a weight of type " << weight.getType() << " beside, expected "
                              << op.getWeight().getType() << " as the first has";
  int64_t weights = op.getWeights().size();
  ProjectTileAttr tile = op.getTileAttr();
  if (tile && tile.getPanels() % weights != 0)
    return op.emitOpError() << "has a tile of " << tile.getPanels() << " panels of " << weights
                            << " weights, expected a multiple";
  return success();
}

LogicalResult ProjectOp::verifyRegions() { // C8
  Builder builder(getContext());
  Type f32 = builder.getF32Type(), element = getMadeType().getElementType();
  if (getEpilogue().empty()) {
    if (!getJoined().empty() || !getBeside().empty() || element != f32)
      return emitOpError() << "has no epilogue, expected one that "
                           << (element != f32        ? "narrows its sums"
                               : getBeside().empty() ? "takes what is joined"
                                                     : "takes the sums of all weights");
    return success();
  }
  SmallVector<Type> takes(1 + getBeside().size() + getJoined().size(), f32);
  return expectRegion(*this, "epilogue", getEpilogue(), takes, element);
}

LogicalResult ProjectOp::verify() {
  ArrayRef<int64_t> x = cast<ShapedType>(getX().getType()).getShape();
  ArrayRef<int64_t> weight = getWeight().getType().getShape();
  int64_t contracted = getContracted();
  int64_t rankOfX = x.size(), rankOfWeight = weight.size();
  int64_t heads = getPerHead() ? 1 : 0;
  if (contracted < 1 || contracted >= rankOfWeight - heads || contracted > rankOfX - heads) // C1
    return emitOpError() << "contracts " << contracted
                         << " axes, expected at least 1, fewer than the weight's "
                         << rankOfWeight - heads << " and no more than the " << rankOfX - heads
                         << " of x" << (heads ? ", heads apart" : "");
  if (heads && !mayBeEqual(x.drop_back(contracted).back(), weight.front())) // C6
    return emitOpError() << "x has " << x.drop_back(contracted).back() << " heads, expected "
                         << weight.front() << " as the weight has";
  if (!llvm::all_of_zip(x.take_back(contracted), weight.take_back(contracted), mayBeEqual)) // C2
    return emitOpError() << "contracts axes of sizes " << shapeText(x.take_back(contracted))
                         << " in x, expected " << shapeText(weight.take_back(contracted))
                         << " as in the weight";
  if (getAccumulate() && !getInto()) // C4
    return emitOpError() << "accumulates without 'into', expected the tensor to add to";
  if (failed(expectForm(*this, getX(), getInto(), getResult()))) // C5
    return failure();
  if (failed(verifyQuants(*this))) // C7
    return failure();
  if (getAccumulate() && !getMadeType().getElementType().isF32()) // C4
    return emitOpError() << "accumulates in " << getMadeType().getElementType() << ", expected f32";
  SmallVector<int64_t> expected(x.drop_back(contracted));
  llvm::append_range(expected, weight.drop_back(contracted).drop_front(heads));
  if (getHeadsFirst()) {
    if (getRowAxes() != 1 || getFeatureAxes() != 2 || heads || getAccumulate()) // C10
      return emitOpError() << "puts heads first with " << getRowAxes() << " axes of rows and "
                           << getFeatureAxes() << " of features"
                           << (heads             ? ", per head"
                               : getAccumulate() ? ", accumulating"
                                                 : "")
                           << ", expected 1 and 2 and nothing else";
    std::swap(expected[0], expected[1]);
  }
  if (failed(expectMade(*this, getInto(), getResult(), expected))) // C3
    return failure();
  if (failed(verifyBeside(*this))) // C11
    return failure();
  return verifyJoined(*this); // C9
}

LogicalResult ProjectOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  if (!getResult())
    return success();
  SmallVector<AxisOf> origins;
  for (int64_t axis = 0; axis < getResult().getType().getRank(); ++axis)
    origins.push_back({getX(), axis}); // the weight's axes, behind these, are constants
  if (getHeadsFirst())
    std::swap(origins[0], origins[1]);
  shapes.push_back(reifySizes(builder, getResult(), origins));
  return success();
}
